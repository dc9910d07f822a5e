"""A training set of a lake's events with all features, as the job builds it: the seconds to the last row."""

import argparse
import time
from pathlib import Path

from benchmarks.process_usage import print_numbers
from spark_jobs import build_training_set
from spark_jobs.lake.tables import TRAINING_SET
from spark_jobs.session.start import start_session


def main() -> None:
    """Start Spark, run the job, print how long it took and what it made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("as_of")
    options = parser.parse_args()
    begin = time.perf_counter()
    spark = start_session("training set", str(options.lake))
    started = time.perf_counter()
    build_training_set.main(["--as-of", options.as_of, "--lake", str(options.lake)])
    ended = time.perf_counter()
    rows = spark.table(TRAINING_SET).count()
    spark.stop()
    print_numbers({"session": started - begin, "seconds": ended - started, "rows": rows})


if __name__ == "__main__":
    main()
