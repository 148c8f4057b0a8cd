"""Tables and files, from Arrow to Arrow."""

import datetime
import gzip
import json
from collections import Counter

import fsspec
import pyarrow as pa
import pytest
import sessionlint
from conftest import ROOT, event, ndjson
from hypothesis import given
from hypothesis import strategies as st
from sessionlint.arrow import check_events, check_paths, findings_schema, summaries_schema

CORPUS = sorted((ROOT / "corpus/session-events/invalid").glob("*/*.ndjson"))


def texts(events):
    return [json.dumps(event) for event in events]


def rows_of(findings):
    return findings.read_all().to_pylist()


def unfinished_turn(session):
    started = event("status", 0, pending=True, status_label="thinking")
    started["payload"]["session_id"] = session
    return started


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
     pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)  # fmt: skip
def test_every_type_of_text_is_read(kind, unfinished):
    column = pa.array(texts(unfinished)).cast(kind)
    found = rows_of(check_events(pa.table({"json": column}), json="json"))
    assert [(row["rule"], row["row"]) for row in found] == [("turn-unfinished", 0)]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_table_has_the_findings_of_its_events(path):
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    report = sessionlint.check(lines)
    table = pa.table({"json": pa.array(lines, pa.binary())})
    found = rows_of(check_events(table, json="json"))
    names = ("rule", "severity", "message", "help", "row", "event", "start", "end", "type", "stream", "pointer")
    key = lambda finding: json.dumps(finding)  # noqa: E731
    of_report = [{name: getattr(finding, name) for name in names} for finding in report.findings]
    assert sorted(of_report, key=key) == sorted(({name: row[name] for name in names} for row in found), key=key)
    counts = Counter()
    for row in found:
        counts[row["rule"]] += row["count"]
    assert counts == report.by_rule


def test_rows_have_the_numbers_of_their_column(turn):
    events = [turn[0], turn[1], event("completed", 3, final_message="Goodbye"), turn[4]]
    table = pa.table({"json": texts(events), "seq": pa.array([-5, 10, 20, 20], pa.int32())})
    (finding, *_) = rows_of(check_events(table, json="json", order="seq"))
    assert (finding["rule"], finding["row"]) == ("stream-not-done", 20)
    assert {place["row"] for place in finding["related"]} <= {-5, 10}
    assert finding["related"]


def test_rows_may_be_numbered_by_time(unfinished):
    at = datetime.datetime(2026, 1, 1, 9, 0, 0, 123456, datetime.timezone.utc)
    kind = pa.timestamp("us", tz="UTC")
    findings = check_events(pa.table({"json": texts(unfinished), "at": pa.array([at], kind)}), json="json", order="at")
    assert findings.schema == findings_schema(kind)
    assert [row["row"] for row in rows_of(findings)] == [at]


def test_each_group_is_an_input_of_its_own(turn, unfinished):
    table = pa.table(
        {
            "json": texts(turn[:3] + turn + unfinished),
            "order": [1, 2, 3, 1, 2, 3, 4, 5, 9],
            "conversation": ["a"] * 3 + ["b"] * 5 + ["c"],
        }
    )
    findings = check_events(table, json="json", order="order", stream="conversation")
    found = [(row["source"], row["stream"], row["rule"], row["row"]) for row in rows_of(findings)]
    assert found == [("a", "ses_1", "turn-unfinished", 3), ("c", "ses_1", "turn-unfinished", 9)]
    assert findings.summaries.schema == summaries_schema()
    assert [(row["source"], row["events"], row["streams"], row["errors"]) for row in findings.summaries.to_pylist()] == [
        ("a", 3, 1, 1),
        ("b", 5, 1, 0),
        ("c", 1, 1, 1),
    ]


def test_a_group_may_go_on_in_the_next_batch(turn):
    table = pa.table({"json": texts(turn), "group": [7] * 5})
    findings = check_events(iter(table.to_batches(max_chunksize=1)), json="json", stream="group")
    assert rows_of(findings) == []
    assert [(row["source"], row["events"]) for row in findings.summaries.to_pylist()] == [("7", 5)]


