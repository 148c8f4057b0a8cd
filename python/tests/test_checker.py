"""`Checker`: inputs that come piece by piece."""

import json
import pickle
import threading

import pytest
from conftest import event, ndjson

import sessionlint


def test_findings_do_not_depend_on_how_the_bytes_are_cut(turn, unfinished):
    recording = ndjson(turn + unfinished)
    whole = sessionlint.check(recording)
    for size in [1, 7, 100, len(recording)]:
        checker = sessionlint.Checker()
        for start in range(0, len(recording), size):
            checker.feed(recording[start : start + size])
        assert checker.finish() == whole


def test_bytes_may_come_as_any_object_that_has_them(turn):
    recording = ndjson(turn)
    whole = sessionlint.check(recording)
    for piece in [recording, bytearray(recording), memoryview(recording), recording.decode()]:
        checker = sessionlint.Checker()
        checker.feed(piece)
        assert checker.finish() == whole
    for piece in [None, 1, [recording], {}]:
        with pytest.raises(TypeError, match="data must be bytes or a str"):
            sessionlint.Checker().feed(piece)


def test_an_event_has_the_row_that_was_passed_also_where_it_explains_another(unfinished):
    call = event("tool.call.started", 1, tool_call_id="c1", tool_name="t", tool_input={})
    end = event("completed", 2, final_message="x")
    checker = sessionlint.Checker()
    checker.event(unfinished[0], 0)
    checker.event(json.dumps(call).encode(), 4711)
    assert checker.take_findings() == []
    checker.event(end, 2**64 - 1)
    (finding,) = checker.take_findings()
    assert finding.rule == "tool-call-unfinished"
    assert finding.row == 2**64 - 1
    assert [related.row for related in finding.related] == [4711]
    assert checker.finish().events == 3


def test_findings_are_taken_once(unfinished):
    checker = sessionlint.Checker()
    checker.feed(b"{}\n" + ndjson(unfinished))
    assert [finding.rule for finding in checker.take_findings()] == ["not-an-event"]
    assert checker.take_findings() == []
    assert [finding.rule for finding in checker.finish().findings] == ["turn-unfinished"]


def test_a_checker_ends_once(turn):
    checker = sessionlint.Checker()
    checker.finish()
    for call in [
        checker.finish,
        checker.take_findings,
        checker.snapshot,
        lambda: checker.feed(b"x"),
        lambda: checker.event(b"{}", 0),
    ]:
        with pytest.raises(ValueError, match="the checker has finished"):
            call()


def test_a_checker_goes_on_where_a_snapshot_was_taken(turn, unfinished):
    events = turn + unfinished
    whole = sessionlint.check(events)
    for cut in range(len(events) + 1):
        checker, findings = sessionlint.Checker(), []
        for row, one in enumerate(events):
            if row == cut:
                findings += checker.take_findings()
                checker = sessionlint.Checker.restore(pickle.loads(pickle.dumps(checker.snapshot())))
            checker.event(one, row)
        report = checker.finish()
        findings += report.findings
        assert [finding.message for finding in findings] == [finding.message for finding in whole.findings]
        assert report.events == whole.events


def test_a_snapshot_of_something_else_is_refused():
    state = sessionlint.Checker().snapshot()
    for wrong, options in [
        (b"", {}),
        (state[:-1], {}),
        (state + b"x", {}),
        (b"x" * 100, {}),
        (state, {"fragment": True}),
        (state, {"protocol": "session-records"}),
    ]:
        with pytest.raises(sessionlint.SnapshotError):
            sessionlint.Checker.restore(wrong, **options)
    sessionlint.Checker.restore(state, file="other", excerpts=False)
    with pytest.raises(TypeError):
        sessionlint.Checker.restore("text")


def test_threads_may_share_a_checker(turn):
    checker = sessionlint.Checker(rules={"turn-not-started": "off"}, fragment=True)
    line = ndjson(turn[1:2])

    def work():
        for _ in range(200):
            checker.feed(line)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checker.finish().events == 800
