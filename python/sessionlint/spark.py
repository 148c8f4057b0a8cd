"""Checks Spark's data frames. Needs PySpark 4.1 or later, and sessionlint on every worker.

    >>> from sessionlint.spark import check_table
    >>> result = check_table(df, stream="session_id", order="seq", json="event")   # doctest: +SKIP
    >>> result.findings.groupBy("rule").count().show()                              # doctest: +SKIP

The columns of findings and of summaries are those of `sessionlint.arrow`.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Unpack

import pyarrow as pa  # type: ignore[import-untyped]
from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type
from pyspark.sql.streaming import StatefulProcessor, StatefulProcessorHandle
from pyspark.sql.types import (
    BinaryType,
    DataType,
    DateType,
    IntegralType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from . import arrow
from ._native import Checker, Finding, Protocol, Related
from .arrow import Options

__all__ = ["Result", "check_files", "check_stream", "check_table"]


class Result:
    """The findings of a check and its summaries, as data frames.

    Both come from one pass over the input, whose result is kept in memory, or on disk if there is not enough. It is
    computed when one of them is first used, and `unpersist` forgets it.
    """

    findings: DataFrame
    """One row for each finding."""

    summaries: DataFrame
    """One row for each group or file, also for those without findings."""

    def __init__(self, checked: DataFrame, findings: Callable[[DataFrame], DataFrame]) -> None:
        self._checked = checked.persist(StorageLevel.MEMORY_AND_DISK)
        self.findings = findings(checked.where("finding is not null").select("finding.*"))
        self.summaries = checked.where("summary is not null").select("summary.*")

    def unpersist(self) -> None:
        """Forget the result. The data frames compute it again if they are used after that."""
        self._checked.unpersist()


def check_table(df: DataFrame, *, json: str, order: str, stream: str, **options: Unpack[Options]) -> Result:
    """Check the rows of a data frame, each of which has one event.

    `json` names the column with the JSON of the events (string or binary), `stream` that of the groups, each of which is
    judged as an input of its own, and `order` the column (integers, dates or timestamps) that sorts the rows of a group.
    The rows are repartitioned and sorted by these. `options`: those of `sessionlint.arrow.check_events`.

    An event type or a field that the protocol does not have is listed once for the whole table, where it is least by
    group and row, and `count` says how often it occurred.
    """
    protocol = _load(options, "check_table")
    _column_of(df, stream, "stream")
    kind = _column_of(df, order, "order", (IntegralType, DateType, TimestampType, TimestampNTZType))
    _column_of(df, json, "json", (StringType, BinaryType))
    rows = df.select(*(_column(name) for name in dict.fromkeys((stream, order, json))))
    rows = rows.repartition(_column(stream)).sortWithinPartitions(_column(stream), _column(order))

    columns: dict[str, str | None] = {"json": json, "order": order, "stream": stream}

    def check(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _checked(arrow.events(batches, columns, options, is_part=True))

    timezone = df.sparkSession.conf.get("spark.sql.session.timeZone")
    schemas = arrow.findings_schema(to_arrow_type(kind, timezone=timezone)), arrow.summaries_schema()
    checked = rows.mapInArrow(check, _result_type(*schemas))
    first_only = [rule.name for rule in protocol.rules if rule.first_only]
    return Result(checked, lambda findings: _first_of_each_kind(findings, first_only))


def check_files(
    paths: DataFrame | Iterable[str | os.PathLike[str]],
    *,
    column: str = "path",
    storage_options: dict[str, Any] | None = None,
    partitions: int | None = None,
    **options: Unpack[Options],
) -> Result:
    """Check files, each as an input of its own. The workers open them, and read them in pieces.

    `paths` has local paths that every worker can open, or URLs of objects, as `sessionlint.arrow.check_paths` takes them;
    in a data frame, they are the values of `column`. `partitions` is the number of tasks, by default one for each file,
    and at most four for each core. `storage_options` and `options`: those of `sessionlint.arrow.check_paths`.
    """
    _load(options, "check_files")
    if isinstance(paths, DataFrame):
        listed = paths.select(_column(column).alias("path"))
        listed = listed.repartition(partitions) if partitions else listed
    else:
        if isinstance(paths, (str, os.PathLike)):
            raise TypeError("paths must be a list, such as [path], or a data frame")
        names = [os.fspath(path) for path in paths]
        if not names:
            raise ValueError("there are no paths: nothing would be checked")
        spark = SparkSession.active()
        tasks = partitions or max(1, min(len(names), 4 * _cores(spark)))
        listed = spark.createDataFrame([(name,) for name in names], "path string").repartition(tasks)

    def check(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        names = (name for batch in batches for name in batch.column("path").to_pylist())
        return _checked(arrow.files(names, storage_options or {}, options))

    schemas = arrow.findings_schema(), arrow.summaries_schema()
    return Result(listed.mapInArrow(check, _result_type(*schemas)), lambda findings: findings)


def check_stream(
    df: DataFrame,
    *,
    json: str,
    order: str,
    stream: str,
    end_after: float | None = None,
    **options: Unpack[Options],
) -> DataFrame:
    """Check a streaming data frame, and return the findings as one. A turn may span micro-batches.

    The columns are those of `check_table`, but `order` has integers from 0, such as the offsets of a log. In each
    micro-batch, the rows of a group are sorted by it; ValueError is raised for a row that comes after a later one of an
    earlier micro-batch. What the checker knows of a group is kept as Spark's state, which needs the RocksDB state store
    (`spark.sql.streaming.stateStore.providerClass`).

    A group ends when nothing has come for `end_after` seconds, and only then it is known what it lacks. Rows that come
    later begin a new input. Without `end_after`, groups never end. With it, a query with the trigger `availableNow` does
    not stop, because Spark waits for the timers of the groups.

    An event type or a field that the protocol does not have is listed once in each group, and its repeats are not
    counted. `options`: those of `sessionlint.arrow.check_events`.
    """
    _load(options, "check_stream")
    _column_of(df, stream, "stream")
    _column_of(df, order, "order", (IntegralType,))
    _column_of(df, json, "json", (StringType, BinaryType))
    if end_after is not None and not (isinstance(end_after, (int, float)) and end_after > 0):
        raise ValueError(f"end_after must be a number of seconds above 0, not {end_after!r}")
    try:
        import google.protobuf  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise ImportError("check_stream needs protobuf, as Spark's transformWithState does: pip install protobuf") from None
    rows = df.select(
        _column(stream).cast("string").alias("source"), _column(order).cast("long").alias("row"), _column(json).alias("json")
    )
    processor = _StreamProcessor(order, end_after, options)
    schema = from_arrow_schema(arrow.findings_schema())
    mode = "none" if end_after is None else "processingTime"
    return rows.groupBy("source").transformWithState(processor, schema, "append", mode)


class _StreamProcessor(StatefulProcessor):
    """Checks each group with a checker whose snapshot is kept between micro-batches."""

    _STATE = StructType([StructField("snapshot", BinaryType()), StructField("row", LongType())])

    def __init__(self, order: str, end_after: float | None, options: Options) -> None:
        self._order = order
        self._end_after = end_after
        self._options = options

    def init(self, handle: StatefulProcessorHandle) -> None:
        self._handle = handle
        self._state = handle.getValueState("checker", self._STATE)

    def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Iterator[Row]:
        checker, last = self._checker()
        for row in sorted(rows, key=lambda row: -1 if row.row is None else row.row):
            if row.row is None or row.row < 0:
                raise ValueError(f"a row of {key[0]!r} has {row.row} in the column {self._order!r}: it must be 0 or more")
            if row.row < last:
                raise ValueError(f"row {row.row} of {key[0]!r} comes after row {last} by the column {self._order!r}")
            last = row.row
            checker.event("null" if row.json is None else row.json, last)
        findings = checker.take_findings()
        self._state.update((checker.snapshot(), last))
        if self._end_after is not None:
            for timer in list(self._handle.listTimers()):
                self._handle.deleteTimer(timer)
            now = timerValues.getCurrentProcessingTimeInMs()
            self._handle.registerTimer(now + int(self._end_after * 1000))
        yield from (_finding_row(key[0], finding) for finding in findings)

    def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Iterator[Row]:
        checker, _ = self._checker()
        self._state.clear()
        yield from (_finding_row(key[0], finding) for finding in checker.finish().findings)

    def _checker(self) -> tuple[Checker, int]:
        """Return the checker of the group, and the order of its last row."""
        state = self._state.get() if self._state.exists() else None
        if state is None:
            return Checker(excerpts=False, **self._options), 0
        snapshot, last = state
        return Checker.restore(bytes(snapshot), excerpts=False, **self._options), last


def _finding_row(source: str | None, finding: Finding) -> Row:
    related = [Row(message=place.message, **_place(place)) for place in finding.related]
    texts = ("rule", "severity", "message", "help", "type", "stream", "pointer")
    words = {name: getattr(finding, name) for name in texts}
    return Row(source=source, **_place(finding), **words, count=1, related=related)


def _place(place: Finding | Related) -> dict[str, int | None]:
    return {name: getattr(place, name) for name in ("row", "event", "line", "column", "start", "end")}


def _checked(found: arrow.Findings) -> Iterator[pa.RecordBatch]:
    """Return findings and then summaries as batches of the same columns."""
    types = pa.struct(list(found.schema)), pa.struct(list(arrow.summaries_schema()))

    def batch(rows: pa.RecordBatch, kind: int) -> pa.RecordBatch:
        columns: list[Any] = [pa.nulls(rows.num_rows, other) for other in types]
        columns[kind] = pa.StructArray.from_arrays(rows.columns, fields=list(types[kind]))
        return pa.record_batch(columns, names=["finding", "summary"])

    yield from (batch(rows, 0) for rows in found)
    yield from (batch(rows, 1) for rows in found.summaries.to_batches())


def _result_type(findings: pa.Schema, summaries: pa.Schema) -> StructType:
    rows = pa.schema([("finding", pa.struct(list(findings))), ("summary", pa.struct(list(summaries)))])
    return from_arrow_schema(rows)


def _first_of_each_kind(findings: DataFrame, rules: list[str]) -> DataFrame:
    """Return the findings with only the first of each kind for these rules, which counts the others."""
    is_first_only = F.col("rule").isin(rules)
    pointer = F.regexp_replace("pointer", r"/\d+(?=/|$)", "/*")
    least = F.min_by(F.struct(*findings.columns), F.struct("source", "row", "event", "start"))
    kinds = findings.where(is_first_only).groupBy("rule", "type", pointer.alias("kind"))
    first = kinds.agg(least.alias("first"), F.sum("count").alias("total")).select("first.*", "total")
    first = first.withColumn("count", F.col("total")).select(*findings.columns)
    return findings.where(~is_first_only).unionByName(first)


def _load(options: Options, function: str) -> Protocol:
    """Load the protocol of options, so that the workers need no folder, and return it. Refuses wrong options."""
    arrow.refuse_unknown(options, function)
    options["protocol"] = protocol = arrow.loaded(options.get("protocol"))
    Checker(**options)
    return protocol


def _cores(spark: SparkSession) -> int:
    return int(spark.conf.get("spark.default.parallelism", None) or os.cpu_count() or 1)


def _column_of(df: DataFrame, name: str, argument: str, kinds: "tuple[type[DataType], ...]" = (DataType,)) -> DataType:
    """Return the type of a column, which must be one of these."""
    if not isinstance(df, DataFrame) or not isinstance(name, str):
        raise TypeError(f"expected a data frame and the name of its column for {argument}, not {df!r} and {name!r}")
    if df.columns.count(name) != 1:
        raise KeyError(f"the data frame has the columns {df.columns}, and not one of the name {name!r}")
    kind = df.schema[name].dataType
    if not isinstance(kind, kinds):
        known = " or ".join(kind.__name__.removesuffix("Type") for kind in kinds)
        raise TypeError(f"the column {name!r} must be of the type {known}, not {kind.simpleString()}")
    return kind


def _column(name: str) -> Any:
    return F.col("`" + name.replace("`", "``") + "`")
