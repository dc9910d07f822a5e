"""Rows, and what comes of them, as batches between Spark and Python."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import pyarrow as pa

from service_quality.events.interaction_event import InteractionEvent
from spark_jobs.lake.tables import EVENTS_IN_MILLIS
from spark_jobs.sources.exports import FileRow, key_of, version_of
from spark_jobs.sources.mapping import Resource
from spark_jobs.sources.row_events import RowReader

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

BATCH_ROWS = 2_000
#: In place of a resource: the row that holds a file's digest.
DIGEST = "#digest"

ROWS = pa.schema(
    [
        ("resource", pa.string()), ("file", pa.string()), ("line", pa.int64()), ("raw", pa.string()),
        ("reason", pa.string()), ("cells", pa.list_(pa.string())), ("key", pa.string()), ("version", pa.int64()),
        ("encoding", pa.string()),
    ]
)  # fmt: skip
ROWS_DDL = (
    "resource string, file string, line bigint, raw string, reason string, cells array<string>, key string, "
    "version bigint, encoding string"
)
JOINED_DDL = f"{ROWS_DDL}, joined array<array<string>>, join_key string"
JOINED = pa.schema([*ROWS, ("joined", pa.list_(pa.list_(pa.string()))), ("join_key", pa.string())])
OUTCOMES = pa.schema(
    [
        *((one.name, pa.int64() if one.dataType.typeName() == "long" else pa.string()) for one in EVENTS_IN_MILLIS),
        ("from_file", pa.string()), ("from_line", pa.int64()), ("raw", pa.string()), ("reason", pa.string()),
        ("field", pa.string()), ("met", pa.string()),
    ]
)  # fmt: skip
OUTCOMES_DDL = ", ".join(f"{one.name} {'bigint' if one.type == pa.int64() else 'string'}" for one in OUTCOMES)
_EVENT_FIELDS = [one.name for one in EVENTS_IN_MILLIS if one.name != "source"]


def event_values(event: InteractionEvent) -> tuple[object, ...]:
    """The values of an event in the order of OUTCOMES."""
    return tuple(getattr(event, name) for name in _EVENT_FIELDS)


def file_row(found: Mapping[str, object]) -> FileRow:
    """A row of ROWS."""
    cells = found["cells"]
    return FileRow(found["file"], found["line"], found["raw"], tuple(cells or ()), found["reason"])  # type: ignore[arg-type]  # by ROWS


def values_of(row: FileRow, resource: Resource, reader: RowReader) -> tuple[object, ...]:
    """A row in the order of ROWS, with the key and the version of it."""
    key, version = key_of(row, resource, reader), version_of(row, resource, reader)
    return resource.name, row.file, row.line, row.raw, row.reason, list(row.cells), key, version, row.encoding


def digest_row(file: str, digest: str) -> tuple[object, ...]:
    """The row in the order of ROWS that holds a file's digest."""
    return DIGEST, file, 0, digest, None, None, None, None, None


def with_join_key(batch: pa.RecordBatch, values: pa.Array) -> pa.RecordBatch:
    """Rows with other values of their join key."""
    place = batch.schema.get_field_index("join_key")
    return pa.RecordBatch.from_arrays([*batch.columns[:place], values, *batch.columns[place + 1 :]], schema=JOINED)


def lines_by_file(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The lines of each file, as batches of file and line bring them in order."""
    rows = (
        pair for batch in batches for pair in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
    )
    for file, lines in groupby(rows, key=itemgetter(0)):
        yield file, (line for _, line in lines)


def hashing(lines: Iterable[bytes], hashed: "Hash") -> Iterator[bytes]:
    """The lines, each entered into a digest as it passes."""
    for line in lines:
        hashed.update(line + b"\n")
        yield line


def to_batches(rows: Iterable[Sequence[object]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Rows in batches of a schema."""
    block: list[Sequence[object]] = []
    for row in rows:
        block.append(row)
        if len(block) == BATCH_ROWS:
            yield _batch(block, schema)
            block = []
    if block:
        yield _batch(block, schema)


def _batch(block: Sequence[Sequence[object]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*block, strict=True)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
