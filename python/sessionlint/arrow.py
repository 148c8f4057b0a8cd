"""Checks tables and files, from Arrow to Arrow, for data frames and query engines. Needs pyarrow.

    >>> import pyarrow as pa
    >>> from sessionlint.arrow import check_events
    >>> rows = pa.table({"json": ['{"type":"session.status"}']})
    >>> check_events(rows, json="json").read_all().column("rule").to_pylist()
    ['missing-field', 'missing-field']

Findings have these columns, none of which is null unless it says so:

- `source` (string): the row's value in the column `stream`, or the path of the file; null if there is neither;
- `row` (the type of the column `order`): the row's value there, or without `order` its number, from 0; null in files;
- `event`, `line`, `column`, `start`, `end` (int64): as those of `sessionlint.Finding`. In a table, `event` counts the
  events of the row's group, and the others are those of the row's own text; `event` may be null;
- `rule`, `severity`, `message`, `help` (string);
- `type`, `stream`, `pointer` (string): as those of `sessionlint.Finding`, each perhaps null. `stream` is the id that the
  event itself has;
- `count` (int64): the number of findings for which this one stands. It is 1, but for an event type or a field that the
  protocol does not have: only the first of a kind is listed, and counts the others;
- `related` (list of struct): the earlier places that explain the finding, each with a `message` and the columns `row`,
  `event`, `line`, `column`, `start` and `end`.

Summaries have the columns `source`, `events`, `records`, `streams`, `skipped`, `errors`, `warnings` and `notes`, as those
of `sessionlint.Report`.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pyarrow as pa  # type: ignore[import-untyped]

from . import _native
from ._native import Protocol

if TYPE_CHECKING:
    from ._native import _Path, _Setting, _Wire

__all__ = ["Findings", "Options", "check_events", "check_paths", "findings_schema", "summaries_schema"]

# The findings of files that become one record batch.
_BATCH = 10_000


class Options(TypedDict, total=False):
    """The keyword arguments of `sessionlint.check` that tables and files have too."""

    protocol: "Protocol | _Path | None"
    wire: "_Wire | None"
    fragment: bool
    rules: "dict[str, _Setting] | None"


class Findings:
    """Record batches of findings, made as they are asked for, so that memory does not grow with the input.

    Every library that reads Arrow streams takes it, such as `polars.from_arrow(findings)` or
    `duckdb.from_arrow(findings.reader())`. It can be read once.
    """

    schema: pa.Schema
    """The columns of the findings."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch], summaries: list[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = batches
        self._summaries = summaries

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    @property
    def summaries(self) -> pa.Table:
        """The counts of the groups or files that were judged to their end so far, also of those without findings."""
        return pa.Table.from_batches(self._summaries, summaries_schema())

    def reader(self) -> pa.RecordBatchReader:
        """Return the batches as pyarrow's reader."""
        return pa.RecordBatchReader.from_batches(self.schema, self)

    def read_all(self) -> pa.Table:
        """Return all findings as one table."""
        return self.reader().read_all()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.reader().__arrow_c_stream__(requested_schema)


def findings_schema(row_type: pa.DataType | None = None) -> pa.Schema:
    """Return the schema of findings. `row_type` is the type of the column `order`, int64 if there is none."""
    return _native.table_schemas(row_type)[0]


def summaries_schema() -> pa.Schema:
    """Return the schema of summaries."""
    return _native.table_schemas()[1]


