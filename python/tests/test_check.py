"""What `check` takes, and what it says of each kind of source."""

import array
import gzip
import io
import json
import mmap
import threading

import pytest
from conftest import event, ndjson

import sessionlint


def rules(report):
    return [finding.rule for finding in report.findings]


@pytest.fixture
def broken(unfinished):
    """A turn that begins, has a value of a wrong type in its second event, and does not end."""
    return [*unfinished, event("stream.chunk", 1, text=1, done=False)]


def sources(events, folder):
    """Yield each kind of source with these events, and whether findings have the numbers of the events as rows."""
    recording = ndjson(events)
    path = folder / "recording.ndjson"
    path.write_bytes(recording)
    (folder / "recording.gz").write_bytes(gzip.compress(recording))
    lines = recording.splitlines()
    yield recording, False
    yield bytearray(recording), False
    yield memoryview(recording), False
    yield memoryview(recording).cast("b"), False
    yield memoryview(b"".join(bytes([byte, 0]) for byte in recording))[::2], False
    yield array.array("b", recording), False
    yield recording.decode(), False
    yield gzip.compress(recording), False
    yield path, False
    yield folder / "recording.gz", False
    yield io.BytesIO(recording), False
    yield io.StringIO(recording.decode()), False
    yield events, True
    yield iter(events), True
    yield tuple(lines), True
    yield (line.decode() for line in lines), True
    yield map(bytearray, lines), True


def test_every_kind_of_source_has_the_same_findings(broken, tmp_path):
    for source, has_rows in sources(broken, tmp_path):
        report = sessionlint.check(source)
        assert rules(report) == ["wrong-type", "turn-unfinished"], source
        finding = report.findings[0]
        assert (finding.event, finding.row) == (1, 1 if has_rows else None), source
        assert finding.line == (1 if has_rows else 2), source
        assert report.events == 2, source


