"""Spark's data frames, in this process and on a cluster of processes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import sessionlint
from conftest import ROOT

pytest.importorskip("pyspark", reason="PySpark is not installed")
if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
    pytest.skip("Spark needs Java", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402
from sessionlint.spark import check_files, check_stream, check_table  # noqa: E402

# The bytes of the table; a bench has more.
BYTES = 20_000_000


# The workers run this Python, which has the package.
os.environ["PYSPARK_PYTHON"] = sys.executable

# The rules that the sessions of the table break; the first ones break none.
BROKEN = [None, None, None, "turn-unfinished", "unknown-field", "final-message-mismatch"]


def start(master):
    """Return a new session of Spark."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.streaming.stateStore.providerClass":
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    }  # fmt: skip
    session = SparkSession.builder.master(master).config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


@pytest.fixture(scope="module", params=["local[2]", "local-cluster[2,1,1024]"])
def spark(request):
    session = start(request.param)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Files with whole sessions of all kinds: their paths."""
    folder = tmp_path_factory.mktemp("sessions")
    paths = []
    for number in range(4):
        paths.append(str(folder / f"{number}.ndjson"))
        size = 0
        with open(paths[-1], "wb") as file:
            for seed in range(number, 10**6, 4):
                if size > BYTES // 4:
                    break
                events = sessionlint.generate(seed=seed, breaks=BROKEN[seed % len(BROKEN)], turns=40, events=4000)
                # Each seed is a session of its own.
                size += file.write(events.replace(b'"session_id":"', b'"session_id":"%d-' % seed))
    return paths


def program(*arguments):
    """Return the document that the program prints."""
    command = [sys.executable, "-m", "sessionlint", "check", "--format", "json", *arguments]
    return json.loads(subprocess.run(command, capture_output=True).stdout)


def by_rule(findings):
    """Return the number of findings of each rule."""
    rows = findings.groupBy("rule").sum("count").collect()
    return {row["rule"]: row["sum(count)"] for row in rows}


def test_files_have_the_findings_and_counts_of_the_program(spark, sessions):
    document = program(*sessions)
    result = check_files(sessions)
    found = result.findings.select("source", "line", "column", "rule", "message", "stream").collect()
    names = ("file", "line", "column", "rule", "message", "stream")
    expected = [tuple(finding[name] for name in names) for finding in document["findings"]]
    assert len(expected) > 20
    assert sorted(map(tuple, found), key=str) == sorted(expected, key=str)
    assert by_rule(result.findings) == document["summary"]["by_rule"]
    counts = result.summaries.groupBy().sum("events", "streams", "errors", "warnings", "notes").first()
    names = ("events", "streams", "errors", "warnings", "notes")
    assert list(counts) == [document["summary"][name] for name in names]
    by_column = check_files(spark.createDataFrame([(path,) for path in sessions], "file string"), column="file")
    assert sorted(by_column.summaries.collect()) == sorted(result.summaries.collect())


def test_a_table_has_the_findings_and_counts_of_the_program(spark, sessions, tmp_path):
    lines = [line for path in sessions for line in open(path, "rb")]
    whole = tmp_path / "whole.ndjson"
    whole.write_bytes(b"".join(lines))
    document = program(str(whole))
    rows = [(json.loads(line)["payload"]["session_id"], number, line.decode()) for number, line in enumerate(lines)]
    random.Random(1).shuffle(rows)
    table = spark.createDataFrame(pa.Table.from_pylist([dict(zip(("id", "seq", "event"), row)) for row in rows]))
    result = check_table(table, stream="id", order="seq", json="event")
    found = result.findings.select("row", "rule", "message", "stream").collect()
    expected = [(finding["line"] - 1, *(finding[name] for name in ("rule", "message", "stream"))) for finding in document["findings"]]
    # Which one of a kind is the first depends on the order of the groups.
    once = {"unknown-field"}
    assert sorted((row for row in map(tuple, found) if row[1] not in once), key=str) == sorted(
        (row for row in expected if row[1] not in once), key=str
    )
    assert len(found) == len(expected)
    assert by_rule(result.findings) == document["summary"]["by_rule"]
    assert result.summaries.count() == document["summary"]["streams"]
    assert result.summaries.groupBy().sum("events").first()[0] == document["summary"]["events"]


def test_related_places_have_the_rows_of_the_table(spark, unfinished):
    rows = [("a", 7, json.dumps(unfinished[0])), ("a", 9, json.dumps(unfinished[0]))]
    result = check_table(spark.createDataFrame(rows, "id string, seq int, event string"), stream="id", order="seq", json="event")
    found = {row.rule: row for row in result.findings.collect()}
    assert result.findings.schema["row"].dataType.simpleString() == "int"
    assert [place.row for place in found["turn-unfinished"].related] == [7]


def test_rows_may_be_sorted_by_time(spark, unfinished):
    rows = [("a", json.dumps(unfinished[0]), "2026-01-01 09:00:00.123456")]
    table = spark.createDataFrame(rows, "id string, event string, at string")
    for kind in ("timestamp", "timestamp_ntz", "date"):
        result = check_table(table.withColumn("at", table["at"].cast(kind)), stream="id", order="at", json="event")
        (found,) = result.findings.collect()
        assert result.findings.schema["row"].dataType.simpleString() == kind
        assert str(found.row) == rows[0][2][: len(str(found.row))]


def test_a_folder_of_a_protocol_need_not_be_on_the_workers(spark, tmp_path, unfinished):
    folder = tmp_path / "protocol"
    folder.mkdir()
    for file in (ROOT / "schemas" / "session-events").iterdir():
        (folder / file.name).write_text(file.read_text().replace("turn-unfinished", "run-unfinished"))
    rows = spark.createDataFrame([("a", 1, json.dumps(unfinished[0]))], "id string, seq long, event string")
    result = check_table(rows, stream="id", order="seq", json="event", protocol=folder)
    shutil.rmtree(folder)
    assert by_rule(result.findings) == {"run-unfinished": 1}


def test_wrong_options_are_refused_before_anything_runs(spark):
    rows = spark.createDataFrame([], "id string, seq long, event string")
    with pytest.raises(ValueError, match="no-such-rule"):
        check_table(rows, stream="id", order="seq", json="event", rules={"no-such-rule": "off"})
    of_words = rows.selectExpr("id", "cast(seq as string) seq", "event")
    for check in (check_table, check_stream):
        with pytest.raises(TypeError, match="column 'seq' must be of the type Integral"):
            check(of_words, stream="id", order="seq", json="event")
    with pytest.raises(KeyError, match="not one of the name 'session'"):
        check_table(rows, stream="session", order="seq", json="event")
    with pytest.raises(ValueError, match="above 0"):
        check_stream(rows, stream="id", order="seq", json="event", end_after=0)
    with pytest.raises(ValueError, match="there are no paths"):
        check_files([])
    with pytest.raises(TypeError, match="must be a list"):
        check_files("session.ndjson")


def write_batches(folder, batches, first=0):
    """Write input of a stream that comes in micro-batches: one file for each, with numbers from `first`."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(batches, first):
        path = folder / "in" / f"{number}.json"
        path.write_text("".join(json.dumps(dict(zip(("id", "seq", "event"), row))) + "\n" for row in rows))
        # The source takes the oldest file first.
        os.utime(path, (10**9 + number, 10**9 + number))


