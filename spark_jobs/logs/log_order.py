"""The order of shops' logs: log index and clocks of every event, by tasks that hold a piece of a shop's log at most.

A long log is cut into pieces at places that a sample chooses. What a shop has reached before a piece is the total of
its pieces before, which takes no order: one narrow pass adds it up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Row, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

#: One row in so many is looked at to choose where pieces begin, and so many of those are in a piece: 50,000 rows.
_ROWS_A_SAMPLE, _SAMPLES_A_PIECE = 1_000, 50
_MOST_PIECES = 1_000  # of all shops: one expression distinguishes the pieces


class Reached(NamedTuple):
    """What a shop's log has reached: its number of events, and its clocks (0 before the first event)."""

    log_index: int = 0
    clock: int = 0
    received_clock: int = 0

    def after(self, others: "Reached") -> "Reached":
        """What it has reached after further events."""
        return Reached(
            self.log_index + others.log_index,
            max(self.clock, others.clock),
            max(self.received_clock, others.received_clock),
        )


def own_clock() -> Column:
    """The instant to which an event moves its shop's clock: at most its own arrival."""
    return F.least("occurred_at", "received_at")


#: What the events of each part of a shop's log come to, by the part's number.
Totals = Mapping[int, Reached]


def locate_in_logs(events: DataFrame, order: Sequence[Column]) -> DataFrame:
    """Events (shop_id, occurred_at, received_at, …) with `log_index`, `clock` and `received_clock`, by an order that
    distinguishes the events of a shop.
    """
    place = F.struct(F.col("shop_id"), *(part.alias(f"part{number}") for number, part in enumerate(order)))
    starts = _choose_starts(events, place)
    if not starts:
        return _locate(events, Window.partitionBy("shop_id").orderBy(*order))
    types = events.select(place.alias("place")).schema["place"].dataType
    assert isinstance(types, StructType)
    in_pieces = events.withColumn("piece", _piece_of(place, starts, types))
    totals = _totals(in_pieces, "piece")
    before = events.sparkSession.createDataFrame(
        [(shop_id, piece, *_before(own, piece)) for shop_id, own in totals.items() for piece in own],
        "shop_id string, piece int, log_index_before long, clock_before long, received_clock_before long",
    )
    located = _locate(in_pieces, Window.partitionBy("shop_id", "piece").orderBy(*order))
    return located.join(F.broadcast(before), ["shop_id", "piece"]).select(
        *events.columns,
        (F.col("log_index") + F.col("log_index_before")).alias("log_index"),
        *(F.greatest(name, f"{name}_before").alias(name) for name in ("clock", "received_clock")),
    )


def reached_at(log: DataFrame, bounds: Iterable[tuple[str, str, bool]]) -> dict[tuple[str, str, bool], Reached]:
    """What each shop's log had reached at each bound: shop, position, and whether an event there is before the bound.

    `log` holds accepted events: shop_id, position, occurred_at, received_at.
    """
    by_shop: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for shop_id, position, is_before in sorted(set(bounds)):
        by_shop[shop_id].append((position, is_before))
    if not by_shop:
        return {}
    known = log.sparkSession.createDataFrame(
        list(by_shop.items()), "shop_id string, bounds array<struct<position: string, is_before: boolean>>"
    )
    here = F.struct(F.col("position"), F.lit(True).alias("is_before"))
    passed = F.size(F.filter("bounds", lambda bound: bound < here))
    totals = _totals(log.join(F.broadcast(known), "shop_id").withColumn("passed", passed), "passed")
    return {
        (shop_id, *bound): _before(totals.get(shop_id, {}), number)
        for shop_id, own in by_shop.items()
        for number, bound in enumerate(own, 1)
    }


def _locate(events: DataFrame, order: WindowSpec) -> DataFrame:
    so_far = order.rowsBetween(Window.unboundedPreceding, 0)
    return events.select(
        "*",
        F.row_number().over(order).cast("long").alias("log_index"),
        F.max(own_clock()).over(so_far).alias("clock"),
        F.max("received_at").over(so_far).alias("received_clock"),
    )


def _choose_starts(events: DataFrame, place: Column) -> list[Row]:
    """The places at which the second and every further piece of a long log begins, in order."""
    is_chosen = F.pmod(F.xxhash64("place"), F.lit(_ROWS_A_SAMPLE)) == 0
    sample = sorted(row["place"] for row in events.select(place.alias("place")).where(is_chosen).collect())
    step = max(_SAMPLES_A_PIECE, len(sample) // _MOST_PIECES)
    by_shop: dict[str, list[Row]] = defaultdict(list)
    for one in sample:
        by_shop[one["shop_id"]].append(one)
    return [start for own in by_shop.values() for start in own[step::step]]


def _piece_of(place: Column, starts: Sequence[Row], types: StructType) -> Column:
    """The number of the piece of a place: that of the starts, of all shops, at or before it."""

    def between(fewest: int, most: int) -> Column:
        if fewest == most:
            return F.lit(fewest)
        middle = (fewest + most) // 2
        start = F.struct(
            *(F.lit(part).cast(types[name].dataType).alias(name) for name, part in starts[middle].asDict().items())
        )
        return F.when(place < start, between(fewest, middle)).otherwise(between(middle + 1, most))

    return between(0, len(starts))


def _totals(events: DataFrame, part: str) -> Mapping[str, Totals]:
    """By shop the totals of every part of its log."""
    counts = events.groupBy("shop_id", part).agg(
        F.count(F.lit(1)).alias("events"), F.max(own_clock()).alias("clock"), F.max("received_at").alias("received")
    )
    found: dict[str, dict[int, Reached]] = defaultdict(dict)
    for row in counts.collect():
        found[row["shop_id"]][row[part]] = Reached(row["events"], row["clock"], row["received"])
    return found


def _before(totals: Totals, part: int) -> Reached:
    """What a log had reached before a part of it."""
    return reduce(Reached.after, (own for number, own in totals.items() if number < part), Reached())