def test_a_recording_can_be_open_in_any_way(turn, unfinished, tmp_path):
    path = tmp_path / "recording.ndjson"
    path.write_bytes(ndjson(turn[:2]))
    for mode in ["r", "rb"]:
        with path.open(mode) as file:
            report = sessionlint.check(file)
        assert rules(report) == ["turn-unfinished"]
        assert report.findings[0].file == str(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert rules(sessionlint.check(mapped)) == ["turn-unfinished"]
    with path.open("rb") as file:
        file.readline()
        assert sessionlint.check(file, fragment=True).events == 1


def test_a_file_has_its_path_as_its_name_unless_another_is_given(unfinished, tmp_path):
    path = tmp_path / "recording.ndjson"
    path.write_bytes(ndjson(unfinished))
    assert sessionlint.check(path).findings[0].file == str(path)
    assert sessionlint.check(path, file="other").findings[0].file == "other"
    assert sessionlint.check(unfinished).findings[0].file is None


def test_a_dict_is_written_as_json_writes_it_and_its_own_text_is_marked(unfinished):
    events = [*unfinished, event("stream.chunk", 1, text="Grüße", done="no")]
    finding = sessionlint.check(events).findings[0]
    text = json.dumps(events[1], ensure_ascii=False)
    assert finding.rule == "wrong-type"
    assert finding.row == 1
    assert finding.column == text.index('"no"') + 1
    assert text.encode()[finding.start : finding.end] == b'"no"'
    excerpt = finding.excerpt
    assert excerpt.text[slice(*excerpt.mark)] == '"no"'
    assert excerpt.text in text
    assert finding.text().startswith("error[wrong-type] event 1\n")


def test_an_event_may_have_line_ends_in_its_text(turn):
    assert sessionlint.check([json.dumps(one, indent=2) for one in turn])


def test_what_json_cannot_write_is_refused_with_the_number_of_the_event(turn):
    circle = {}
    circle["self"] = circle
    deep = {}
    for _ in range(100_000):
        deep = {"deeper": deep}
    for value in [{"a": object()}, {"a": {1, 2}}, {(1, 2): 3}, {"a": b"bytes"}, circle, deep, {"a": 10**5000}]:
        with pytest.raises(TypeError, match="^event 5 cannot be written as JSON: ") as raised:
            sessionlint.check([*turn, value])
        assert raised.value.__cause__ is not None


def test_numbers_that_are_not_json_are_findings():
    report = sessionlint.check([{"type": "session.status", "payload": float("nan")}])
    (finding,) = [finding for finding in report.findings if finding.rule == "invalid-json"]
    assert finding.row == 0
    assert "NaN" in finding.message


def test_half_of_a_character_is_judged_as_json_would_escape_it(turn):
    turn[1]["payload"]["text"] = "\ud83d"
    expected = rules(sessionlint.check([json.dumps(one) for one in turn]))
    assert expected
    assert rules(sessionlint.check(turn)) == expected
    assert rules(sessionlint.check([json.dumps(one, ensure_ascii=False) for one in turn])) == expected
    turn[1]["payload"]["text"] = "\ud83d\ude00"
    turn[3]["payload"]["final_message"] = "😀"
    assert sessionlint.check(turn)


@pytest.mark.parametrize("item", [None, 1, 1.5, [], (), {1}, object(), int])
def test_an_item_that_is_no_event_is_refused_with_its_number(turn, item):
    with pytest.raises(TypeError, match="^event 5 must be a dict, a str or bytes, not "):
        sessionlint.check([*turn, item])


@pytest.mark.parametrize("source", [None, 1, 1.5, object(), int, len])
def test_a_source_that_is_none_is_refused(source):
    with pytest.raises(TypeError, match="^source must be "):
        sessionlint.check(source)


def test_one_event_by_itself_is_refused_with_what_to_do(turn):
    with pytest.raises(TypeError, match=r"pass a list of events, such as \[event\]"):
        sessionlint.check(turn[0])


def test_an_exception_of_the_source_arrives_as_it_is(turn, tmp_path):
    class Failure(Exception):
        pass

    def events():
        yield turn[0]
        raise Failure

    class Broken:
        def read(self, size):
            raise Failure

    for source in [events(), Broken()]:
        with pytest.raises(Failure):
            sessionlint.check(source)
    with pytest.raises(FileNotFoundError) as raised:
        sessionlint.check(tmp_path / "missing.ndjson")
    assert raised.value.filename == str(tmp_path / "missing.ndjson")
    with pytest.raises(IsADirectoryError):
        sessionlint.check(tmp_path)

    class Numbers:
        def read(self, size):
            return 1

    with pytest.raises(TypeError, match="must return bytes or a str, not int"):
        sessionlint.check(Numbers())


def test_damaged_compression_is_a_finding(turn):
    compressed = gzip.compress(ndjson(turn))[:-6]
    report = sessionlint.check(compressed)
    assert "truncated-input" in rules(report)
    assert not report


def test_options_are_those_of_the_program(unfinished):
    assert rules(sessionlint.check(unfinished)) == ["turn-unfinished"]
    assert sessionlint.check(unfinished, fragment=True)
    assert sessionlint.check(unfinished, rules={"turn-unfinished": "off"})
    assert sessionlint.check(unfinished, rules={"turn-unfinished": None})
    noted = sessionlint.check(unfinished, rules={"turn-unfinished": "note"})
    assert noted and noted.findings[0].severity == "note"
    assert sessionlint.check(unfinished, excerpts=False).findings[0].excerpt is None
    messages = "".join(f"data: {json.dumps(one)}\n\n" for one in unfinished)
    assert rules(sessionlint.check(messages, wire="sse")) == ["turn-unfinished"]
    assert "foreign-framing" in rules(sessionlint.check(messages, wire="ndjson"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "sesion-events"}, "there is no built-in protocol"),
        ({"wire": "yaml"}, "there is no form of input"),
        ({"rules": {"idle-mising": "off"}}, "did you mean idle-missing"),
        ({"rules": {"turn-unfinished": "fatal"}}, "turn-unfinished: \"fatal\" is not a severity"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sessionlint.check(b"", **options)
    with pytest.raises(ValueError, match=message):
        sessionlint.Checker(**options)


def test_other_threads_run_while_bytes_are_checked():
    # Long enough to be checked for tens of milliseconds: a busy machine runs the other thread late.
    recording = sessionlint.generate(seed=1) * 6000
    for _ in range(5):
        began, ended, counted = threading.Event(), threading.Event(), 0

        def work():
            began.set()
            sessionlint.check(recording, excerpts=False)
            ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        began.wait()
        while not ended.is_set():
            counted += 1
        thread.join()
        assert counted > 0


CHUNK = {
    "id": "c",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
}


def found_in(source):
    return rules(sessionlint.check(source))


def test_the_protocol_is_found_in_every_kind_of_source(tmp_path):
    # A chat completion whose first chunk does not give the role, as lines.
    text = json.dumps(CHUNK) + "\n"
    expected = ["choice-without-role"]
    path = tmp_path / "chunks.ndjson"
    path.write_text(text)
    assert found_in(text) == expected
    assert found_in(text.encode()) == expected
    assert found_in(memoryview(text.encode())) == expected
    assert found_in(gzip.compress(text.encode())) == expected
    assert found_in(path) == expected
    assert found_in(io.BytesIO(text.encode())) == expected
    assert found_in(io.StringIO(text)) == expected
    assert found_in([CHUNK]) == expected
    assert found_in(iter([text])) == expected


def test_what_tells_no_protocol_is_judged_by_session_events():
    assert found_in("{}\n") == found_in([{}])
    report = sessionlint.check([{"type": "session.status"}])
    assert set(rules(report)) == {"missing-field"}


def test_rules_of_another_protocol_than_the_one_found_are_no_mistake():
    severities = {"idle-missing": "off", "choice-without-role": "off"}
    assert rules(sessionlint.check([CHUNK], rules=severities)) == []
    with pytest.raises(ValueError, match="idle-mising"):
        sessionlint.check([CHUNK], rules={"idle-mising": "off"})
