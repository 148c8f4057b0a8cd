"""The examples of the pages run."""

import doctest
import gzip
import re

import fsspec
from pyarrow import parquet

from conftest import ROOT, ndjson

import sessionlint
import sessionlint.arrow

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_run(tmp_path, monkeypatch, unfinished, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session.ndjson").write_bytes(ndjson(unfinished))
    for page in [ROOT / "docs" / "python.md", ROOT / "python" / "README.md", ROOT / "README.md"]:
        blocks = BLOCK.findall(page.read_text())
        assert blocks, page
        names = {}
        for block in blocks:
            exec(compile(block, str(page), "exec"), names)
    assert "error[turn-unfinished] event 0" in capsys.readouterr().out


def test_the_examples_of_the_page_on_tables_run(tmp_path, monkeypatch, turn, unfinished, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session.ndjson").write_bytes(ndjson(unfinished))
    fsspec.filesystem("memory").pipe("/runs/1.ndjson.gz", gzip.compress(ndjson(turn)))
    names = {}
    for block in BLOCK.findall((ROOT / "docs" / "tables.md").read_text()):
        # Ray is not among the tools of the tests: it starts servers.
        if "import ray" not in block:
            exec(compile(block, "tables.md", "exec"), names)
        if "table" in names:
            parquet.write_table(names["table"], "events.parquet")
    assert "{'source': 'c2', 'row': 1, 'rule': 'turn-unfinished'}" in capsys.readouterr().out


def test_the_examples_of_the_modules_are_true():
    assert doctest.testmod(sessionlint).failed == 0
    assert doctest.testmod(sessionlint.arrow).failed == 0


def test_the_licences_are_those_of_the_repository():
    for name in ["LICENSE-APACHE", "LICENSE-MIT"]:
        assert (ROOT / "python" / "licences" / name).read_bytes() == (ROOT / name).read_bytes()
