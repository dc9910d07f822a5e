"""The features at every scored event of a file of events: the order of the log, the fold, the windows."""

import argparse
import time
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.process_usage import print_numbers
from service_quality.features.feature_set import FEATURES
from spark_jobs.logs.shop_log import order_by_time
from spark_jobs.reader.served_features import compute_served_features
from spark_jobs.session.start import start_session


def summarise(events: DataFrame) -> dict[str, int]:
    """The number of rows of features at the events, and a sum of their hashes."""
    served = compute_served_features(order_by_time(events), FEATURES)
    bits = F.xxhash64("log_index", "clock", F.col("features").cast("string")) % 2**31
    rows, digest = served.agg(F.count("*"), F.sum(bits)).collect()[0]
    return {"rows": rows, "digest": digest}


def main() -> None:
    """Read the events, compute their features, print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    spark = start_session("one shop", str(options.events.parent / "lake"))
    started = time.perf_counter()
    summary = summarise(spark.read.parquet(str(options.events)))
    ended = time.perf_counter()
    spark.stop()
    print_numbers({"session": started - begin, "seconds": ended - started, **summary})


if __name__ == "__main__":
    main()
