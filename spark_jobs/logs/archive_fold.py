"""New objects of the archive into the lake's log, each archive row once.

The log itself says which rows it holds: a row is known by the hash of its line, and rows are added on the condition
that nobody has added any since the log was read. The list of folded objects only spares a read: it is written after
the rows, so an object that it lacks is read again, and its rows are known.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.commit.shop_buckets import shop_bucket
from service_quality.instants import DAY, parse_instant
from spark_jobs.errors import InputError, JobError, OvertakenError
from spark_jobs.lake.snapshots import append_to, only_writer, snapshot_of
from spark_jobs.logs.archive import entries_of, read_row, to_batch
from spark_jobs.logs.log_table import FOLDED_OBJECTS, FOLDED_OBJECTS_DDL, LOG, LOG_ENTRY_DDL, LOG_ENTRY_SCHEMA, to_table

Row = dict[str, Any]

#: Packed bytes and objects that are folded by one commit.
_PIECE_BYTES, _PIECE_OBJECTS = 256 * 2**20, 5_000
_MOST_ATTEMPTS = 5
_OBJECT = r"date=(\d{4}-\d{2}-\d{2})/bucket=(\d{2})/[^/]+$"
_FOLLOWS = r'"follows":"([^"]*)"'
_HEAD = 10_000  # characters of a line that hold the position it follows


class ArchiveObject(NamedTuple):
    """An object of the archive: its name below the archive's root, its packed bytes."""

    name: str
    bytes: int


class _Head(NamedTuple):
    """A line of an object: its hash, and the position that its row follows."""

    object: str
    row_hash: str
    bucket: int
    follows: str


class Folded(NamedTuple):
    """The archive rows that were added to the log, and those that were second copies."""

    rows: int
    second_copies: int


def archived_objects(spark: SparkSession, archive: str) -> DataFrame:
    """The objects of an archive: path and bytes. Spark refuses a path at which nothing lies."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(archive)
    return files.select(F.col("_metadata.file_path").alias("path"), F.col("length").alias("bytes"))


def new_objects(spark: SparkSession, archived: DataFrame) -> list[ArchiveObject]:
    """The objects that are not noted as folded, by date and bucket.

    InputError for an object of another name than the archiver gives.
    """
    named = archived.select(_object_name(F.col("path")).alias("object"), "path", "bytes")
    new = named.join(spark.table(FOLDED_OBJECTS).select("object"), "object", "left_anti").collect()
    for row in new:
        if not row["object"]:
            raise InputError(f"found {row['path']}, expected objects date=YYYY-MM-DD/bucket=NN/NAME in the archive")
    return sorted(ArchiveObject(row["object"], row["bytes"]) for row in new)


def in_pieces(objects: Sequence[ArchiveObject]) -> Iterator[list[ArchiveObject]]:
    """Objects in pieces, each of which is folded by one commit; an interrupted job keeps those that were done.

    >>> [len(piece) for piece in in_pieces([ArchiveObject("a", 200 * 2**20), ArchiveObject("b", 100 * 2**20)])]
    [1, 1]
    """
    piece: list[ArchiveObject] = []
    size = 0
    for one in objects:
        if piece and (size + one.bytes > _PIECE_BYTES or len(piece) == _PIECE_OBJECTS):
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += one.bytes
    if piece:
        yield piece


def fold_objects(spark: SparkSession, archive: str, objects: Sequence[ArchiveObject]) -> Folded:
    """Add the rows of some objects that the log lacks, in one commit; begin again when another writer was quicker."""
    lines = _read_lines(spark, archive, objects)
    heads = {_Head(*row) for row in lines.select("object", "row_hash", "bucket", _follows()).collect()}
    for _ in range(_MOST_ATTEMPTS):
        base = snapshot_of(spark, LOG)
        copies = _second_copies(heads, _known_rows(spark, heads, base))
        try:
            if len(copies) < len(heads):
                append_to(to_table(_parse(lines, copies)), LOG, base)
            return Folded(len(heads) - len(copies), len(copies))
        except OvertakenError:
            spark.catalog.refreshTable(LOG)
    raise JobError(f"found other writers of {LOG} in each of {_MOST_ATTEMPTS} attempts, expected a pause")


def note_folded(spark: SparkSession, objects: Sequence[ArchiveObject]) -> None:
    """Note objects whose rows the log holds, so that no later run reads them."""
    noted = spark.createDataFrame(objects, FOLDED_OBJECTS_DDL)
    with only_writer(spark, FOLDED_OBJECTS):
        noted.writeTo(FOLDED_OBJECTS).append()


def _object_name(path: Column) -> Column:
    return F.regexp_extract(path, _OBJECT, 0)


def _read_lines(spark: SparkSession, archive: str, objects: Sequence[ArchiveObject]) -> DataFrame:
    """Each line of the objects (`value`) with its object, the object's bucket, and its hash."""
    paths = [f"{archive.rstrip('/')}/{one.name}" for one in objects]
    return (
        spark.read.text(paths)
        .select(_object_name(F.col("_metadata.file_path")).alias("object"), "value")
        .withColumn("bucket", F.regexp_extract("object", _OBJECT, 2).cast("int"))
        .withColumn("row_hash", F.md5("value"))
    )


