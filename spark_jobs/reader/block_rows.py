"""Blocks as rows of Spark: arrays of some entities of a shop, in one piece of its log, packed into one value.

Spark moves blocks, not rows: a row of ten numbers costs it more than they cost numpy.
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spark_jobs.reader.window_sums import Floats, Integers

#: What belongs to one part and one piece; `content` is what `Block.packed` gives.
BLOCK_DDL = "shop_id string, part int, piece bigint, content binary"
BLOCK_SCHEMA = pa.schema(
    [("shop_id", pa.string()), ("part", pa.int32()), ("piece", pa.int64()), ("content", pa.binary())]
)
_BYTES_A_BATCH = 1 << 24

FACTS, READ_POINTS, EVENTS, VALUES = "facts", "read points", "events", "values"

Batches = Iterable[pa.RecordBatch]

#: Numbers as blocks hold them.
Narrowed = NDArray[np.int32] | Integers | Floats


class EntityRows(NamedTuple):
    """Rows of entities, those of each together: `keys`, each with its number of rows, and the columns of all rows."""

    keys: list[str]
    counts: NDArray[np.int32]
    columns: Mapping[str, Narrowed]


class Block(NamedTuple):
    """What belongs to one part and one piece of a shop, of one kind: FACTS, READ_POINTS, EVENTS or VALUES."""

    part: int
    piece: int
    kind: str
    content: Any

    def packed(self) -> bytes:
        """Its kind and content as one value. Only Spark moves it, between processes of one job."""
        return pickle.dumps((self.kind, self.content), protocol=pickle.HIGHEST_PROTOCOL)

    @property
    def rows(self) -> int:
        """The number of its facts or read points; 0 for the other kinds."""
        return len(self.content.columns["log_index"]) if isinstance(self.content, EntityRows) else 0

    def table(self) -> pa.Table:
        """The events of a block of EVENTS."""
        return pa.ipc.open_stream(self.content).read_all()


def _unpack(part: int, piece: int, packed: bytes | pa.Buffer) -> Block:
    """The block that was packed."""
    return Block(part, piece, *pickle.loads(packed))


#: Blocks, each with its shop.
Blocks = Iterator[tuple[str, Block]]


def blocks_in(batches: Batches) -> Blocks:
    """The blocks in rows of BLOCK_SCHEMA."""
    for batch in batches:
        shops, parts, pieces = (batch.column(name).to_pylist() for name in ("shop_id", "part", "piece"))
        for shop_id, part, piece, content in zip(shops, parts, pieces, batch.column("content"), strict=True):
            yield shop_id, _unpack(part, piece, content.as_buffer())


def to_batches(blocks: Iterable[tuple[str, Block]]) -> Iterator[pa.RecordBatch]:
    """Rows of BLOCK_SCHEMA in batches of some megabytes."""
    rows: list[tuple[str, int, int, bytes]] = []
    size = 0
    for shop_id, block in blocks:
        rows.append((shop_id, block.part, block.piece, block.packed()))
        size += len(rows[-1][-1])
        if size >= _BYTES_A_BATCH:
            yield _to_batch(rows)
            rows, size = [], 0
    if rows:
        yield _to_batch(rows)


def gathered(batches: Batches, rows: int) -> Iterator[pa.Table]:
    """The batches as tables of at least so many rows, the last one of what is left."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= rows:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def by_shop(tables: Iterable[pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each shop of a table, which are together."""
    for table in (one for one in tables if one.num_rows):
        shops = np.asarray(table.column("shop_id").to_pylist())
        starts = np.flatnonzero(np.append(True, shops[1:] != shops[:-1]))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(shops)], strict=True):
            yield str(shops[start]), table.slice(start, end - start)


def narrow(column: Integers | Floats) -> Narrowed:
    """Integers in half of their bytes where they fit; other numbers unchanged."""
    limits = np.iinfo(np.int32)
    fits = not len(column) or (column.min() >= limits.min and column.max() <= limits.max)
    return column.astype(np.int32) if column.dtype == np.int64 and fits else column


def _to_batch(rows: list[tuple[str, int, int, bytes]]) -> pa.RecordBatch:
    columns = [
        pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), BLOCK_SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=BLOCK_SCHEMA)
