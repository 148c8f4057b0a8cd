"""The library finds in every file of the corpus what the program finds."""

import collections
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT

import sessionlint

CORPUS = ROOT / "corpus"


def inputs(folder):
    """Return the recordings of a folder of the corpus."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix not in {".expected", ".md"}]


def findings_of_program(protocol, paths):
    """Return the lines of JSON that the program prints, by file."""
    command = [sys.executable, "-m", "sessionlint", "check", "--no-config", "--format", "jsonl", "--protocol", protocol]
    ran = subprocess.run([*command, *paths], capture_output=True)
    assert ran.returncode in (0, 1), ran.stderr.decode()
    found = collections.defaultdict(list)
    for line in ran.stdout.decode().splitlines():
        finding = json.loads(line)
        if "complete" not in finding:
            found[finding["file"]].append(line)
    return found


def test_streams_have_the_findings_of_the_program():
    paths = inputs(CORPUS / "session-events" / "valid") + inputs(CORPUS / "session-events" / "invalid")
    assert len(paths) > 200
    expected = findings_of_program("session-events", paths)
    assert len(expected) > 200
    for path in paths:
        for source in [path, path.read_bytes()]:
            report = sessionlint.check(source, file=path)
            assert [finding.json() for finding in report.findings] == expected[str(path)], path
            assert bool(report) == (report.at_least("warning") == 0)


def test_the_valid_streams_conform():
    for path in inputs(CORPUS / "session-events" / "valid"):
        report = sessionlint.check(path)
        assert report, f"{path}\n{report}"


def test_records_have_the_findings_of_the_program():
    # Records of files that are passed together may refer to one another.
    paths = [path for path in inputs(CORPUS / "session-records" / "invalid")][::8]
    assert len(paths) > 10
    for path in paths:
        expected = findings_of_program("session-records", [path])
        report = sessionlint.check(path, protocol="session-records")
        assert [finding.json() for finding in report.findings] == expected[str(path)], path
