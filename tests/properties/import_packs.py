"""Backfills for tests: a past of its own, as packs in the store and as the naive reader is told of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    encode_conversation,
    encode_histories,
    encode_pack,
    entity_name,
    pack_key,
)
from service_quality.conversations.conversation import EMPTY, Conversation, advance, conversation_key
from service_quality.conversations.turns import read_standing
from service_quality.events.control_records import HistoryImported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import Fact, total_facts
from service_quality.facts.entities import home_key
from service_quality.features.declarations import FeatureSet
from service_quality.histories.history import build_history
from tests.properties.naive_reader import ImportedPast


@dataclass(frozen=True)
class Backfill:
    """The mark on the log, the packs under their keys, the same past as events, its conversations, those it keeps."""

    mark: HistoryImported
    packs: dict[str, bytes]
    past: ImportedPast
    folded: tuple[Conversation, ...]
    kept: dict[str, Conversation]


def build_backfill(events: Sequence[InteractionEvent], features: FeatureSet, mark: HistoryImported) -> Backfill:
    """Everything that some past events say by the mark's clock; conversations with an even number of events are
    closed and not kept."""
    folded: dict[str, Conversation] = defaultdict(lambda: EMPTY)
    for event in events:
        key = conversation_key(event)
        folded[key] = advance(folded[key], event, received_clock=event.received_at)
    facts = [
        Fact(key, at, name, value)
        for conversation in folded.values()
        for (key, at, name), value in _totals(conversation, features).items()
    ]
    kept = {key: conversation for key, conversation in folded.items() if len(conversation.events) % 2}
    items = {key: encode_conversation(ConversationItem(conversation)) for key, conversation in kept.items()}
    packs: dict[str, dict[str, bytes]] = defaultdict(dict)
    for key, data in {**items, **_history_items(facts, features, clock=mark.clock)}.items():
        packs[pack_key(mark.import_id, key, mark.buckets)][key] = data
    return Backfill(
        mark,
        {key: encode_pack(contents) for key, contents in packs.items()},
        ImportedPast(mark.clock, tuple(events), frozenset(kept)),
        tuple(folded.values()),
        kept,
    )


def _totals(conversation: Conversation, features: FeatureSet) -> dict[tuple[str, int, str], int]:
    return total_facts(conversation, read_standing(conversation), features.plan.kept)


def _history_items(facts: list[Fact], features: FeatureSet, *, clock: int) -> dict[str, bytes]:
    homes: dict[str, HistoryItem] = defaultdict(HistoryItem)
    for key in {fact.key for fact in facts}:
        own = [fact for fact in facts if fact.key == key]
        homes[home_key(key)].histories[key] = build_history(own, features.plan.windows[entity_name(key)], clock=clock)
    return {home: encode_histories(item) for home, item in homes.items()}