def test_an_unknown_field_is_listed_once_for_all_groups(turn):
    for each in turn:
        each["trace"] = {"id": 1}
    table = pa.table({"json": texts(turn * 3), "group": ["a"] * 5 + ["b"] * 5 + ["c"] * 5})
    findings = check_events(table, json="json", stream="group")
    found = [(row["source"], row["rule"], row["type"], row["count"]) for row in rows_of(findings)]
    assert found == [
        ("a", "unknown-field", "session.status", 6),
        ("a", "unknown-field", "session.stream.chunk", 6),
        ("a", "unknown-field", "session.completed", 3),
    ]
    assert [row["notes"] for row in findings.summaries.to_pylist()] == [5, 5, 5]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"order": [2, 1], "group": ["a", "a"]}, "row 1 of \"a\" comes too late by the column \"order\""),
        ({"order": [1, None], "group": ["a", "a"]}, "row 1 has no value in the column \"order\""),
        ({"order": [1, 2, 3], "group": ["a", "b", "a"]}, "row 2 of \"a\" does not follow the others of its group"),
        ({"order": [1, 2, 3], "group": [None, "b", None]}, "row 2 without a value does not follow the others of its group"),
        ({"order": pa.array([2**64 - 1], pa.uint64()), "group": ["a"]}, "the column \"order\" cannot be read as Int64"),
    ],
)  # fmt: skip
def test_rows_that_are_not_sorted_are_refused(columns, message, unfinished):
    table = pa.table({"json": texts(unfinished * len(columns["group"])), **columns})
    with pytest.raises(ValueError) as refused:
        rows_of(check_events(table, json="json", order="order", stream="group"))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"json": "text"}, KeyError, "has the columns ['json', 'n', 'word'], and none of the name 'text'"),
        ({"json": "n"}, TypeError, 'the column "n" must hold JSON as strings or bytes, but holds Int64'),
        ({"json": "json", "order": "word"}, TypeError, 'the column "word" must hold integers, dates or timestamps'),
        ({"json": "json", "rules": {"no-such-rule": "off"}}, ValueError, "no-such-rule"),
        ({"json": "json", "rules": {"idle-missing": "fatal"}}, ValueError, 'use "error", "warning", "note" or "off"'),
        ({"json": "json", "excerpt": 1}, TypeError, "check_events() got an unexpected keyword argument 'excerpt'"),
    ],
)
def test_wrong_columns_and_options_are_refused(options, error, message, unfinished):
    table = pa.table({"json": texts(unfinished), "n": [1], "word": ["one"]})
    with pytest.raises(error) as refused:
        rows_of(check_events(table, **options))
    assert message in str(refused.value)


def test_a_column_of_two_is_refused(unfinished):
    column = pa.array(texts(unfinished))
    table = pa.Table.from_arrays([column, column], names=["json", "json"])
    with pytest.raises(KeyError, match="several columns of the name 'json'"):
        check_events(table, json="json")


def test_a_null_is_not_an_event_and_a_null_group_is_one(unfinished):
    table = pa.table({"json": [None, *texts(unfinished)], "group": pa.array([None, None], pa.string())})
    found = [(row["source"], row["rule"]) for row in rows_of(check_events(table, json="json", stream="group"))]
    assert found == [(None, "not-an-event"), (None, "turn-unfinished")]


def test_a_table_without_rows_is_an_empty_input():
    table = pa.table({"json": pa.array([], pa.string()), "group": pa.array([], pa.string())})
    assert [row["rule"] for row in rows_of(check_events(table, json="json"))] == ["empty-input"]
    findings = check_events(table, json="json", stream="group")
    assert [row["rule"] for row in rows_of(findings)] == ["empty-input"]
    assert [(row["source"], row["errors"]) for row in findings.summaries.to_pylist()] == [(None, 1)]
    with pytest.raises(KeyError):
        check_events(table, json="text")
    assert [row["rule"] for row in rows_of(check_events([], json="json"))] == ["empty-input"]


@pytest.mark.parametrize("source", [1, "text", {"json": ["{}"]}, [1], None])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(TypeError):
        rows_of(check_events(source, json="json"))


def test_memory_does_not_wait_for_the_end(unfinished):
    batches = (pa.record_batch({"json": texts(unfinished), "group": [str(number)]}) for number in range(3))
    findings = check_events(batches, json="json", stream="group")
    read = iter(findings)
    assert next(read).column("source").to_pylist() == ["0"]
    assert [batch.num_rows for batch in read] == [1, 1]


