"""Make synthetic shops for people without data, and write their events into the lake.

Whole conversations with many turns, ratings for a part of them, orders, cancellations, returns, page views and
searches, of customers who come back, in shops that write Chinese and English by turns. What makes a customer
dissatisfied is planted (spark_jobs/synthetic_shop/effects.py, docs/synthetic_shop.md). The same arguments give the same
events wherever they are made; shops are named synthetic-… and every event's source is synthetic:SEED.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import LongType

from service_quality.events.annotations import annotate
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import WRITE
from spark_jobs.command_line import (
    count_argument,
    day_argument,
    job_parser,
    positive_argument,
    print_summary,
    run_job,
    session_for,
)
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, with_timestamps, write_events
from spark_jobs.synthetic_shop.policies import policy_of
from spark_jobs.synthetic_shop.shop_model import Shop
from spark_jobs.synthetic_shop.world import TIME_ZONES, World, events_of, shop_of

NAME = "generate_shop"
DEFAULT_START = "2025-03-03"
CUSTOMERS_OF_A_TASK = 250
BATCH_ROWS = 10_000

_ARROW = pa.schema(
    [(field.name, pa.int64() if field.dataType == LongType() else pa.string()) for field in EVENTS_IN_MILLIS]
)
_FIELDS = attrgetter(*FIELDS)


def main(arguments: Sequence[str]) -> None:
    """Make the world, write its events, report."""
    started = time.time()
    options = read_options(arguments)
    world = World(
        shops=options.shops,
        new_shops=options.new_shops,
        days=options.days,
        contacts_per_day=options.contacts_per_day,
        seed=options.seed,
        start=options.start,
    )
    spark = session_for(options, NAME)
    note_step(WRITE)
    written = write_events(with_timestamps(generate(spark, world)))
    made = [shop_of(world, number) for number in world.numbers]
    shops = [shop.shop_id for shop in made]
    print_summary(
        f"{NAME}: {written.rows} synthetic events new in the lake, {world.days} days of {', '.join(shops)}",
        {
            "job": NAME,
            "synthetic": True,
            "shops": shops,
            "policies": {shop.shop_id: policy_of(shop, valid_from=world.start) for shop in made if not shop.new},
            "settings": {shop.shop_id: settings_of(shop) for shop in made},
            "source": source_of(world),
            "new_events": written.rows,
            "events_snapshot": written.snapshot,
            "seconds": round(time.time() - started, 1),
        },
        file=options.json,
    )


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The job's arguments."""
    parser = job_parser(NAME, __doc__ or "")
    parser.add_argument("--shops", type=positive_argument, default=3, metavar="N", help="how many (%(default)s)")
    new_help = "more that open near the end, with few contacts (%(default)s)"
    parser.add_argument("--new-shops", type=count_argument, default=2, metavar="N", help=new_help)
    parser.add_argument("--days", type=positive_argument, default=35, metavar="D", help="how long (%(default)s)")
    parser.add_argument(
        "--contacts-per-day", type=positive_argument, default=50, metavar="C", help="of each shop, about (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another one, another world (%(default)s)")
    parser.add_argument(
        "--start", type=day_argument, default=DEFAULT_START, metavar="DATE", help="the first day, UTC (%(default)s)"
    )
    return parser.parse_args(arguments)


def generate(spark: SparkSession, world: World) -> DataFrame:
    """The world's events (EVENTS_IN_MILLIS), made in parallel by shop and block of customers.

    By customer and not by day, since a customer's behaviour depends on the customer's past.
    """
    blocks = [
        (shop, first, min(first + CUSTOMERS_OF_A_TASK, world.customers_of(shop)))
        for shop in world.numbers
        for first in range(0, world.customers_of(shop), CUSTOMERS_OF_A_TASK)
    ]
    tasks = spark.createDataFrame(blocks, "shop int, first int, last int")
    slots = min(len(blocks), 4 * spark.sparkContext.defaultParallelism)
    return tasks.repartition(slots).mapInArrow(make_blocks(world), EVENTS_IN_MILLIS)


def make_blocks(world: World) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that turns blocks of customers into events."""

    def make(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for block in batch.to_pylist():
                events = events_of(world, shop_of(world, block["shop"]), range(block["first"], block["last"]))
                yield from to_batches(map(annotate, events), source_of(world))

    return make


def to_batches(events: Iterator[InteractionEvent], source: str) -> Iterator[pa.RecordBatch]:
    """Events as Arrow batches of EVENTS_IN_MILLIS."""
    while block := list(islice(events, BATCH_ROWS)):
        columns = [*zip(*map(_FIELDS, block), strict=True), [source] * len(block)]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _ARROW, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)


def settings_of(shop: Shop) -> dict[str, str]:
    """The settings of a shop's alerts."""
    return {"language": shop.language, "time_zone": TIME_ZONES[shop.language], "currency": shop.currency}


def source_of(world: World) -> str:
    """The source of the events."""
    return f"synthetic:{world.seed}"


if __name__ == "__main__":
    sys.exit(run_job(main))
