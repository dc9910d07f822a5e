"""An export on Spark: files into rows, rows into events, with the rows that belong to them and what was met."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.lake.tables import EVENTS_IN_MILLIS
from spark_jobs.sources.addresses import file_name, plain_address
from spark_jobs.sources.cleaning import Cleaning
from spark_jobs.sources.exports import (
    DUPLICATE_ID,
    OLDER_VERSION,
    FileRow,
    joined_cells,
    parts_of,
    read_file,
    reader_for,
    rejected_copy,
    row_of_values,
)
from spark_jobs.sources.headers import Header
from spark_jobs.sources.mapping import Resource, Source
from spark_jobs.sources.row_batches import (
    JOINED_DDL,
    OUTCOMES,
    OUTCOMES_DDL,
    ROWS,
    ROWS_DDL,
    digest_row,
    event_values,
    file_row,
    hashing,
    lines_by_file,
    to_batches,
    values_of,
    with_join_key,
)
from spark_jobs.sources.row_events import MISSING_ROW, ReadRow, RowReader
from spark_jobs.sources.row_values import Given


class Files(NamedTuple):
    """The files of an export: how each is written and what its columns are, by its address without doubled slashes."""

    source: Source
    headers: Mapping[str, Header]
    given: Given


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Every line of the files as bytes, with its file and its order there: block, then seq."""
    return (
        spark.read.text(list(paths), lineSep="\n")
        .select(
            F.col("_metadata.file_path").alias("file"),
            F.col("_metadata.file_block_start").alias("block"),
            F.col("value").cast("binary").alias("line"),
        )
        .withColumn("seq", F.monotonically_increasing_id())
    )


def read_rows(lines: DataFrame, files: Files) -> DataFrame:
    """The rows of all files: resource, file, line, raw, reason, cells, key and version of its primary key, encoding.

    Beside them one row a file (`digest_row`) whose raw text is the SHA-256 of its lines.
    """

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        readers = _readers(files)
        for file, source in lines_by_file(batches):
            header = files.headers[plain_address(file)]
            resource, reader = files.source.resource(header.resource), readers[header.resource]
            hashed = sha256()
            rows = read_file(hashing(source, hashed), file, resource, header)
            yield from to_batches((values_of(row, resource, reader) for row in rows), ROWS)
            yield from to_batches([digest_row(file, hashed.hexdigest())], ROWS)

    ordered = lines.repartition("file").sortWithinPartitions("file", "block", "seq").select("file", "line")
    return ordered.mapInArrow(read, ROWS_DDL)


def read_parquet(spark: SparkSession, path: str, address: str, files: Files) -> DataFrame:
    """The rows of a file of Parquet as `read_rows` gives those of text; its digest is that of its name and size."""
    header = files.headers[plain_address(address)]
    resource = files.source.resource(header.resource)
    table = spark.read.parquet(path)
    place = F.col("_metadata.row_index").alias("#line")
    size = spark.read.parquet(path).select("_metadata.file_size", "_metadata.file_modification_time").first()

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader = _readers(files)[resource.name]
        values = (list(row.values()) for batch in batches for row in batch.to_pylist())
        rows = (row_of_values(address, one[0] + 1, one[1:], resource, header) for one in values)
        yield from to_batches((values_of(row, resource, reader) for row in rows), ROWS)

    digest = sha256(f"{address} {size}".encode()).hexdigest()
    of_file = spark.createDataFrame([digest_row(address, digest)], ROWS_DDL)
    values = table.select(place, *(f"`{name}`" for name in table.columns))
    return values.mapInArrow(read, ROWS_DDL).unionByName(of_file)


def read_outcomes(rows: DataFrame, files: Files) -> DataFrame:
    """What came of the rows: events in epoch milliseconds with their `source`, rejected rows, and counters (`met`).

    Each row is one of the three; events and rejected rows name their file and line (from_file, from_line). A row that
    is only joined to others is among them where it is rejected.
    """
    source = files.source
    chosen: dict[str, DataFrame] = {}
    for resource in source.resources:
        own = _part_rows(rows, resource, files) if resource.part_of else rows.where(F.col("resource") == resource.name)
        chosen[resource.name] = _with_rank(own, resource)
    outcomes = [
        _outcomes_of(_with_joined(chosen[resource.name], resource, chosen, files), resource, files)
        for resource in source.with_files
    ]
    total = outcomes[0]
    for other in outcomes[1:]:
        total = total.unionByName(other)
    return total