def test_findings_are_read_once_and_to_their_end(turn, unfinished):
    findings = check_events(pa.table({"json": texts(turn + unfinished), "group": ["a"] * 5 + ["b"]}), json="json", stream="group")
    with pytest.raises(ValueError, match="not been read to their end"):
        _ = findings.summaries
    assert len(rows_of(findings)) == 1
    assert findings.summaries.num_rows == 2
    with pytest.raises(ValueError, match="have been read already"):
        rows_of(findings)
    unsorted = check_events(pa.table({"json": texts(turn), "group": list("ababa")}), json="json", stream="group")
    for _ in range(2):
        with pytest.raises(ValueError):
            rows_of(unsorted)
        with pytest.raises(ValueError, match="not been read to their end"):
            _ = unsorted.summaries


def test_files_are_inputs_of_their_own(tmp_path, turn, unfinished):
    (tmp_path / "whole.ndjson").write_bytes(ndjson(turn))
    (tmp_path / "cut.ndjson.gz").write_bytes(gzip.compress(ndjson(unfinished)))
    paths = [tmp_path / "whole.ndjson", str(tmp_path / "cut.ndjson.gz")]
    findings = check_paths(paths)
    assert [(row["source"], row["rule"], row["line"], row["row"]) for row in rows_of(findings)] == [
        (str(tmp_path / "cut.ndjson.gz"), "turn-unfinished", 1, None)
    ]
    assert [(row["source"], row["events"]) for row in findings.summaries.to_pylist()] == [
        (str(tmp_path / "whole.ndjson"), 5),
        (str(tmp_path / "cut.ndjson.gz"), 1),
    ]


def test_objects_are_opened_by_their_url(turn, unfinished):
    store = fsspec.filesystem("memory")
    store.pipe({"/runs/1.ndjson": ndjson(turn), "/runs/2.ndjson": ndjson(unfinished)})
    findings = check_paths(["memory://runs/*.ndjson"])
    assert [(row["source"], row["rule"]) for row in rows_of(findings)] == [("memory:///runs/2.ndjson", "turn-unfinished")]
    assert findings.summaries.num_rows == 2
    with pytest.raises(FileNotFoundError, match="no object matches"):
        rows_of(check_paths(["memory://other/*.ndjson"]))


def test_a_file_that_cannot_be_read_is_never_passed_over(tmp_path):
    with pytest.raises(FileNotFoundError):
        rows_of(check_paths([tmp_path / "missing.ndjson"]))
    with pytest.raises(IsADirectoryError):
        rows_of(check_paths([tmp_path]))
    with pytest.raises(TypeError):
        check_paths(str(tmp_path))
    with pytest.raises(ValueError, match="there are no paths"):
        check_paths([])


def test_patterns_of_files_are_expanded(tmp_path, turn, unfinished):
    (tmp_path / "b.ndjson").write_bytes(ndjson(turn))
    (tmp_path / "a[1].ndjson").write_bytes(ndjson(unfinished))
    findings = check_paths([f"{tmp_path}/*.ndjson"])
    assert [row["rule"] for row in rows_of(findings)] == ["turn-unfinished"]
    assert findings.summaries.num_rows == 2
    assert len(rows_of(check_paths([f"{tmp_path}/a[1].ndjson"]))) == 1
    with pytest.raises(FileNotFoundError, match="no file matches"):
        rows_of(check_paths([f"{tmp_path}/*.jsonl"]))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(range(4)), st.one_of(st.none(), st.binary(max_size=8))), max_size=12
    )
)
def test_groups_have_together_what_each_has_alone(parts):
    """Each group's counts are those of a check of that group alone, whatever the rows hold."""
    turn = texts(
        [
            event("status", 0, pending=True, status_label="thinking"),
            event("stream.chunk", 1, text="a", done=True),
            event("completed", 3, final_message="a"),
            {**event("status", 4, pending=False, status_label="idle"), "extra": 1},
        ]
    )
    rows = sorted((group, turn[number].encode() if other is None else other) for group, number, other in parts)
    table = pa.table(
        {"group": pa.array([group for group, _ in rows], pa.int64()), "json": pa.array([text for _, text in rows], pa.binary())}
    )
    findings = check_events(table, json="json", stream="group")
    counted = Counter()
    for row in rows_of(findings):
        counted[row["rule"]] += row["count"]
    alone = Counter({} if rows else {"empty-input": 1})
    for group in {group for group, _ in rows}:
        alone.update(sessionlint.check([text for other, text in rows if other == group]).by_rule)
    assert counted == alone
