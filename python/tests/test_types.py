"""The stubs say what the code has, and everything has words of its own."""

import inspect
import subprocess
import sys

import sessionlint


def test_the_stubs_agree_with_the_code():
    ran = subprocess.run([sys.executable, "-m", "mypy.stubtest", "sessionlint"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_program_that_uses_all_of_it_has_the_right_types(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        '''
import io
from pathlib import Path
from typing import assert_type

import sessionlint

report = sessionlint.check([{"type": "x"}, "{}", b"{}"], rules={"unknown-event": "off"})
assert_type(report, sessionlint.Report)
for source in (b"", bytearray(), "", Path("x"), io.BytesIO(), io.StringIO(), [b"{}"], iter(["{}"])):
    sessionlint.check(source)
for finding in report.findings:
    assert_type(finding.excerpt, sessionlint.Excerpt | None)
    assert_type(finding.text(color=True), str)
checker = sessionlint.Checker(protocol=sessionlint.Protocol.load("x"), wire="sse")
checker.event({"type": "x"}, 1)
assert_type(sessionlint.Checker.restore(checker.snapshot()).finish().at_least("note"), int)
sessionlint.check(1)  # type: ignore[arg-type]
sessionlint.check(b"", wire="yaml")  # type: ignore[arg-type]
'''
    )
    ran = subprocess.run([sys.executable, "-m", "mypy", "--strict", str(program)], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def public():
    """Yield each public object and its name."""
    for name in sessionlint.__all__:
        value = getattr(sessionlint, name)
        yield name, value
        if inspect.isclass(value):
            for part, member in vars(value).items():
                if not part.startswith("_"):
                    yield f"{name}.{part}", member


def test_everything_has_a_docstring():
    missing = [name for name, value in public() if name != "__version__" and not inspect.getdoc(value)]
    assert missing == []


def test_everything_says_where_it_is_from():
    for name in sessionlint.__all__:
        value = getattr(sessionlint, name)
        if inspect.isclass(value) and name not in {"Problem", "ProtocolError", "SnapshotError"}:
            assert value.__module__ == "sessionlint", name
