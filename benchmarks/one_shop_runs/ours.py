"""The features at every scored event of a file of events: the order of the log, the fold, the windows."""

import argparse
import time
from pathlib import Path

from pyspark.sql import functions as F

from benchmarks.process_usage import print_numbers
from service_quality.features.feature_set import FEATURES
from spark_jobs.logs.shop_log import order_by_time
from spark_jobs.reader.served_features import compute_served_features
from spark_jobs.session.start import start_session


def main() -> None:
    """Read the events, count their features and add up a hash of every vector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    spark = start_session("one shop", str(options.events.parent / "lake"))
    started = time.perf_counter()
    log = order_by_time(spark.read.parquet(str(options.events)))
    served = compute_served_features(log, FEATURES)
    row_hash = F.xxhash64("log_index", "clock", F.col("features").cast("string"))
    rows, digest = served.agg(F.count("*"), F.sum((row_hash % 2**31).cast("long"))).collect()[0]
    ended = time.perf_counter()
    spark.stop()
    print_numbers({"session": started - begin, "seconds": ended - started, "rows": rows, "digest": digest})


if __name__ == "__main__":
    main()
