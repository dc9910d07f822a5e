"""Synthetic logs for the windows: rows of a few shops in log order, some of them late, as one Parquet file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from service_quality.instants import DAY, HOUR

SHOPS, AGENTS, CATEGORIES = 8, 50, 12  # agents and categories of each shop
ROWS_PER_CUSTOMER = 20
BUSIEST = 0.05  # the busiest agent's share of all rows in a skewed log
DAYS = 120
_START = 1_767_600_000_000
_LATE, _VERY_LATE = 0.03, 0.002  # the share of rows that arrive hours and days after they occurred
_ROWS_A_GROUP = 500_000

Integers = NDArray[np.int64]


def write_log(file: Path, *, rows: int, skewed: bool, seed: int = 1) -> None:
    """Write a log: log_index, shop, agent, category, customer, clock, occurred_at, and two numbers to sum.

    `log_index` counts from 0 over all shops, `clock` is the latest `occurred_at` of its shop so far. Numbers of agents,
    categories and customers are unique over all shops, so that no engine has to group by two columns. Some amounts
    are negative, as corrections are.
    """
    chance = np.random.default_rng(seed)
    at = _instants(rows, chance)
    shop = chance.integers(0, SHOPS, rows)
    agent = shop * AGENTS + chance.integers(0, AGENTS, rows)
    if skewed:
        busiest = chance.random(rows) < BUSIEST * SHOPS
        agent[(shop == 0) & busiest] = 0
    customers = max(1, rows // ROWS_PER_CUSTOMER // SHOPS)
    table = pa.table(
        {
            "log_index": np.arange(rows),
            "shop": shop.astype(np.int32),
            "agent": agent.astype(np.int32),
            "category": (shop * CATEGORIES + chance.integers(0, CATEGORIES, rows)).astype(np.int32),
            "customer": (shop * customers + chance.integers(0, customers, rows)).astype(np.int32),
            "clock": _clocks(at, shop),
            "occurred_at": at,
            "reply_ms": chance.integers(0, HOUR, rows),
            "amount_minor": chance.integers(-5_000, 100_000, rows),
        }
    )
    parquet.write_table(table, file, row_group_size=_ROWS_A_GROUP, compression="snappy")


def _instants(rows: int, chance: np.random.Generator) -> Integers:
    """Instants in order of arrival: mostly in order of time, some late."""
    at = np.sort(_START + chance.integers(0, DAYS * DAY, rows))
    kind = chance.random(rows)
    late = chance.integers(0, 3 * HOUR, rows) * (kind < _LATE) + chance.integers(0, 9 * DAY, rows) * (kind < _VERY_LATE)
    return at - late


def _clocks(at: Integers, shop: Integers) -> Integers:
    clock = np.empty_like(at)
    for one in range(SHOPS):
        mine = shop == one
        clock[mine] = np.maximum.accumulate(at[mine])
    return clock