def _part_rows(rows: DataFrame, part: Resource, files: Files) -> DataFrame:
    assert part.part_of is not None
    whole = files.source.resource(part.part_of.resource)

    def split(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader = _readers(files)[part.name]
        read = (file_row(row) for batch in batches for row in batch.to_pylist())
        yield from to_batches((values_of(row, part, reader) for row in parts_of(read, whole, part)), ROWS)

    return rows.where(F.col("resource") == whole.name).mapInArrow(split, ROWS_DDL)


def _with_rank(rows: DataFrame, resource: Resource) -> DataFrame:
    """Rows of which another one of the same key counts get that as their reason."""
    if not resource.primary_key:
        return rows
    order = (F.col("version").desc_nulls_last(), F.col("file"), F.col("line"))
    rank = F.row_number().over(Window.partitionBy("key").orderBy(*order))
    why = DUPLICATE_ID if resource.latest_by is None else OLDER_VERSION
    is_other = F.col("key").isNotNull() & (F.col("rank") > 1)
    reason = F.when(F.col("reason").isNull() & is_other, why).otherwise(F.col("reason"))
    return rows.withColumn("rank", rank).withColumn("reason", reason).drop("rank")


def _with_joined(rows: DataFrame, resource: Resource, chosen: Mapping[str, DataFrame], files: Files) -> DataFrame:
    """Rows with the cells of the rows that belong to them, in the order of the joins; null where there is none."""
    empty = F.array().cast("array<array<string>>")
    joined = rows.withColumns({"joined": empty, "join_key": F.lit(None).cast("string")})
    for place, join in enumerate(resource.joins):
        keyed = joined.mapInArrow(_join_key(resource, place, files), JOINED_DDL)
        others = chosen[join.resource].where("reason is null and key is not null")
        others = others.select(F.col("key").alias("other_key"), F.col("cells").alias("other_cells"))
        joined = (
            keyed.join(others, F.col("join_key") == F.col("other_key"), "left")
            .withColumn("joined", F.concat("joined", F.array("other_cells")))
            .drop("other_key", "other_cells")
        )
    return joined


def _join_key(
    resource: Resource, place: int, files: Files
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    column = resource.joins[place].column

    def add(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader = _readers(files)[resource.name]
        for batch in batches:
            rows = batch.to_pylist()
            cells = [None if row["reason"] else _all_cells(row, resource, files, place) for row in rows]
            keys = [None if found is None else reader.key(found, (column,)) for found in cells]
            yield with_join_key(batch, pa.array(keys, pa.string()))

    return add


def _outcomes_of(rows: DataFrame, resource: Resource, files: Files) -> DataFrame:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader, cleaning = _readers(files)[resource.name], Cleaning()
        yield from to_batches(_outcomes(batches, resource, reader, files, cleaning), OUTCOMES)
        nothing = [None] * (len(OUTCOMES) - 1)
        yield from to_batches([(*nothing, cleaning.to_json())], OUTCOMES)

    is_spread = bool(resource.primary_key or resource.joins)  # one file is one task until then
    parts = 2 * rows.sparkSession.sparkContext.defaultParallelism
    return (rows if is_spread else rows.repartition(parts)).mapInArrow(read, OUTCOMES_DDL)


def _outcomes(
    batches: Iterable[pa.RecordBatch], resource: Resource, reader: RowReader, files: Files, cleaning: Cleaning
) -> Iterator[tuple[object, ...]]:
    nothing = [None] * len(EVENTS_IN_MILLIS)
    for batch in batches:
        for found in batch.to_pylist():
            row = file_row(found)
            read = _read(found, row, resource, reader, files)
            cleaning.note(row, read, resource)
            name = f"{files.source.name}:{file_name(row.file)}"
            for event in read.events:
                yield *event_values(event), name, row.file, row.line, None, None, None, None
            if read.reason is not None:
                yield *nothing, row.file, row.line, row.raw, read.reason, read.column, None


def _read(found: Mapping[str, object], row: FileRow, resource: Resource, reader: RowReader, files: Files) -> ReadRow:
    if row.reason in (DUPLICATE_ID, OLDER_VERSION):
        return rejected_copy(row.reason, resource)
    if row.reason is not None:
        return ReadRow(reason=row.reason)
    cells_of_row = _all_cells(found, resource, files, len(resource.joins))
    if (alone := reader.read_alone(cells_of_row)) is not None:
        return alone
    joined = found["joined"]
    assert isinstance(joined, list)
    for join, cells in zip(resource.joins, joined, strict=True):
        if cells is None and join.is_required:
            return ReadRow(reason=MISSING_ROW, column=join.column)
    return reader.read(cells_of_row)


def _all_cells(found: Mapping[str, object], resource: Resource, files: Files, joins: int) -> dict[str, str]:
    """The cells of a row by column, with those of the first so many joins."""
    own, joined = found["cells"], found["joined"]
    assert isinstance(own, list)
    assert isinstance(joined, list)
    cells = dict(zip(resource.fields, own, strict=True))
    for join, others in zip(resource.joins[:joins], joined, strict=False):
        cells |= joined_cells(files.source.resource(join.resource), others)
    return cells


def _readers(files: Files) -> dict[str, RowReader]:
    return {one.name: reader_for(one, files.source, files.given) for one in files.source.resources}


def events_in(outcomes: DataFrame) -> DataFrame:
    """The events among outcomes."""
    return outcomes.where("event_id is not null")


def rejected_in(outcomes: DataFrame) -> DataFrame:
    """The rejected rows among outcomes."""
    return outcomes.where("reason is not null")


def counters_in(outcomes: DataFrame) -> list[str]:
    """The counters among outcomes, as text."""
    return [row["met"] for row in outcomes.where("met is not null").select("met").collect()]


def read_head(spark: SparkSession, path: str, most: int) -> list[bytes]:
    """The first lines of a file."""
    line = F.col("value").cast("binary").alias("line")
    return [bytes(row["line"]) for row in spark.read.text(path, lineSep="\n").select(line).head(most)]
