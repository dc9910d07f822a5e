"""Virtual timers: the stages that time would have reached, for events that no log has brought.

A stage is placed before the first record of its shop that was received later than its due instant and the grace, as it
would have rung. Whether it is reached before the next event of its conversation depends on that event's received clock
alone, so a conversation is folded by itself; the places are found afterwards: by a second sort, where a log is wanted
(with_virtual_timers), or by counting, where what was folded is wanted (reader/timed_features).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.commit.timers import Timer
from service_quality.conversations.conversation import CONTACT
from service_quality.conversations.wait_stages import Stage
from service_quality.events.control_records import control_to_dict
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import FIELDS
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.facts.turn_ends import ended_by_day, open_turn
from spark_jobs.logs.archive import ENTRY_DDL, ENTRY_SCHEMA, to_batch
from spark_jobs.logs.conversation_replay import Replay, to_event
from spark_jobs.logs.log_order import locate_in_logs
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.logs.shop_log import fold_key, without_words
from spark_jobs.logs.time_rows import reached_columns, with_reached

Row = dict[str, Any]

#: The `after_index` of what stands behind every event of a received clock.
BEHIND_ALL = 2**62
_COLUMNS = (*FIELDS, "reached")
_PLACE = (("policies_known", pa.int32()), ("after_clock", pa.int64()), ("after_index", pa.int64()))
TIMER_SCHEMA = pa.schema([*(ENTRY_SCHEMA.field(name) for name in _COLUMNS), *_PLACE])
_DDL = dict(column.split(" ", 1) for column in ENTRY_DDL.split(", "))
TIMER_DDL = ", ".join(
    [*(f"{name} {_DDL[name]}" for name in _COLUMNS), "policies_known int, after_clock bigint, after_index bigint"]
)


class VirtualTime(NamedTuple):
    """The stages that time reaches, and by shop the received clock up to which it passes."""

    stages: Sequence[Stage]
    ends: Mapping[str, int]


def with_virtual_timers(log: DataFrame, stages: Sequence[Stage], policies: PoliciesByShop = NO_POLICIES) -> DataFrame:
    """A log without reached stages (columns of shop_log, and policies_known) with those that time would have reached.

    The log is in the order of received clocks. Log indexes and clocks are computed again.
    """
    if not stages:
        return log
    log = log.persist(StorageLevel.DISK_ONLY)
    timers = find_timers(log, stages, policies).persist(StorageLevel.DISK_ONLY)
    events = with_reached(log).select(
        *_COLUMNS,
        F.col("policies_known").cast("int").alias("policies_known"),
        F.col("received_clock").alias("after_clock"),
        F.col("log_index").alias("after_index"),
    )
    due = F.when(F.col("reached").isNull(), 0).otherwise(F.col("occurred_at"))
    texts = (F.when(F.col("reached").isNull(), "").otherwise(F.col(name)) for name in ("conversation_id", "reached"))
    order = [F.col("after_clock"), F.col("after_index"), due, *texts]
    located = locate_in_logs(events.unionByName(timers), order)
    return located.drop("after_clock", "after_index").withColumn("fold_key", fold_key())


def find_timers(log: DataFrame, stages: Sequence[Stage], policies: PoliciesByShop = NO_POLICIES) -> DataFrame:
    """The stages that conversations of a log reach, each with what it stands behind (TIMER_DDL)."""
    ends = ends_of(log)
    contacts = without_words(log).where(F.col("fold_key").startswith(CONTACT + SEPARATOR))

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        for (shop_id, _), group in groupby(rows, key=itemgetter("shop_id", "fold_key")):
            found = list(timers_of(group, stages, policies, until=ends[shop_id]))
            if found:
                yield to_batch(found, TIMER_SCHEMA)

    sorted_rows = contacts.repartition("shop_id", "fold_key").sortWithinPartitions("shop_id", "fold_key", "log_index")
    return sorted_rows.mapInArrow(find, TIMER_DDL)


def ends_of(log: DataFrame) -> Mapping[str, int]:
    """The received clock at the end of each shop's log."""
    ends = log.groupBy("shop_id").agg(F.max("received_clock").alias("received_clock")).collect()
    return {row["shop_id"]: row["received_clock"] for row in ends}


def timers_of(
    rows: Iterable[Row], stages: Sequence[Stage], policies: PoliciesByShop = NO_POLICIES, *, until: int
) -> Iterator[Row]:
    """The stages that a conversation reaches (TIMER_SCHEMA), from its rows in order of the log.

    `until` is the received clock at the end of the shop's log.
    """
    timed = steps_with_time(Replay({}, policies), rows, stages, until=until)
    return (row for row, _ in timed if is_timer(row))


def is_timer(row: Row) -> bool:
    """Whether a row is that of a stage that virtual time reached."""
    return row.get("after_clock") is not None


def steps_with_time(
    replay: Replay, rows: Iterable[Row], stages: Sequence[Stage], *, until: int
) -> Iterator[tuple[Row, ConversationStep]]:
    """The steps of a conversation's rows, in order of the log, and of the stages that it reaches between them.

    A stage's row has `after_clock` and `after_index`, and log index and clock of the row that it follows in its
    conversation; it comes when its turn is over. A turn that an event known to the day ends reaches none.
    """
    last: Row | None = None
    of_turn: list[tuple[Row, ConversationStep]] = []
    for row in rows:
        if last is not None:
            of_turn += _rung(replay, last, stages, until=row["received_clock"])
        turn = open_turn(replay.held)
        step = replay.take(row)
        if step is not None:
            if of_turn and open_turn(step.after) != turn:
                yield from () if ended_by_day(turn, to_event(row), step.after) else of_turn
                of_turn = []
            yield row, step
        last = row
    yield from of_turn
    if last is not None:
        yield from _rung(replay, last, stages, until=until)


def _rung(replay: Replay, last: Row, stages: Sequence[Stage], *, until: int) -> Iterator[tuple[Row, ConversationStep]]:
    """The stages behind a conversation's last event, up to a received clock."""
    while (deadline := replay.held.next_deadline(stages)) is not None:
        timer = Timer(last["shop_id"], last["conversation_id"], deadline)
        is_late = timer.rings_at < last["received_clock"]
        if not is_late and timer.rings_at >= until:
            return
        row = reached_columns(control_to_dict(timer.reached)) | {
            "policies_known": last.get("policies_known", 0),
            "log_index": last["log_index"],
            "clock": last["clock"],
            "received_clock": max(last["received_clock"], deadline.due_at),
            "after_clock": max(timer.rings_at, last["received_clock"]),
            "after_index": last["log_index"] if is_late else BEHIND_ALL,
        }
        step = replay.take(row)
        if step is None:
            return
        yield row, step
