"""The pytest plugin, as tests of a user's project see it."""

import json
import xml.etree.ElementTree as xml

import pytest
from hypothesis import given, settings

from sessionlint import Nonconforming, Stream, assert_breaks, assert_conforms, check, strategies

pytest_plugins = ["pytester"]


def event(name, **payload):
    return {"type": f"session.{name}", "timestamp": "2026-01-01T00:00:00Z", "payload": {"session_id": "s", **payload}}


OPEN = event("status", pending=True, status_label="thinking")
COMPLETED = event("completed", final_message="Hi")
IDLE = event("status", pending=False, status_label="idle")
TURN = [OPEN, COMPLETED, IDLE]
UNKNOWN_CALL = event("tool.call.completed", tool_call_id="c", tool_name="t", ok=True, duration_ms=1)

TESTS = f"""
import pytest
OPEN, COMPLETED, IDLE, UNKNOWN_CALL = {(OPEN, COMPLETED, IDLE, UNKNOWN_CALL)!r}
"""


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """The short summary of pytest is cut to the terminal's width."""
    monkeypatch.setenv("COLUMNS", "200")


def lines(events):
    return "".join(json.dumps(event) + "\n" for event in events)


def project(pytester, ini="sessionlint_files = recordings/*.ndjson", **recordings):
    pytester.makeini(f"[pytest]\n{ini}\n")
    folder = pytester.mkdir("recordings")
    for name, events in recordings.items():
        (folder / f"{name}.ndjson").write_text(lines(events))


# ---- recordings as tests ---------------------------------------------------------------------------------------------


def test_without_a_pattern_nothing_is_collected(pytester):
    project(pytester, ini="", good=TURN)
    assert pytester.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_each_recording_is_a_test_that_names_its_rule_first(pytester):
    project(pytester, good=TURN, cut=TURN[:2])
    ran = pytester.runpytest()
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["FAILED recordings/cut.ndjson::conforms - idle-missing: the turn was completed*"])
    ran.stdout.fnmatch_lines(["*1 │ *session.status*", "*the turn began here*", "*2 │ *session.completed*"])
    assert "pytest_plugin.py" not in ran.stdout.str(), "the code of the plugin explains nothing"


def test_patterns_reach_into_folders(pytester):
    project(pytester, ini="sessionlint_files = **/*.ndjson", good=TURN)
    (pytester.mkdir("deep") / "cut.ndjson").write_text(lines(TURN[:2]))
    pytester.runpytest().assert_outcomes(passed=1, failed=1)


def test_junit_reports_have_the_counts(pytester):
    project(pytester, cut=TURN[:2])
    pytester.runpytest("--junitxml=report.xml")
    properties = xml.parse(pytester.path / "report.xml").iter("property")
    counts = {one.get("name"): one.get("value") for one in properties}
    assert counts["sessionlint_events"] == "2" and counts["sessionlint_errors"] == "1"


def test_the_configuration_sets_rules_and_what_fails(pytester):
    label = event("status", pending=False, status_label="thinking")
    project(pytester, warned=[OPEN, COMPLETED, label])
    pytester.runpytest().assert_outcomes(passed=1)
    project_ini = "sessionlint_files = recordings/*.ndjson\nsessionlint_fail_on = warning"
    pytester.makeini(f"[pytest]\n{project_ini}\n")
    pytester.runpytest().assert_outcomes(failed=1)
    pytester.makeini(f"[pytest]\n{project_ini}\nsessionlint_rules =\n    label-contradicts-pending=off\n")
    pytester.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("sessionlint_rules = idle-mising=off", "idle-mising"),
        ("sessionlint_rules = idle-missing", "is not NAME=SEVERITY"),
        ("sessionlint_fail_on = erorr", "erorr"),
        ("sessionlint_protocol = no-such-protocol", "no-such-protocol"),
    ],
)
def test_a_wrong_configuration_is_said_once(pytester, ini, words):
    project(pytester, ini=f"sessionlint_files = recordings/*.ndjson\n{ini}", good=TURN)
    ran = pytester.runpytest()
    assert ran.ret != 0
    assert words in ran.stdout.str() + ran.stderr.str()
    assert "Traceback" not in ran.stdout.str() + ran.stderr.str()


