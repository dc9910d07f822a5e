"""Make the archive of the classes that Spark's Java loads at every start.

A small job does once what jobs do first, and Java writes down which classes that took.
The set-up runs `python -m spark_jobs.session.keep_java_classes FOLDER`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from cli.java import java_home
from spark_jobs.session.java_classes import archive_file, writing_options
from spark_jobs.session.start import start_session

_TABLE = "lake.service.classes"


def load_classes(spark: SparkSession, folder: Path) -> int:
    """Do what jobs do first: make a table, add to it, read it with files beside it; the rows that were read."""
    texts = folder / "texts"
    spark.range(100).select(F.col("id").cast("string").alias("value")).write.text(str(texts))
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.service")
    spark.sql(f"CREATE TABLE {_TABLE} (id bigint, day date, name string) USING iceberg PARTITIONED BY (day)")
    rows = spark.range(100).select(
        "id", F.current_date().alias("day"), F.concat(F.lit("n"), F.col("id") % 7).alias("name")
    )
    rows.mapInArrow(_unchanged, "id bigint, day date, name string").writeTo(_TABLE).overwrite(F.lit(False))
    known = spark.table(_TABLE).withColumn(
        "rank", F.row_number().over(Window.partitionBy("name").orderBy(F.desc("id")))
    )
    lines = spark.read.text(str(texts)).select(F.md5("value").alias("hash"), F.col("value").cast("bigint").alias("id"))
    files = spark.read.format("binaryFile").load(str(texts)).select(F.col("_metadata.file_path"), "length")
    spark.table(f"{_TABLE}.snapshots").join(spark.table(f"{_TABLE}.refs"), "snapshot_id", "left_anti").count()
    known.write.parquet(str(folder / "parquet"))
    found = spark.read.parquet(str(folder / "parquet")).join(F.broadcast(lines), "id").groupBy("name")
    return len(found.agg(F.max("rank"), F.count("*"), F.collect_list("hash")).collect()) + files.count()


def _unchanged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


def main(folder: Path) -> None:
    """Make the archive below a folder; exit status 1 where this Java writes none."""
    file = archive_file(folder, java_home())
    partial = file.with_suffix(".partial")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (file, partial):
        old.unlink(missing_ok=True)
    options = f"--conf 'spark.driver.defaultJavaOptions={writing_options(partial)}' pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": options}
    command = [sys.executable, "-W", "ignore", "-m", "spark_jobs.session.keep_java_classes"]
    # Java, which writes the archive after this process has ended, holds the other end of its output
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode or not partial.is_file():
        sys.exit(done.stderr.strip() or "this Java wrote no archive of its classes")
    partial.rename(file)


def load_in_a_lake_of_its_own() -> None:
    """Start Spark, and load the classes."""
    with tempfile.TemporaryDirectory() as folder:
        load_classes(start_session("classes", str(Path(folder) / "lake")), Path(folder))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]))
    else:
        load_in_a_lake_of_its_own()
