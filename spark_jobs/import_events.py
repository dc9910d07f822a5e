"""Read the files of an export into the lake as interaction events, by a mapping that says what its columns mean.

A mapping is a name (`--list` shows those that come along) or a file of your own (docs/sources.md). A cell that cannot
be used is left out and counted by its column; a row of which no event can come is put into the lake's table of rejected
rows, with file, line and reason. Importing a file again changes nothing. Where too few rows of a file can be read, or
its times read in the other order of day and month alone, nothing else is written, and the job ends with exit code 3.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import reduce
from urllib.parse import unquote

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.cards.running import note_file, note_step, note_summary, warn
from spark_jobs.cards.steps import COMPUTE, READ, WRITE
from spark_jobs.command_line import print_summary, run_job, session_for
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.lake.known_events import content_of, write_later
from spark_jobs.lake.snapshots import Written
from spark_jobs.lake.tables import REJECTED, REJECTED_KEY, REJECTED_SCHEMA, with_timestamps, write_rejected
from spark_jobs.sources.addresses import as_pattern, file_name, plain_address
from spark_jobs.sources.beginnings import describe, read_beginning
from spark_jobs.sources.cleaning import Cleaning, merged
from spark_jobs.sources.headers import HEAD_LINES, PARQUET, Header, find_header, find_header_of, missing_files
from spark_jobs.sources.import_figures import heaviest_keys, import_figures
from spark_jobs.sources.import_options import given_by, local_files, overridden, read_options
from spark_jobs.sources.import_outcome import (
    Repeats,
    explain_refusal,
    missing_columns,
    shown_place,
    summary_line,
)
from spark_jobs.sources.mapping import CORRECT, Source
from spark_jobs.sources.mapping_file import load_mapping, shipped_mappings
from spark_jobs.sources.row_batches import DIGEST
from spark_jobs.sources.row_values import Given
from spark_jobs.sources.suggested_mapping import as_yaml
from spark_jobs.sources.suggestions import suggest
from spark_jobs.sources.tables import (
    Files,
    counters_in,
    events_in,
    read_head,
    read_lines,
    read_outcomes,
    read_parquet,
    read_rows,
    rejected_in,
)

NAME = "import_events"
#: The rows of each file that `--check` reads.
CHECKED_ROWS = 5_000


def main(arguments: Sequence[str]) -> None:
    """List, suggest, check or import."""
    started = time.time()
    options = read_options(NAME, __doc__ or "", arguments)
    if options.list:
        print("\n".join(f"{name:24} {load_mapping(name).title['en']}" for name in shipped_mappings()))
        return
    if options.suggest:
        path = local_files(options.files)[0]
        print(as_yaml(suggest(path), path.name), end="")
        return
    source = overridden(load_mapping(options.mapping), options)
    given = given_by(options, source, until=int(started * 1000))
    if options.check:
        beginning = read_beginning(local_files(options.files), source, given, most=CHECKED_ROWS)
        print("\n".join(describe(beginning, source)))
        if refusal := explain_refusal(beginning.met, beginning.headers, source):
            raise InputError(f"an import would write nothing: {refusal}")
        return
    import_files(options, source, given, started)


def import_files(options: argparse.Namespace, source: Source, given: Given, started: float) -> None:
    """Read the files, store what was rejected, refuse or write the events, report."""
    spark = session_for(options, NAME)
    note_step(READ)
    addresses = find_files(spark, options.files)
    headers = find_headers(spark, addresses, source)
    say_columns(headers, source)
    files = Files(source, headers, given)
    note_step(COMPUTE)
    rows = read_all(spark, addresses, files).persist(StorageLevel.MEMORY_AND_DISK)
    outcomes = read_outcomes(rows, files).persist(StorageLevel.MEMORY_AND_DISK)
    met = merged(counters_in(outcomes))
    rejected = write_rejected(rejected_rows(outcomes, rows, source.name)) if met.rejected else None
    figures = import_figures(source, headers, met, rows=count_rows(rows), heaviest=heaviest_keys(events_in(outcomes)))
    found = {"job": NAME, "shop_id": options.shop, "rows": figures["rows"], "cleaning": figures}
    read = {**found, **summary_of_rows(source, headers, met, rejected)}
    refusal = explain_refusal(met, headers, source)
    if refusal:
        note_summary(read)
        stored = f"; what was rejected is in {REJECTED}, nothing else was written" if rejected else ""
        raise InputError(f"{refusal}{stored}")
    note_step(WRITE)
    events, repeats = each_once(events_in(outcomes))
    change = write_later(events, corrects=source.later_export == CORRECT)
    written = {
        "repeated_events": repeats.same,
        "conflicting_events": repeats.other,
        "new_events": change.new,
        "differing_events": change.differing,
        "corrected_events": change.corrected,
        "differing_fields": list(change.fields),
        "differing_places": [shown_place(*place) for place in change.places],
        "events_snapshot": change.snapshot,
        "seconds": round(time.time() - started, 1),
    }
    line = f"{NAME}: {summary_line(options.shop, source, met, change, repeats)}"
    print_summary(line, {**read, **written}, file=options.json)


def summary_of_rows(
    source: Source, headers: Mapping[str, Header], met: Cleaning, rejected: Written | None
) -> dict[str, object]:
    """The figures of what was read, whatever is written of it."""
    return {
        "mapping": source.name,
        "files": {file_name(file): header.resource for file, header in headers.items()},
        "rows_taken": sum(met.taken.values()),
        "rejected": sum(met.rejected_by_reason.values()),
        "rejected_by_reason": met.rejected_by_reason,
        "new_rejected": rejected.rows if rejected else 0,
        "left_out": dict(sorted(met.left_out.items())),
        "odd_cells": dict(sorted(met.odd.items())),
        "missing_columns": missing_columns(headers, source),
        "unread_columns": {file_name(file): list(one.unread) for file, one in headers.items() if one.unread},
        "events_by_kind": dict(sorted(met.kinds.items())),
    }


def count_rows(rows: DataFrame) -> dict[str, dict[str | None, int]]:
    """The rows of each file by its address, by the encoding of their text; None is the first that is declared."""
    counts: dict[str, dict[str | None, int]] = {}
    for row in rows.where(F.col("resource") != DIGEST).groupBy("file", "encoding").count().collect():
        counts.setdefault(row["file"], {})[row["encoding"]] = row["count"]
    return counts


def say_columns(headers: Mapping[str, Header], source: Source) -> None:
    """Note the files on the run's card, and say which columns they lack."""
    for address in headers:
        note_file(file_name(address))
    for file, columns in missing_columns(headers, source).items():
        warn(NAME, f"{file} lacks {', '.join(columns)}: found nothing to read of them")
    for file, kinds in missing_files(headers, source).items():
        warn(NAME, f"{file_name(file)} is joined to {', '.join(kinds)}: found no such file beside it")