# ---- assertions ------------------------------------------------------------------------------------------------------


def test_assert_conforms_names_the_events_of_the_list():
    assert assert_conforms(TURN).events == 3
    with pytest.raises(Nonconforming) as raised:
        assert_conforms(TURN[:2])
    assert raised.value.headline.startswith("idle-missing: the turn was completed")
    assert "event 0 │" in str(raised.value) and "event 1 │" in str(raised.value)


def test_assert_breaks_wants_the_rule_and_that_it_exists():
    assert assert_breaks(TURN[:2], "idle-missing").errors == 1
    with pytest.raises(AssertionError, match="do not break idle-missing"):
        assert_breaks(TURN, "idle-missing")
    with pytest.raises(ValueError, match="idle-mising"):
        assert_breaks(TURN, "idle-mising")


def test_a_severity_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="not a severity"):
        assert_conforms(TURN, fail_on="erorr")


def test_a_stream_fails_at_the_very_event_and_stays_failed_until_it_is_abandoned():
    stream = Stream()
    stream.feed(OPEN)
    with pytest.raises(Nonconforming, match="unknown-tool-call") as failure:
        stream.feed(UNKNOWN_CALL)
    for again in (lambda: stream.feed(IDLE), stream.end):
        with pytest.raises(Nonconforming) as other:
            again()
        assert other.value is failure.value
    assert any("abandon()" in note for note in failure.value.__notes__)
    stream.abandon()
    stream.end()
    with pytest.raises(ValueError, match="ended"):
        stream.feed(IDLE)


def test_a_stream_as_a_context_manager_is_ended():
    with Stream() as stream:
        for one in TURN:
            stream.feed(one)
    with pytest.raises(Nonconforming, match="turn-unfinished"), Stream() as stream:
        stream.feed(OPEN)
    with pytest.raises(KeyError), Stream() as stream:
        stream.feed(OPEN)
        raise KeyError


# ---- the fixture -----------------------------------------------------------------------------------------------------


def test_the_fixture_fails_at_the_event_and_shows_the_earlier_one(pytester):
    pytester.makepyfile(TESTS + "def test_it(sessionlint):\n    stream = sessionlint.stream()\n    stream.feed(OPEN)\n    stream.feed(UNKNOWN_CALL)\n")
    ran = pytester.runpytest()
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([">*stream.feed(UNKNOWN_CALL)", "FAILED *::test_it - unknown-tool-call: *"])


def test_the_end_is_judged_when_the_test_has_passed(pytester):
    pytester.makepyfile(TESTS + "def test_it(sessionlint):\n    sessionlint.stream().feed(OPEN)\n")
    ran = pytester.runpytest()
    ran.assert_outcomes(passed=1, errors=1)
    ran.stdout.fnmatch_lines(["ERROR *::test_it - turn-unfinished: *"])


def test_the_end_is_not_judged_after_a_failure(pytester):
    pytester.makepyfile(TESTS + "def test_it(sessionlint):\n    sessionlint.stream().feed(OPEN)\n    assert False\n")
    pytester.runpytest().assert_outcomes(failed=1)


