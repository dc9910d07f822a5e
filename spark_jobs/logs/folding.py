"""The conversation fold over a log: the core's own fold, run over streams of events sorted by conversation.

The result has one row for each event with a change: its values, and the facts that it changed. A fact is stored
once, under all attributes at a time; the histories of the single entities are made from these later, by columns.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.commit.state_items import ConversationItem, encode_conversation, encode_part
from service_quality.conversations.conversation import CONTACT, EMPTY
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.wait_stages import Stage
from service_quality.events.identifiers import SEPARATOR
from service_quality.facts.conversation_facts import Fact, KeptFacts
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, counted_facts
from service_quality.facts.entities import ATTRIBUTES, Entity
from service_quality.facts.import_fold import FoldedImport
from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.conversation_replay import Replay
from spark_jobs.logs.import_rows import without_imports
from spark_jobs.logs.imported_log import NOT_YET
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.logs.rules import NO_STAGES, ShopStages
from spark_jobs.logs.shop_log import without_words
from spark_jobs.logs.virtual_timers import VirtualTime, steps_with_time

Row = dict[str, Any]  # one row of a table, as Arrow hands it over

#: Facts are stored once under the attributes of all entities.
_WHOLE = Entity("", ATTRIBUTES, keeps_missing=True)
_PLACE = "?"
_BATCH_ROWS = 4_000

_FACTS = pa.list_(
    pa.struct([("attributes", pa.string()), ("at", pa.int64()), ("name", pa.string()), ("value", pa.int64())])
)
_FACTS_DDL = "facts array<struct<attributes: string, at: bigint, name: string, value: bigint>>"
LIVE_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("log_index", pa.int64()),
        ("clock", pa.int64()),
        ("event_id", pa.string()),
        ("conversation_id", pa.string()),
        ("kind", pa.string()),
        ("occurred_at", pa.int64()),
        ("scored", pa.bool_()),
        ("round", pa.int64()),
        ("label", pa.int64()),
        ("attributes", pa.string()),
        ("values", pa.list_(pa.float64())),
        ("facts", _FACTS),
    ]
)
LIVE_DDL = (
    "shop_id string, log_index bigint, clock bigint, event_id string, conversation_id string, kind string, "
    "occurred_at bigint, scored boolean, round bigint, label bigint, attributes string, values array<double>, "
    f"{_FACTS_DDL}"
)
#: Beside them, of the stages that virtual time reached, what they stand behind; null for the rows of the log.
TIMED_SCHEMA = pa.schema([*LIVE_SCHEMA, ("after_clock", pa.int64()), ("after_index", pa.int64())])
IMPORT_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("fold_key", pa.string()),
        ("part", pa.binary()),
        ("touched_at", pa.int64()),
        ("left_out", pa.int64()),
        ("deadline", pa.string()),
        ("facts", _FACTS),
    ]
)
STATE_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("fold_key", pa.string()),
        ("conversation", pa.binary()),
        ("touched_at", pa.int64()),
        ("parts", pa.list_(pa.struct([("data", pa.binary()), ("touched_at", pa.int64())]))),
        ("subjects", pa.list_(pa.string())),
        ("facts", _FACTS),
    ]
)
STATE_DDL = (
    "shop_id string, fold_key string, conversation binary, touched_at bigint, "
    f"parts array<struct<data: binary, touched_at: bigint>>, subjects array<string>, {_FACTS_DDL}"
)
IMPORT_DDL = (
    f"shop_id string, fold_key string, part binary, touched_at bigint, left_out bigint, deadline string, {_FACTS_DDL}"
)


def fold_live(log: DataFrame, features: FeatureSet, policies: PoliciesByShop = NO_POLICIES) -> DataFrame:
    """Fold a log event by event (columns of shop_log, with or without those of imports → LIVE_SCHEMA).

    An import makes one row for each conversation that it knows, with the log index and the clock of its import record.
    """
    return by_conversation(log).mapInArrow(lambda batches: fold_batches(batches, features, policies), LIVE_DDL)


def fold_batches(
    batches: Iterable[pa.RecordBatch], features: FeatureSet, policies: PoliciesByShop = NO_POLICIES
) -> Iterator[pa.RecordBatch]:
    """Fold the sorted rows of whole conversations (by_conversation → LIVE_SCHEMA)."""
    kept, names = whole_facts(features), features.event_values
    folded = (row for group in _conversations(batches) for row in _fold_live_group(group, kept, names, policies))
    yield from _batched(folded, LIVE_SCHEMA)


def fold_timed_batches(
    batches: Iterable[pa.RecordBatch], features: FeatureSet, policies: PoliciesByShop, time: VirtualTime
) -> Iterator[pa.RecordBatch]:
    """Fold the sorted rows of whole conversations and what time would have reached (by_conversation → TIMED_SCHEMA)."""
    kept, names = whole_facts(features), features.event_values
    folded = (row for group in _conversations(batches) for row in _fold_timed_group(group, kept, names, policies, time))
    yield from _batched(folded, TIMED_SCHEMA)


def fold_last_import(
    log: DataFrame, features: FeatureSet, policies: PoliciesByShop = NO_POLICIES, stages: ShopStages = NO_STAGES
) -> DataFrame:
    """The last import's changes of each conversation (columns of shop_log with those of imports → IMPORT_SCHEMA).

    `deadline` is the next one of the conversation with the import, in JSON; null where its timer does not ring.
    """
    kept = whole_facts(features)

    def fold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from _batched(
            (_fold_import_group(group, kept, policies, stages) for group in _conversations(batches)), IMPORT_SCHEMA
        )

    return by_conversation(log).mapInArrow(fold, IMPORT_DDL)


def fold_states(
    log: DataFrame,
    features: FeatureSet,
    subjects: Collection[str],
    policies: PoliciesByShop = NO_POLICIES,
    stages: ShopStages = NO_STAGES,
) -> DataFrame:
    """What is left of each conversation at a log's end (columns of shop_log with those of imports → STATE_SCHEMA).

    `conversation` is encoded, null where nothing of it is held; `parts` are those of imports that it has not absorbed;
    `facts` are the sums of its facts at each instant. `subjects` are the keys of the entities of these names that it
    named, `stages` those at which its timer rings.
    """
    kept, names = whole_facts(features), tuple(sorted(subjects))

    def fold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from _batched(
            (_fold_state_group(group, kept, names, policies, stages) for group in _conversations(batches)), STATE_SCHEMA
        )

    return by_conversation(log).mapInArrow(fold, STATE_DDL)


def whole_facts(features: FeatureSet) -> KeptFacts:
    """Every fact that some history holds, once, under all attributes."""
    return dict.fromkeys(features.plan.kept, (_WHOLE,))


def whole_attributes(name: str, value: Column) -> Column:
    """The column `attributes` of rows that one attribute names."""
    before, after = _WHOLE.key({name: _PLACE}).split(_PLACE)  # type: ignore[union-attr]  # it keeps missing ones
    return F.concat(F.lit(before), value, F.lit(after))


def by_conversation(log: DataFrame) -> DataFrame:
    """A log (columns of shop_log, with or without those of imports) by conversation, each in the order of its fold."""
    if "number" not in log.columns:
        log = without_imports(log)
    return (
        without_words(log)
        .repartition("shop_id", "fold_key")
        .sortWithinPartitions("shop_id", "fold_key", "behind", "number", "turn")
    )


def _conversations(batches: Iterable[pa.RecordBatch]) -> Iterator[Iterator[Row]]:
    rows = (row for batch in batches for row in batch.to_pylist())
    for _, group in groupby(rows, key=itemgetter("shop_id", "fold_key")):
        yield group


def _imports_and_events(rows: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
    """The rows of each import, and each row of the log, which has number 0."""
    for (_, number), group in groupby(rows, key=itemgetter("behind", "number")):
        yield number, list(group)


def _fold_live_group(
    rows: Iterator[Row], kept: KeptFacts, names: tuple[str, ...], policies: PoliciesByShop = NO_POLICIES
) -> Iterator[Row]:
    replay = Replay(kept, policies)
    for number, group in _imports_and_events(rows):
        if number:
            yield _import_row(group[0], replay.take_import(group))
            continue
        for row in group:
            step = replay.take(row)
            if step is not None:
                yield _live_row(row, step, names)


def _fold_timed_group(
    rows: Iterator[Row], kept: KeptFacts, names: tuple[str, ...], policies: PoliciesByShop, time: VirtualTime
) -> Iterator[Row]:
    first = next(rows)
    stages = time.stages if first["fold_key"].startswith(CONTACT + SEPARATOR) else ()
    until = time.ends[first["shop_id"]]
    for row, step in steps_with_time(Replay(kept, policies), chain([first], rows), stages, until=until):
        yield _live_row(row, step, names) | {name: row.get(name) for name in ("after_clock", "after_index")}


def _fold_import_group(
    rows: Iterator[Row], kept: KeptFacts, policies: PoliciesByShop = NO_POLICIES, stages: ShopStages = NO_STAGES
) -> Row:
    replay = Replay(kept, policies)
    folded, last = FoldedImport(ImportedPart(EMPTY, EMPTY), [], 0), {}
    for number, group in _imports_and_events(rows):
        if number:
            folded, last = replay.take_import(group), group[0]
        else:
            for row in group:
                replay.take(row)
    deadline = replay.deadline_at(last, stages.of(last["shop_id"]))
    return {
        "shop_id": last["shop_id"],
        "fold_key": last["fold_key"],
        "deadline": None if deadline is None else json.dumps(deadline),
        "part": encode_part(folded.part),
        "touched_at": folded.part.after.touched_at,
        "left_out": folded.left_out,
        "facts": [_fact_row(fact) for fact in folded.facts],
    }


def _fold_state_group(
    rows: Iterator[Row],
    kept: KeptFacts,
    names: tuple[str, ...],
    policies: PoliciesByShop = NO_POLICIES,
    stages: ShopStages = NO_STAGES,
) -> Row:
    replay, first = Replay(kept, policies), None
    sums = _SumOfSteps()
    subjects: set[str] = set()
    for number, group in _imports_and_events(rows):
        first = first or group[0]
        if number:
            folded = replay.take_import(group)
            sums.add_import(folded.facts if group[0]["log_index"] < NOT_YET else ())
            continue
        for row in group:
            step = replay.take(row)
            if step is not None:
                sums.add(step)
                subjects |= {step.keys[name] for name in names if name in step.keys}
    assert first is not None  # a group has a row
    held = replay.held.conversation
    return {
        **{name: first[name] for name in ("shop_id", "fold_key")},
        "conversation": _encoded(replay, stages.of(first["shop_id"])) if held.events else None,
        "touched_at": held.touched_at,
        "parts": [
            {"data": encode_part(part), "touched_at": part.after.touched_at}
            for log_index, part in replay.parts
            if log_index < NOT_YET
        ],
        "subjects": sorted(subjects),
        "facts": [
            {"attributes": key, "at": at, "name": name, "value": value}
            for (key, at, name), value in sums.totals().items()
            if value
        ],
    }


def _encoded(replay: Replay, stages: Sequence[Stage]) -> bytes:
    return encode_conversation(ConversationItem(replay.held.conversation, timer=replay.held.next_deadline(stages)))


class _SumOfSteps:
    """The facts that the steps of a conversation change, summed; those of steps that build on each other cancel out.

    What a step changes is the difference of two foldings, so of such steps the last folding alone counts.
    """

    def __init__(self) -> None:
        self._sums: Counter[tuple[str, int, str]] = Counter()
        self._last: FoldedConversation | None = None

    def add(self, step: ConversationStep) -> None:
        if step.known is not self._last or step.parts:
            self._count_last()
            self._sums.subtract(counted_facts(step.known, step.parts))
        self._last = step.after

    def add_import(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._sums[fact.key, fact.at, fact.name] += fact.value

    def totals(self) -> Mapping[tuple[str, int, str], int]:
        """The sums by key, instant and name."""
        self._count_last()
        self._last = None
        return self._sums

    def _count_last(self) -> None:
        if self._last is not None:
            self._sums.update(self._last.totals)


def _import_row(row: Row, folded: FoldedImport) -> Row:
    names = ("event_id", "conversation_id", "kind", "occurred_at", "round", "label", "attributes", "values")
    nothing = dict.fromkeys(names)
    located = {name: row[name] for name in ("shop_id", "log_index", "clock")}
    return {**nothing, **located, "scored": False, "facts": [_fact_row(fact) for fact in folded.facts]}


def _live_row(row: Row, step: ConversationStep, names: tuple[str, ...]) -> Row:
    return {
        **{
            name: row[name]
            for name in ("shop_id", "log_index", "clock", "event_id", "conversation_id", "kind", "occurred_at")
        },
        "scored": step.scored,
        "round": step.round,
        "label": step.label,
        "attributes": _WHOLE.key(step.attributes),
        "values": [step.values[name] for name in names] if step.scored else None,
        "facts": [_fact_row(fact) for fact in step.facts],
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
