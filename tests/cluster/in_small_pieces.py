"""`python -m tests.cluster.in_small_pieces MODULE FILE`: run a module whose shops are cut as if they were ten times as
large, so that what is cut in the end can be seen with few events."""

import runpy
import sys
from dataclasses import replace

from pyspark.sql import DataFrame

from spark_jobs.logs import log_order
from spark_jobs.reader import served_features
from spark_jobs.reader.entity_blocks import EVENTS_A_PIECE, Cut
from spark_jobs.session import start

TIMES = 10
#: Of a shuffle: a task for each of so few rows would take most of the time.
PARTITIONS = 16

choose_cuts = served_features.choose_cuts


def smaller_cuts(log: DataFrame) -> dict[str, Cut]:
    """The cuts of the shops, with smaller pieces."""
    cuts = choose_cuts(log)
    return {shop_id: replace(cut, events_a_piece=EVENTS_A_PIECE // TIMES) for shop_id, cut in cuts.items()}


def main(module: str) -> None:
    """Cut smaller, and run the module with the arguments that are left."""
    log_order._SAMPLES_A_PIECE //= TIMES
    served_features.FEWEST_EVENTS_A_PART //= TIMES
    served_features.choose_cuts = smaller_cuts
    start.CLUSTER_PARTITIONS = PARTITIONS
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.argv[0]
    main(sys.argv[0])
