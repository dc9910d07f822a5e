"""The conversation fold over a log: the core's own fold, run over streams of events sorted by conversation.

One row comes out for each event that changed something: what it showed, and the facts it changed. A fact is kept
once, under all attributes at a time; the histories of the single entities are made from these later, by columns.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.commit.state_items import ConversationItem, decode_conversation, encode_conversation
from service_quality.conversations.conversation import (
    EMPTY,
    Conversation,
    merge_conversations,
    refuse_too_old,
    remembered,
)
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.facts.conversation_facts import Fact, FactTotals, KeptFacts
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation
from service_quality.facts.entities import ATTRIBUTES, Entity
from service_quality.features.declarations import EventValue, FeatureSet

Row = dict[str, Any]  # one row of a table, as Arrow hands it over

#: Facts are kept once under everything that any entity is made of.
_WHOLE = Entity("", ATTRIBUTES, keeps_missing=True)
_BATCH_ROWS = 4_000

_FACTS = pa.list_(
    pa.struct([("attributes", pa.string()), ("at", pa.int64()), ("name", pa.string()), ("value", pa.int64())])
)
_FACTS_DDL = "facts array<struct<attributes: string, at: bigint, name: string, value: bigint>>"
LIVE_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("place", pa.int64()),
        ("clock", pa.int64()),
        ("event_id", pa.string()),
        ("conversation_id", pa.string()),
        ("kind", pa.string()),
        ("occurred_at", pa.int64()),
        ("scored", pa.bool_()),
        ("rating", pa.int64()),
        ("attributes", pa.string()),
        ("values", pa.list_(pa.float64())),
        ("facts", _FACTS),
    ]
)
LIVE_DDL = (
    "shop_id string, place bigint, clock bigint, event_id string, conversation_id string, kind string, "
    f"occurred_at bigint, scored boolean, rating bigint, attributes string, values array<double>, {_FACTS_DDL}"
)
PAST_SCHEMA = pa.schema(
    [("shop_id", pa.string()), ("fold_key", pa.string()), ("conversation", pa.binary()), ("facts", _FACTS)]
)
PAST_DDL = f"shop_id string, fold_key string, conversation binary, {_FACTS_DDL}"


def fold_live(log: DataFrame, features: FeatureSet, imports: DataFrame | None = None) -> DataFrame:
    """Fold a log event by event (columns of shop_log → LIVE_SCHEMA).

    `imports` are the conversations that backfills brought: shop_id, fold_key, place (of the import's mark),
    conversation (as stored).
    """
    kept, names = whole_facts(features), event_value_names(features)
    if imports is None:
        log = log.withColumn("imports", F.lit(None).cast("array<struct<place: bigint, conversation: binary>>"))
    else:
        packed = imports.groupBy("shop_id", "fold_key").agg(
            F.sort_array(F.collect_list(F.struct("place", "conversation"))).alias("imports")
        )
        log = log.join(packed, ["shop_id", "fold_key"], "left")

    def fold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for_each = (row for group in _conversations(batches) for row in _fold_live_group(group, kept, names))
        yield from _batched(for_each, LIVE_SCHEMA)

    return _by_conversation(log).mapInArrow(fold, LIVE_DDL)


def fold_past(log: DataFrame, features: FeatureSet) -> DataFrame:
    """Fold a log to its end (columns of shop_log → PAST_SCHEMA): each conversation as stored, and all its facts."""
    kept = whole_facts(features)

    def fold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from _batched((_fold_past_group(group, kept) for group in _conversations(batches)), PAST_SCHEMA)

    return _by_conversation(log).mapInArrow(fold, PAST_DDL)


def whole_facts(features: FeatureSet) -> KeptFacts:
    """Every fact that some history keeps, once, under all attributes."""
    return dict.fromkeys(features.plan.kept, (_WHOLE,))


def event_value_names(features: FeatureSet) -> tuple[str, ...]:
    """The values of a conversation that the features read, in order."""
    return tuple(feature.value for feature in features.features if isinstance(feature, EventValue))


def to_event(row: Row) -> InteractionEvent:
    """The interaction event in a row of a log."""
    return InteractionEvent(**{name: row[name] for name in FIELDS})


def _by_conversation(log: DataFrame) -> DataFrame:
    return log.repartition("shop_id", "fold_key").sortWithinPartitions("shop_id", "fold_key", "place")


def _conversations(batches: Iterable[pa.RecordBatch]) -> Iterator[Iterator[Row]]:
    rows = (row for batch in batches for row in batch.to_pylist())
    for _, group in groupby(rows, key=itemgetter("shop_id", "fold_key")):
        yield group


def _step(held: FoldedConversation, row: Row, imported: Conversation = EMPTY) -> ConversationStep | None:
    """One row folded in; None for what changes nothing, be it a duplicate or refused."""
    event = to_event(row)
    try:
        refuse_too_old(event, received_clock=row["received_clock"])
        return step_conversation(
            held, event, clock=row["clock"], received_clock=row["received_clock"], imported=imported
        )
    except RejectedEventError:
        return None


def _fold_live_group(rows: Iterator[Row], kept: KeptFacts, names: tuple[str, ...]) -> Iterator[Row]:
    held = FoldedConversation(EMPTY, kept)
    absorbed_until = -1
    for row in rows:
        waiting = [one for one in row["imports"] or () if absorbed_until < one["place"] < row["place"]]
        imported = EMPTY
        for one in waiting:
            past = decode_conversation(one["conversation"], row["shop_id"]).conversation
            imported = merge_conversations(imported, remembered(past, received_clock=row["received_clock"]))
        step = _step(held, row, imported)
        if step is None:
            continue
        held = step.after
        absorbed_until = row["place"]
        yield _live_row(row, step, names)


def _live_row(row: Row, step: ConversationStep, names: tuple[str, ...]) -> Row:
    return {
        **{
            name: row[name]
            for name in ("shop_id", "place", "clock", "event_id", "conversation_id", "kind", "occurred_at")
        },
        "scored": step.scored,
        "rating": step.after.standing.rating,
        "attributes": _WHOLE.key(step.attributes),
        "values": [step.values[name] for name in names] if step.scored else None,
        "facts": [_fact_row(fact) for fact in step.facts],
    }


def _fold_past_group(rows: Iterator[Row], kept: KeptFacts) -> Row:
    held = FoldedConversation(EMPTY, kept)
    totals: FactTotals = {}
    row: Row = {}
    for row in rows:
        step = _step(held, row)
        if step is None:
            continue
        held = step.after
        for fact in step.facts:
            totals[fact.key, fact.at, fact.name] = totals.get((fact.key, fact.at, fact.name), 0) + fact.value
    return {
        "shop_id": row["shop_id"],
        "fold_key": row["fold_key"],
        "conversation": encode_conversation(ConversationItem(held.conversation)),
        "facts": [_fact_row(Fact(*key, value)) for key, value in totals.items() if value],
    }


def _fact_row(fact: Fact) -> Row:
    return {"attributes": fact.key, "at": fact.at, "name": fact.name, "value": fact.value}


def _batched(rows: Iterable[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    held: list[Row] = []
    for row in rows:
        held.append(row)
        if len(held) >= _BATCH_ROWS:
            yield pa.RecordBatch.from_pylist(held, schema=schema)
            held = []
    if held:
        yield pa.RecordBatch.from_pylist(held, schema=schema)