def query(spark, folder, **options):
    """Return the stream of the findings of a folder's micro-batches, which are kept there."""
    reader = spark.readStream.schema("id string, seq long, event string").option("maxFilesPerTrigger", 1)
    findings = check_stream(reader.json(str(folder / "in")), stream="id", order="seq", json="event", **options)
    writer = findings.writeStream.format("parquet").option("path", str(folder / "out"))
    return writer.option("checkpointLocation", str(folder / "checkpoint"))


def wait_for(folder, batches, is_alive):
    """Wait until this number of micro-batches is judged."""
    while len(list(folder.glob("checkpoint/commits/[0-9]*"))) < batches:
        assert is_alive()
        time.sleep(0.05)


def kept_findings(spark, folder):
    """Return the findings that a stream has kept."""
    rows = spark.read.parquet(str(folder / "out")).orderBy("source", "row", "rule").collect()
    return [(row.source, row.row, row.rule, row.message, [place.row for place in row.related]) for row in rows]


@pytest.mark.parametrize("spark", ["local[2]"], indirect=True)
def test_a_stream_that_is_killed_has_the_findings_of_one_that_is_not(spark, tmp_path, turn):
    turn[3]["payload"]["final_message"] = "Goodbye"
    rows = [[(name, number, json.dumps(turn[min(number, last)])) for name, last in (("a", 4), ("b", 1))] for number in range(5)]
    batches = [rows[0], rows[1] + rows[2], rows[4] + rows[3]]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write_batches(whole, batches)
    query(spark, whole).trigger(availableNow=True).start().awaitTermination()
    # The other one's process is killed after one batch, at whatever it does with the second.
    write_batches(cut, batches[:2])
    command = [sys.executable, __file__, str(cut)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        wait_for(cut, 1, is_alive=lambda: process.poll() is None)
        os.killpg(process.pid, signal.SIGKILL)
    write_batches(cut, batches[2:], first=2)
    query(spark, cut).trigger(availableNow=True).start().awaitTermination()
    found = [finding[:3] for finding in kept_findings(spark, whole)]
    assert ("a", 3, "final-message-mismatch") in found
    # No turn is told to be without a beginning only because it began in an earlier batch.
    assert "turn-not-started" not in {rule for _, _, rule in found}
    assert kept_findings(spark, cut) == kept_findings(spark, whole)
    mismatch = next(finding for finding in kept_findings(spark, whole) if finding[2] == "final-message-mismatch")
    assert mismatch[4] != [], "its related places have the rows of earlier batches"


@pytest.mark.parametrize("spark", ["local[2]"], indirect=True)
def test_a_group_of_a_stream_ends_when_nothing_comes(spark, tmp_path, unfinished):
    write_batches(tmp_path, [[("a", 1, json.dumps(unfinished[0]))]])
    running = query(spark, tmp_path, end_after=0.5).start()
    wait_for(tmp_path, 2, is_alive=lambda: running.exception() is None)
    running.stop()
    assert [finding[:3] for finding in kept_findings(spark, tmp_path)] == [("a", 1, "turn-unfinished")]


if __name__ == "__main__":
    query(start("local[2]"), Path(sys.argv[1])).start().awaitTermination()