def test_the_fixture_has_the_options_of_the_configuration(pytester):
    pytester.makeini("[pytest]\nsessionlint_rules = turn-unfinished=off\n")
    pytester.makepyfile(
        TESTS
        + "def test_it(sessionlint):\n    sessionlint.stream().feed(OPEN)\n"
        + "    sessionlint.assert_conforms([OPEN])\n    sessionlint.assert_breaks([OPEN, COMPLETED], 'idle-missing')\n"
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_it_works_in_several_processes_and_in_coroutines(pytester):
    project(pytester, good=TURN, cut=TURN[:2])
    pytester.makepyfile(
        TESTS
        + "@pytest.mark.asyncio\nasync def test_it(sessionlint):\n    stream = sessionlint.stream()\n"
        + "    for event in (OPEN, COMPLETED, IDLE):\n        stream.feed(event)\n"
    )
    ran = pytester.runpytest_subprocess("-n", "2")
    ran.assert_outcomes(passed=2, failed=1)
    ran.stdout.fnmatch_lines(["FAILED recordings/cut.ndjson::conforms - idle-missing*"])


# ---- strategies ------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(strategies.events(sessions=2))
def test_generated_streams_conform(events):
    assert_conforms(events)


@settings(max_examples=20, deadline=None)
@given(strategies.recordings(breaks="idle-missing"))
def test_generated_streams_break_the_rule(recording):
    assert "idle-missing" in check(recording).by_rule


def test_a_failure_that_nobody_heard_of_fails_the_test(pytester):
    project(pytester)
    pytester.makepyfile(
        """
        OPEN = {"type": "session.status", "timestamp": "2026-01-01T00:00:00Z",
                "payload": {"session_id": "s", "pending": True, "status_label": "thinking"}}
        BAD = {"type": "session.completed", "timestamp": "2026-01-01T00:00:00Z", "payload": {"session_id": "s"}}

        def test_swallowed(sessionlint):
            stream = sessionlint.stream()
            for event in (OPEN, BAD):
                try:
                    stream.feed(event)
                except AssertionError:
                    pass

        def test_what_cannot_be_checked(sessionlint):
            stream = sessionlint.stream()
            try:
                stream.feed({"type": object()})
            except TypeError:
                pass

        def test_abandoned(sessionlint):
            stream = sessionlint.stream()
            try:
                stream.feed(OPEN)
                stream.feed(BAD)
            except AssertionError:
                stream.abandon()

        def test_two_streams(sessionlint):
            for name in ("first", "second"):
                sessionlint.stream(file=name).feed(OPEN)
        """
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines(["ERROR *test_swallowed - *missing-field: *", "ERROR *test_two_streams - *turn-unfinished: *"])
    result.stdout.fnmatch_lines(["*the events of 2 streams do not conform*"])


def test_a_pattern_that_nothing_matches_is_said_to_match_nothing(pytester):
    project(pytester, ini="sessionlint_files = recordings/*.ndjson\n  elsewhere/*.ndjson", good=TURN)
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["sessionlint_files: no file that was collected matches 'elsewhere/[*].ndjson'"])
    result.stdout.no_fnmatch_line("*matches 'recordings/*")
    with_workers = pytester.runpytest("-n", "2")
    with_workers.stdout.fnmatch_lines(["sessionlint_files: no file that was collected matches 'elsewhere/[*].ndjson'"])
    with_workers.stdout.no_fnmatch_line("*matches 'recordings/*")
    # Whoever names a file wants no other.
    pytester.runpytest("test_a_pattern_that_nothing_matches_is_said_to_match_nothing.py").stdout.no_fnmatch_line("*sessionlint_files*")


@pytest.mark.parametrize("ini", ["sessionlint_files = ../recordings/*", "sessionlint_files = /x/*", "sessionlint_rules = idle-mising=off"])
def test_a_wrong_configuration_is_told_once_before_any_test(pytester, ini):
    project(pytester, ini=ini)
    pytester.makepyfile("def test_one(): pass\ndef test_two(): pass")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *sessionlint*"])


def test_a_failure_survives_another_process():
    import pickle

    from sessionlint import Nonconforming, assert_conforms

    with pytest.raises(Nonconforming) as failure:
        assert_conforms([{"type": "session.completed"}])
    copy = pickle.loads(pickle.dumps(failure.value))
    assert (str(copy), copy.findings) == (str(failure.value), ())
