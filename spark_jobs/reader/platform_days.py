"""The waits of customers on a log, counted by day as each platform standard counts them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.commit.state_items import decode_conversation, decode_part
from service_quality.conversations.conversation import EMPTY, Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.imported_part import join_parts
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.features.feature_set import FEATURES
from service_quality.policies.platform_counts import CustomerWait, count_waits
from service_quality.policies.platform_standards import DayCount, PlatformStandard
from service_quality.policies.policy import Policy
from spark_jobs.logs.folding import fold_states
from spark_jobs.logs.policies import PoliciesByShop, ShopPolicies

Row = dict[str, Any]

_WAITS_DDL = "shop_id string, customer string, began_at bigint, answered_at bigint, ended_at bigint"
_WAITS = pa.schema(
    [
        *((name, pa.string()) for name in ("shop_id", "customer")),
        *((name, pa.int64()) for name in ("began_at", "answered_at", "ended_at")),
    ]
)
_DAYS_DDL = "shop_id string, standard string, day bigint, rounds bigint, on_time bigint"
_DAYS = pa.schema(
    [
        *((name, pa.string()) for name in ("shop_id", "standard")),
        *((name, pa.int64()) for name in ("day", "rounds", "on_time")),
    ]
)


def log_ends(log: DataFrame) -> dict[str, int]:
    """The clock of each shop at the end of its log (archive.to_log)."""
    return {row["shop_id"]: row["ends"] for row in log.groupBy("shop_id").agg(F.max("clock").alias("ends")).collect()}


def count_by_day(
    log: DataFrame, policies: PoliciesByShop, standards: Sequence[PlatformStandard], ends: Mapping[str, int]
) -> dict[tuple[str, str], list[DayCount]]:
    """By shop and standard the counts of each day on which something counts, in order.

    `log` has the columns of shop_log with or without those of imports, `ends` the clock of each shop at its end.
    """

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            waits = [wait for row in batch.to_pylist() for wait in _waits_of(row, policies, ends)]
            yield pa.RecordBatch.from_pylist(waits, schema=_WAITS)

    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        for (shop_id, _), group in groupby(rows, key=itemgetter("shop_id", "customer")):
            yield pa.RecordBatch.from_pylist([*_days_of(shop_id, group, standards, ends)], schema=_DAYS)

    states = fold_states(log, FEATURES, (), policies).select("shop_id", "conversation", "parts")
    waits = states.mapInArrow(read, _WAITS_DDL).repartition("shop_id", "customer")
    days = waits.sortWithinPartitions("shop_id", "customer").mapInArrow(count, _DAYS_DDL)
    summed = days.groupBy("shop_id", "standard", "day").agg(
        F.sum("rounds").alias("rounds"), F.sum("on_time").alias("on_time")
    )
    found: dict[tuple[str, str], list[DayCount]] = defaultdict(list)
    for row in summed.orderBy("day").collect():
        found[row["shop_id"], row["standard"]].append(DayCount(row["day"], row["rounds"], row["on_time"]))
    return dict(found)


def _days_of(
    shop_id: str, waits: Iterable[Row], standards: Sequence[PlatformStandard], ends: Mapping[str, int]
) -> Iterator[Row]:
    of_customer = [CustomerWait(row["began_at"], row["answered_at"], row["ended_at"]) for row in waits]
    for standard in standards:
        for day in count_waits(standard, of_customer, until=ends[shop_id]):
            yield {"shop_id": shop_id, "standard": standard.name, **day._asdict()}


def _waits_of(row: Row, policies: PoliciesByShop, ends: Mapping[str, int]) -> Iterator[Row]:
    """The waits of a conversation, each under its customer, or under the conversation where nobody is named."""
    shop_id = row["shop_id"]
    conversation = _whole(row)
    if not conversation.events:
        return
    state = read_at_the_end(conversation, policies.get(shop_id, ShopPolicies()).policies, until=ends[shop_id])
    conversation_id = conversation.events[0].conversation_id
    if state.is_merged or conversation_id is None:
        return
    customer = state.contact["customer_id"] or f"\x1e{conversation_id}"
    for wait in waits_of(state):
        yield {"shop_id": shop_id, "customer": customer, **wait._asdict()}


def _whole(row: Row) -> Conversation:
    """A conversation with the parts of imports that it has not absorbed."""
    shop_id, data = row["shop_id"], row["conversation"]
    held = EMPTY if data is None else decode_conversation(bytes(data), shop_id).conversation
    return join_parts(held, [decode_part(bytes(part["data"]), shop_id) for part in row["parts"]])


def read_at_the_end(conversation: Conversation, policies: Sequence[Policy], *, until: int) -> ConversationState:
    """The state of a conversation at the end of a log: a round that is silent for too long by then has ended."""
    return read_conversation(in_order(conversation), policies, past=conversation.past, until=until)


def waits_of(state: ConversationState) -> Iterator[CustomerWait]:
    """The waits of a conversation whose beginning and end are known to the millisecond."""
    for one in state.rounds:
        for reply in one.replies:
            if reply.began_at is not None and reply.waited_ms is not None:
                yield CustomerWait(reply.began_at, reply.at, reply.at)
        for turn in one.unanswered:
            if turn.began_at is not None:
                yield CustomerWait(turn.began_at, None, turn.at)
    if state.turn is not None and state.turn.began_at is not None:
        yield CustomerWait(state.turn.began_at, None, None)