def find_files(spark: SparkSession, paths: Sequence[str]) -> list[str]:
    """The addresses of the files that `paths` name."""
    found = sorted(read_lines(spark, [as_pattern(path) for path in paths]).inputFiles())
    if not found:
        raise MissingSourceError(f"found no file in {', '.join(paths)}, expected those of an export")
    return found


def find_headers(spark: SparkSession, addresses: Sequence[str], source: Source) -> dict[str, Header]:
    """The resource of each file, by its address; InputError for a file that belongs to none."""
    headers: dict[str, Header] = {}
    for address in addresses:
        path, name = as_pattern(unquote(address)), file_name(address)
        if name.endswith(PARQUET):
            headers[plain_address(address)] = find_header_of(spark.read.parquet(path).columns, source, name)
        else:
            headers[plain_address(address)] = find_header(read_head(spark, path, HEAD_LINES), source, name)
    return headers


def read_all(spark: SparkSession, addresses: Sequence[str], files: Files) -> DataFrame:
    """The rows of all files, of text and of Parquet."""
    packed = [address for address in addresses if file_name(address).endswith(PARQUET)]
    texts = [as_pattern(unquote(address)) for address in addresses if address not in packed]
    tables = [read_rows(read_lines(spark, texts), files)] if texts else []
    tables += [read_parquet(spark, as_pattern(unquote(address)), address, files) for address in packed]
    return reduce(DataFrame.unionByName, tables)


def each_once(events: DataFrame) -> tuple[DataFrame, Repeats]:
    """The events as the lake holds them, with file and line; of several with one id the first. How many repeat it."""
    by_place = Window.partitionBy("event_id").orderBy("from_file", "from_line")
    ranked = events.withColumn("rank", F.row_number().over(by_place)).withColumn(
        "first_content", F.first(content_of()).over(by_place)
    )
    ranked = ranked.persist(StorageLevel.MEMORY_AND_DISK)
    others = ranked.where("rank > 1")
    counted = others.select((content_of() == F.col("first_content")).alias("same")).groupBy("same").count().collect()
    counts = {row["same"]: row["count"] for row in counted}
    first = with_timestamps(ranked.where("rank = 1"), "from_file", "from_line")
    return first, Repeats(counts.get(True, 0), counts.get(False, 0))


def rejected_rows(outcomes: DataFrame, rows: DataFrame, mapping: str) -> DataFrame:
    """The rejected rows as the lake stores them (REJECTED_SCHEMA); of files of the same content the first's."""
    digests = rows.where(F.col("resource") == DIGEST).select("file", F.col("raw").alias("file_hash"))
    first = Window.partitionBy(*REJECTED_KEY).orderBy("file")
    found = rejected_in(outcomes).select(
        F.col("from_file").alias("file"), F.col("from_line").alias("line"), "reason", "field", "raw"
    )
    name = F.udf(lambda address: f"{mapping}:{file_name(address)}", "string")
    return (
        found.join(F.broadcast(digests), "file")
        .withColumn("source", name("file"))
        .withColumn("rank", F.row_number().over(first))
        .where("rank = 1")
        .select(*REJECTED_SCHEMA.fieldNames())
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
