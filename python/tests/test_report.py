"""Reports and findings, as objects, as text and as JSON."""

import json

import pytest
from conftest import event

import sessionlint


@pytest.fixture
def report(unfinished):
    unknown = event("weather", 1)
    return sessionlint.check([*unfinished, unknown, unknown, unknown])


def test_a_report_counts_and_is_false_if_the_input_does_not_conform(report, turn):
    assert (report.events, report.streams, report.records, report.skipped) == (4, 1, 0, 0)
    assert report.by_type["session.status"] == 1
    assert report.by_rule["turn-unfinished"] == 1
    assert report.at_least("error") == report.errors >= 1
    assert report.at_least("warning") == report.errors + report.warnings
    assert report.at_least("note") == report.errors + report.warnings + report.notes
    assert not report
    assert sessionlint.check(turn)
    assert sessionlint.check(turn).at_least("note") == 0
    with pytest.raises(ValueError, match="there is no severity"):
        report.at_least("fatal")
    (repeat,) = report.repeats
    assert (repeat.rule, repeat.type, repeat.pointer, repeat.count) == ("unknown-event", "session.weather", None, 2)


def test_a_warning_does_not_conform_and_a_note_does(unfinished):
    assert not sessionlint.check(unfinished, rules={"turn-unfinished": "warning"})
    assert sessionlint.check(unfinished, rules={"turn-unfinished": "note"})


def test_a_report_cannot_be_changed(report):
    finding = report.findings[0]
    for target, name in [(report, "errors"), (report, "other"), (finding, "rule"), (finding, "other")]:
        with pytest.raises(AttributeError):
            setattr(target, name, 1)
    assert report.findings is report.findings


def test_findings_of_equal_contents_are_equal(unfinished):
    one, other = (sessionlint.check(unfinished).findings[0] for _ in range(2))
    assert one == other and hash(one) == hash(other) and len({one, other}) == 1
    assert one != sessionlint.check(unfinished, file="other").findings[0]
    assert one != "turn-unfinished"
    assert sessionlint.check(unfinished) == sessionlint.check(unfinished)


def test_a_finding_tells_everything_about_its_place(unfinished):
    text = json.dumps(unfinished[0])
    finding = sessionlint.check(unfinished).findings[0]
    assert (finding.rule, finding.severity, finding.type) == ("turn-unfinished", "error", "session.status")
    assert (finding.stream, finding.event, finding.row, finding.line) == ("ses_1", 0, 0, 1)
    assert text.encode()[finding.start : finding.end] == text[finding.column - 1 :][: finding.end - finding.start].encode()
    assert finding.help and finding.message
    assert finding.quotes == sessionlint.Protocol.builtin("session-events").rule("turn-unfinished").quotes


def test_text_is_for_people_and_safe_for_their_terminals(unfinished):
    report = sessionlint.check([*unfinished, event("stats\x1b[2J", 1)])
    text = report.text()
    assert "error[turn-unfinished] event 1\n" in text and "\x1b" not in text
    assert str(report) == text
    assert "\x1b[" in report.text(color=True) and "\x1b[2J" not in report.text(True)
    assert max(map(len, report.text(width=60).splitlines())) <= 60
    finding = report.findings[0]
    assert str(finding) == finding.text() and "\x1b" not in finding.text() + finding.json() + report.json()
    for width in [0, 1, 2**63]:
        assert report.text(width=width) and finding.text(width=width)


def test_json_is_what_the_program_prints(report):
    document = json.loads(report.json())
    assert [json.loads(finding.json()) for finding in report.findings] == document["findings"]
    assert document["findings"][0]["row"] is not None


def test_objects_say_what_they_are(report):
    assert repr(report).startswith("<sessionlint.Report events=4 errors=")
    assert repr(report.findings[-1]).startswith("<sessionlint.Finding ")
    assert "excerpt" not in repr(report.findings[-1].excerpt) and repr(report.repeats[0])
    assert repr(sessionlint.Protocol.builtin("session-events")) == '<sessionlint.Protocol "session-events", version "1">'