def _follows() -> Column:
    return F.regexp_extract(F.substring("value", 1, _HEAD), _FOLLOWS, 1)


def _second_copies(heads: Set[_Head], known: Set[str]) -> set[tuple[str, str]]:
    """The object and hash of every line that the log holds, or that another object holds as well."""
    first: dict[str, str] = {}
    for head in sorted(heads):
        first.setdefault(head.row_hash, head.object)
    return {
        (head.object, head.row_hash) for head in heads if head.row_hash in known or head.object != first[head.row_hash]
    }


def _known_rows(spark: SparkSession, heads: Set[_Head], base: int | None) -> set[str]:
    """The hashes of those lines that the log holds at a snapshot (None: it is empty).

    The entries of a row lie behind the position that it follows, so files of earlier positions are not opened.
    """
    if base is None:
        return set()
    firsts: dict[int, str] = {}
    for head in heads:
        firsts[head.bucket] = min(head.follows, firsts.get(head.bucket, head.follows))
    near = ((F.col("shop_bucket") == bucket) & (F.col("position") > first) for bucket, first in firsts.items())
    hashes = spark.createDataFrame([(head.row_hash,) for head in heads], "row_hash string")
    log = spark.read.option("snapshot-id", base).table(LOG).where(reduce(or_, near)).select("row_hash")
    return {row["row_hash"] for row in log.join(F.broadcast(hashes), "row_hash", "left_semi").distinct().collect()}


def _parse(lines: DataFrame, copies: Set[tuple[str, str]]) -> DataFrame:
    """The entries of archive rows but those of second copies (LOG_ENTRY_DDL); each line once an object."""

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        done: set[tuple[str, str]] = set(copies)
        for batch in batches:
            lines = {(line["object"], line["row_hash"]): line for line in batch.to_pylist()}
            entries = [entry for key, line in lines.items() if key not in done for entry in _entries(line)]
            done |= lines.keys()
            yield to_batch(entries, LOG_ENTRY_SCHEMA)

    return lines.mapInArrow(parse, LOG_ENTRY_DDL)


def _entries(line: Row) -> Iterator[Row]:
    """The entries of one line; InputError for a row in an object of another bucket than its shop's."""
    row = read_row(line["value"])
    if shop_bucket(row["shop_id"]) != line["bucket"]:
        raise InputError(
            f"found a row of bucket {shop_bucket(row['shop_id'])} in {line['object']}, expected those of its bucket"
        )
    of_row = {
        "row_last": row["last"],
        "row_entries": len(row["entries"]),
        "row_hash": line["row_hash"],
        "fold_version": row["fold_version"],
        "shop_bucket": line["bucket"],
    }
    entries = list(entries_of(row))
    day = next((_day(entry) for entry in entries if _day(entry) is not None), None)
    if day is None:  # only rejected records and duplicates, which tell no time: the object's date does
        day = parse_instant(f"{line['object'][5:15]}T00:00:00Z") // DAY
    for entry in entries:
        known = _day(entry)
        day = day if known is None else known
        yield entry | of_row | {"received_day": day}


def _day(entry: Row) -> int | None:
    received_at = entry.get("received_at")
    return None if received_at is None else received_at // DAY