def check_events(
    batches: Any,
    *,
    json: str,
    order: str | None = None,
    stream: str | None = None,
    **options: Unpack[Options],
) -> Findings:
    """Check the rows of a table, each of which has one event, and return the findings.

    `batches` is a table, a record batch or a reader of any library with Arrow's PyCapsule interface (pyarrow, Polars,
    DuckDB's `relation.arrow()`), or an iterable of these, which have the same columns.

    - `json` names the column with the JSON of the events, as strings or bytes. A null is not an event.
    - `order` names a column of integers, dates or timestamps by which the rows of a group are sorted. Findings have the
      row's value there in `row`.
    - `stream` names the column of the groups, of any type that has text. Each group is judged as an input of its own:
      nothing is carried over to the next one, but an unknown field is listed once for all. The rows of a group must
      follow one another. Without it, all rows are one input, and the streams are those that the events themselves name.

    Sort the rows by `stream` and `order` first. The `options` `protocol`, `wire`, `fragment` and `rules` are those of
    `sessionlint.check`.

    While the findings are read, KeyError is raised for a column that there is not, TypeError for one of another type,
    and ValueError if the rows are not sorted or `order` is null.
    """
    chunks = _record_batches(batches)
    first = next(chunks, None)
    row_type = None
    if first is not None and order is not None and order in first.schema.names:
        row_type = first.schema.field(order).type
    table = _native.TableChecker(json=json, order=order, stream=stream, row_type=row_type, **options)
    summaries: list[pa.RecordBatch] = []

    def findings() -> Iterator[pa.RecordBatch]:
        rest = [] if first is None else [first]
        for chunk in (chunk for part in (rest, chunks) for chunk in part):
            found = table.feed(chunk)
            summaries.append(table.take_summaries())
            yield found
        found = table.finish()
        summaries.append(table.take_summaries())
        yield found

    return Findings(findings_schema(row_type), _with_rows(findings()), summaries)


def check_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    storage_options: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> Findings:
    """Check files, each as an input of its own, and return the findings.

    A path is that of a local file, or the URL of one or more objects, such as "s3://bucket/runs/*.ndjson.gz", which
    fsspec opens with `storage_options`. Compressed files are recognized by their content. The `options` `protocol`,
    `wire`, `fragment` and `rules` are those of `sessionlint.check`.

    While the findings are read, OSError is raised for a file that cannot be opened or read.
    """
    options["protocol"] = loaded(options.get("protocol"))
    table = _native.ReportTable(protocol=options["protocol"])
    summaries: list[pa.RecordBatch] = []

    def findings() -> Iterator[pa.RecordBatch]:
        for name, file in _opened(paths, storage_options or {}):
            with file as source:
                report = _native.check(source, file=name, excerpts=False, **options)
            found = table.add(name, report)
            summaries.append(table.take_summaries())
            if found >= _BATCH:
                yield table.take()
        yield table.take()

    return Findings(findings_schema(), _with_rows(findings()), summaries)


def loaded(protocol: "Protocol | _Path | None") -> Protocol:
    """Return the protocol that an argument means."""
    if protocol is None:
        return Protocol.builtin()
    if isinstance(protocol, Protocol):
        return protocol
    name = os.fspath(protocol)
    is_folder = not isinstance(protocol, str) or "/" in name or os.sep in name
    return Protocol.load(name) if is_folder else Protocol.builtin(name)


def _record_batches(tables: Any) -> Iterator[Any]:
    """Return the record batches of a table, or of each of several."""
    if hasattr(tables, "__arrow_c_stream__"):
        yield from pa.RecordBatchReader.from_stream(tables)
    elif hasattr(tables, "__arrow_c_array__"):
        yield pa.record_batch(tables)
    elif isinstance(tables, Iterable) and not isinstance(tables, (str, bytes, dict)):
        for table in tables:
            yield from _record_batches(table)
    else:
        raise TypeError(f"expected Arrow tables or record batches, not {type(tables).__name__}")


def _with_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (batch for batch in batches if batch.num_rows)


def _opened(paths: Iterable[str | os.PathLike[str]], storage_options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the name and the context of each file."""
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError("paths must be a list, such as [path]")
    for path in paths:
        name = os.fspath(path)
        if "://" not in name:
            yield name, nullcontext(Path(name))
            continue
        import fsspec  # type: ignore[import-untyped]

        files = fsspec.open_files(name, mode="rb", **storage_options)
        if not files:
            raise FileNotFoundError(f"no object matches {name!r}")
        for file in files:
            yield file.full_name, file
