"""The examples of the pages run."""

import doctest
import re

from conftest import ROOT, ndjson

import sessionlint

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


def test_the_example_of_the_module_is_true():
    assert doctest.testmod(sessionlint).failed == 0


def test_the_licences_are_those_of_the_repository():
    for name in ["LICENSE-APACHE", "LICENSE-MIT"]:
        assert (ROOT / "python" / "licences" / name).read_bytes() == (ROOT / name).read_bytes()
