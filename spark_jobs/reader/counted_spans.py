"""Which facts the sums of a shop's columns held where: the changes of its plan, walked along the log."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.control_records import StateRebuilt
from service_quality.histories.counting import EVERYTHING as EVERYTHING_COUNTS
from service_quality.histories.counting import Counting
from service_quality.histories.history import Column, HistoryPlan
from spark_jobs.logs.log_order import own_clock, reached_at

Row = dict[str, Any]


class ColumnSpan(NamedTuple):
    """Behind one log index a column holds what entered behind another; it is incomplete since a clock, or complete."""

    behind: int
    counts_behind: int
    since: int | None


#: The spans of the columns that do not hold everything since the shop's first record, in order of the log.
CountedSpans = Mapping[Column, Sequence[ColumnSpan]]

EVERYTHING = (ColumnSpan(-1, -1, None),)

_OF_CHANGE = ("position", "row_follows", "import_columns", "declared", "filled")


@dataclass
class ShopCounting:
    """The counting of one shop at the end of its log: `behind` is the log index of each position where one began."""

    counting: Counting = EVERYTHING_COUNTS
    behind: dict[str, int] = field(default_factory=dict)
    clock: int = 0

    def advance(self, change: Row) -> None:
        """Let a change take effect."""
        position, self.counting = _after(self.counting, change)
        self.behind.setdefault(position, change["log_index"])
        self.clock = change["clock"]


def counted_spans(entries: DataFrame, log: DataFrame, plan: HistoryPlan) -> dict[str, CountedSpans]:
    """The spans of a plan's columns by shop, for shops with any column that began later than the shop.

    `entries` are all of the archive (archive.ENTRY_DDL), `log` its accepted records (archive.to_log).
    """
    found = {shop_id: walk_changes(changes, plan) for shop_id, changes in _changes_by_shop(entries, log).items()}
    return {shop_id: spans for shop_id, spans in found.items() if spans}


def shop_countings(entries: DataFrame, log: DataFrame) -> dict[str, ShopCounting]:
    """The counting of every shop at the end of its log."""
    found: dict[str, ShopCounting] = defaultdict(ShopCounting)
    for shop_id, changes in _changes_by_shop(entries, log).items():
        for change in changes:
            found[shop_id].advance(change)
    ends = log.groupBy("shop_id").agg(F.max(own_clock()).alias("clock")).collect()
    for row in ends:
        found[row["shop_id"]].clock = row["clock"]
    return found


def _changes_by_shop(entries: DataFrame, log: DataFrame) -> dict[str, list[Row]]:
    """What changed the counting of each shop, in order, with the last `log_index` and `clock` before it takes effect.

    A row's declaration takes effect before its first record, an import behind its own record.
    """
    is_change = "declared is not null or filled is not null or import_columns is not null"
    changes = entries.where(f"rejected is null and not duplicate and ({is_change})").select("shop_id", *_OF_CHANGE)
    found = [row.asDict() for row in changes.collect()]
    reached = reached_at(log, map(_bound, found))
    by_shop: dict[str, list[Row]] = defaultdict(list)
    for change in sorted(found, key=_bound):
        before = reached[_bound(change)]
        by_shop[change["shop_id"]].append(change | {"log_index": before.log_index, "clock": before.clock})
    return by_shop


def _bound(change: Row) -> tuple[str, str, bool]:
    return change["shop_id"], change["position"], change["declared"] is None


def walk_changes(changes: Sequence[Row], plan: HistoryPlan) -> CountedSpans:
    """The spans of one shop's columns, from its changes in order of the log."""
    shop = ShopCounting()
    spans: dict[Column, list[ColumnSpan]] = defaultdict(list)
    for change in changes:
        shop.advance(change)
        for restart in shop.counting.restarts:
            for name in restart.columns:
                column = plan.column_of.get(name)
                if column is None:
                    continue
                counts = (-1, None) if restart.clock is None else (shop.behind[restart.follows], restart.clock)
                if not spans[column] or spans[column][-1][1:] != counts:
                    spans[column].append(ColumnSpan(change["log_index"], *counts))
    return dict(spans)


def _after(counting: Counting, change: Row) -> tuple[str, Counting]:
    """The position behind which a change takes effect, and the counting from there on."""
    if change["declared"] is not None:
        position, columns = change["row_follows"], tuple(json.loads(change["declared"])["columns"])
        return position, counting.under(columns, follows=position, clock=change["clock"])
    position = change["position"]
    if change["filled"] is not None:
        filled = json.loads(change["filled"])
        if filled["kind"] == StateRebuilt.kind:
            rebuilt = Counting(counting.columns)
            return position, rebuilt.imported(filled["columns"].split(), follows=position, clock=change["clock"])
        return position, counting.filled(filled["columns"].split(), follows=filled["follows"])
    return position, counting.imported(change["import_columns"].split(), follows=position, clock=change["clock"])
