"""The entries of a log as a job reads them: from the lake's log, or from the functions' archive itself."""

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.logs import archive
from spark_jobs.logs.log_table import read_log, read_log_links

#: The help of the argument that names an archive.
ARCHIVE_HELP = "folder, s3a:// or s3:// of the functions' archive (default: the lake's log, which fold_archive fills)"


def read_entries(spark: SparkSession, path: str | None) -> DataFrame:
    """Every entry, second copies left out (archive.ENTRY_DDL), of the archive at a path or of the lake's log."""
    return read_log(spark) if path is None else archive.read_entries(spark, path)


def read_links(spark: SparkSession, path: str | None) -> DataFrame:
    """The links of every shop's chain (archive.LINK_DDL), of the archive at a path or of the lake's log."""
    return read_log_links(spark) if path is None else archive.read_links(spark, path)
