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
- `count` (int64): the number of findings for which this one stands. It is 1, but for rules of which only the first finding
  of a kind is listed (`Rule.first_only`), such as that of a field that the protocol does not have: it counts the others;
- `related` (list of struct): the earlier places that explain the finding, each with a `message` and the columns `row`,
  `event`, `line`, `column`, `start` and `end`.

Summaries have the columns `source`, `events`, `records`, `streams`, `skipped`, `errors`, `warnings` and `notes`, as those
of `sessionlint.Report`.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from glob import glob, has_magic
from itertools import chain
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

    Every library that reads Arrow streams takes it, such as `polars.DataFrame(findings)` or
    `duckdb.from_arrow(findings.reader())`. Nothing is checked before it is read, and it can be read once: ValueError is
    raised for a second time.
    """

    schema: pa.Schema
    """The columns of the findings."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch], summaries: list[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = batches
        self._summaries = summaries
        self._is_taken = False
        self._is_complete = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if self._is_taken:
            raise ValueError("the findings have been read already; check the input again")
        self._is_taken = True
        return self._read()

    def _read(self) -> Iterator[pa.RecordBatch]:
        yield from self._batches
        self._is_complete = True

    @property
    def summaries(self) -> pa.Table:
        """The counts of the groups or files, also of those without findings.

        Raises ValueError until the findings have been read to their end.
        """
        if not self._is_complete:
            raise ValueError("the findings have not been read to their end: until then, not everything is checked")
        return pa.Table.from_batches(self._summaries, summaries_schema())

    def reader(self) -> pa.RecordBatchReader:
        """Return the batches as pyarrow's reader."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))

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

    Sort the rows by `stream` and `order` first; rows of equal order may be in any. A table without rows is reported as an
    empty input. The `options` `protocol`, `wire`, `fragment` and `rules` are those of `sessionlint.check`.

    KeyError is raised for a column that there is not, or more than once, TypeError for one of another type, and, while the
    findings are read, ValueError if the rows are not sorted or `order` is null.
    """
    refuse_unknown(options, "check_events")
    return events(batches, {"json": json, "order": order, "stream": stream}, options)


def events(batches: Any, columns: "dict[str, str | None]", options: Options, is_part: bool = False) -> Findings:
    """Return the findings of `check_events`. `is_part`: the rows are a part of a table, which may be without rows."""
    json, order, stream = columns["json"] or "", columns["order"], columns["stream"]
    schema, chunks = _record_batches(batches)
    row_type = None
    for name in filter(None, columns.values()):
        if schema is not None and schema.names.count(name) != 1:
            has = "has several columns" if name in schema.names else f"has the columns {schema.names}, and none"
            raise KeyError(f"the table {has} of the name {name!r}")
    if schema is not None and order is not None:
        row_type = schema.field(order).type
    table = _native.TableChecker(json=json, order=order, stream=stream, row_type=row_type, **options)
    summaries: list[pa.RecordBatch] = []

    def findings() -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            found = table.feed(chunk)
            summaries.append(table.take_summaries())
            yield found
        found = table.finish()
        summaries.append(table.take_summaries())
        yield found
        if not is_part and not any(batch.num_rows for batch in summaries):
            # No group means that nothing was checked.
            empty = _native.TableChecker(json=json, row_type=row_type, **options)
            found = empty.finish()
            summaries.append(empty.take_summaries())
            yield found

    return Findings(findings_schema(row_type), _with_rows(findings()), summaries)


def check_paths(
    paths: Iterable[str | os.PathLike[str]],
    *,
    storage_options: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> Findings:
    """Check files, each as an input of its own, and return the findings.

    A path is that of a local file, a pattern such as "runs/**/*.ndjson", or the URL of one or more objects, such as
    "s3://bucket/runs/*.ndjson.gz", which fsspec opens with `storage_options`. Compressed files are recognized by their
    content. The `options` `protocol`, `wire`, `fragment` and `rules` are those of `sessionlint.check`.

    ValueError is raised if there are no paths, and, while the findings are read, OSError for a file that cannot be opened
    or read, and for a pattern that nothing matches.
    """
    refuse_unknown(options, "check_paths")
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError("paths must be a list, such as [path]")
    paths = list(paths)
    if not paths:
        raise ValueError("there are no paths: nothing would be checked")
    return files(paths, storage_options or {}, options)


def files(paths: Iterable[str | os.PathLike[str]], storage_options: dict[str, Any], options: Options) -> Findings:
    """Return the findings of `check_paths`, for paths of which there may be none."""
    options["protocol"] = loaded(options.get("protocol"))
    table = _native.ReportTable(protocol=options["protocol"])
    summaries: list[pa.RecordBatch] = []

    def findings() -> Iterator[pa.RecordBatch]:
        for name, file in _opened(paths, storage_options):
            with file as source:
                report = _native.check(source, file=name, excerpts=False, **options)
            found = table.add(name, report)
            summaries.append(table.take_summaries())
            if found >= _BATCH:
                yield table.take()
        yield table.take()

    return Findings(findings_schema(), _with_rows(findings()), summaries)


def refuse_unknown(options: Options, function: str) -> None:
    """Raise for a keyword that the function does not have."""
    for name in options.keys() - Options.__annotations__.keys():
        raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def loaded(protocol: "Protocol | _Path | None") -> Protocol:
    """Return the protocol that an argument means."""
    if protocol is None:
        return Protocol.builtin()
    if isinstance(protocol, Protocol):
        return protocol
    name = os.fspath(protocol)
    is_folder = not isinstance(protocol, str) or "/" in name or os.sep in name
    return Protocol.load(name) if is_folder else Protocol.builtin(name)


def _record_batches(tables: Any) -> "tuple[pa.Schema | None, Iterator[pa.RecordBatch]]":
    """Return the schema and the record batches of a table, or of each of several; no schema if there is no table."""
    if hasattr(tables, "__arrow_c_array__"):
        batch = pa.record_batch(tables)
        return batch.schema, iter([batch])
    if hasattr(tables, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(tables)
        return reader.schema, iter(reader)
    if isinstance(tables, Iterable) and not isinstance(tables, (str, bytes, dict)):
        rest = iter(tables)
        for table in rest:
            schema, batches = _record_batches(table)
            return schema, chain(batches, chain.from_iterable(_record_batches(table)[1] for table in rest))
        return None, iter([])
    raise TypeError(f"expected Arrow tables or record batches, not {type(tables).__name__}")


def _with_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (batch for batch in batches if batch.num_rows)


def _opened(paths: Iterable[str | os.PathLike[str]], storage_options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the name and the context of each file."""
    for path in paths:
        name = os.fspath(path)
        if "://" not in name:
            is_pattern = isinstance(path, str) and has_magic(name) and not os.path.exists(name)
            names = sorted(glob(name, recursive=True)) if is_pattern else [name]
            if not names:
                raise FileNotFoundError(f"no file matches {name!r}")
            yield from ((name, nullcontext(Path(name))) for name in names)
            continue
        import fsspec  # type: ignore[import-untyped]

        files = fsspec.open_files(name, mode="rb", **storage_options)
        if not files:
            raise FileNotFoundError(f"no object matches {name!r}")
        for file in files:
            yield file.full_name, file
