"""The oracle: reads a shop's log by looping over raw facts, obviously right and slow.

It shares with the core what a conversation and its facts are (`read_standing`, `total_facts`, `read_event_values`),
and nothing of tiles, running sums, stored items, chunks or caches.
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service_quality.conversations import conversation as bounds
from service_quality.conversations.conversation import REMEMBERED, RETENTION, Conversation, conversation_key
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.turns import Standing, read_standing
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import DECISIVE, SCORED
from service_quality.facts.conversation_facts import Fact, FactTotals, contact_attributes, total_facts
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import (
    RATES,
    Age,
    EventValue,
    Feature,
    FeatureSet,
    Mean,
    Rate,
    Total,
    WindowRatio,
)
from service_quality.histories.windows import WINDOWS

Value = float | int | None


@dataclass(frozen=True)
class ImportedPast:
    """A backfill: the facts that it counted up to its clock, and the conversations that it kept, by key."""

    clock: int
    facts: tuple[Fact, ...]
    conversations: Mapping[str, Conversation]


@dataclass(frozen=True)
class Reading:
    """What one record of the log came to: "accepted", "duplicate", "too old", "full" or "failed".

    `vector` are the vector's bytes if it was scored.
    """

    position: str
    became: str
    clock: int
    vector: bytes | None = None


@dataclass
class Contact:
    """A conversation's accepted events, when it was last touched, and what imports know of it besides."""

    events: list[InteractionEvent] = field(default_factory=list)
    touched_at: int = 0
    imported: list[Conversation] = field(default_factory=list)


@dataclass
class NaiveReader:
    """Reads one shop's log in order; `fails` says on which vectors the scorer raises."""

    features: FeatureSet
    fails: Callable[[bytes], bool] = lambda vector: False
    clock: int = 0
    received_clock: int = 0
    contacts: dict[str, Contact] = field(default_factory=lambda: defaultdict(Contact))
    entered: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))

    def read(self, log: Iterable[tuple[str, InteractionEvent | ImportedPast]]) -> list[Reading]:
        return [
            self._import(position, entry) if isinstance(entry, ImportedPast) else self._event(position, entry)
            for position, entry in log
        ]

    def _import(self, position: str, past: ImportedPast) -> Reading:
        self.clock = max(self.clock, past.clock)
        self.received_clock = max(self.received_clock, past.clock)
        for fact in past.facts:
            self.entered[fact.key].append(fact)
        for key, conversation in past.conversations.items():
            self.contacts[key].imported.append(conversation)
        return Reading(position, "accepted", self.clock)

    def _event(self, position: str, event: InteractionEvent) -> Reading:
        received_clock = max(self.received_clock, event.received_at)
        if received_clock - event.occurred_at > RETENTION:
            return Reading(position, "too old", self.clock)
        contact = self.contacts[conversation_key(event)]
        known = contact.events if received_clock - contact.touched_at <= REMEMBERED else []
        pasts = [past for past in contact.imported if received_clock - past.touched_at <= REMEMBERED]
        past = list({e.event_id: e for one in pasts for e in one.events}.values())
        held = {e.event_id for e in [*known, *past]}
        if event.event_id in held:
            return Reading(position, "duplicate", self.clock)
        reserved = bounds.RESERVED_EVENTS if event.kind in DECISIVE else 0
        if len(held) >= bounds.MAX_EVENTS + reserved:
            return Reading(position, "full", self.clock)
        before_it, self.clock = self.clock, max(self.clock, min(event.occurred_at, event.received_at))
        together = {e.event_id: e for e in [*past, *known, event]}
        before, imported, after = (self._totals(events) for events in (known, past, together.values()))
        standing = read_standing(_in_order(together.values()))
        vector = None
        if event.kind in SCORED and event.conversation_id is not None and standing.rating is None:
            vector = self._vector(standing, event)
            if self.fails(vector):
                self.clock = before_it
                return Reading(position, "failed", before_it)
        self.received_clock = received_clock
        for key, at, name in before.keys() | imported.keys() | after.keys():
            counted = before.get((key, at, name), 0) + imported.get((key, at, name), 0)
            self.entered[key].append(Fact(key, at, name, after.get((key, at, name), 0) - counted))
        contact.events, contact.imported, contact.touched_at = list(together.values()), [], received_clock
        return Reading(position, "accepted", self.clock, vector)

    def _totals(self, events: Iterable[InteractionEvent]) -> FactTotals:
        conversation = _in_order(events)
        return total_facts(conversation, read_standing(conversation), self.features.plan.kept)

    def _vector(self, standing: Standing, event: InteractionEvent) -> bytes:
        moment = _Moment(self, standing, event)
        values = [moment.value(feature) for feature in self.features.features]
        return struct.pack(f"<{len(values)}f", *(float("nan") if value is None else value for value in values))


@dataclass(frozen=True)
class _Moment:
    """One event's features, each by a loop over every fact that entered before it."""

    reader: NaiveReader
    standing: Standing
    event: InteractionEvent

    def value(self, feature: Feature) -> Value:
        match feature:
            case EventValue(name):
                return read_event_values(self.standing, self.event, clock=self.reader.clock)[name]
            case Total(entity, fact, window):
                return self._sum(entity, fact, window)
            case Mean(entity, fact, per, window):
                return _quotient(self._sum(entity, fact, window), self._sum(entity, per, window))
            case WindowRatio(entity, fact, recent, window):
                return _quotient(self._sum(entity, fact, recent), self._sum(entity, fact, window))
            case Age(entity, fact, window):
                return self._age(entity, fact, window)
            case Rate(entity, rate, window, strength, parent):
                hits, trials = (self._sum(entity, fact, window) for fact in RATES[rate])
                expected = self.value(parent) if isinstance(parent, Rate) else parent
                assert expected is not None
                return (hits + strength * expected) / (trials + strength)

    def _inside(self, entity: str, fact: str, window: str) -> list[Fact]:
        key = ENTITIES[entity].key(contact_attributes(self.standing, self.standing.owner))
        length, hop = WINDOWS[window].length, WINDOWS[window].hop
        oldest = (self.reader.clock - length) // hop * hop
        return [f for f in self.reader.entered.get(key or "", []) if f.name == fact and f.at >= oldest]

    def _sum(self, entity: str, fact: str, window: str) -> int:
        return sum(f.value for f in self._inside(entity, fact, window))

    def _age(self, entity: str, fact: str, window: str) -> int | None:
        hop = WINDOWS[window].hop
        tiles: dict[int, int] = defaultdict(int)
        for f in self._inside(entity, fact, window):
            tiles[f.at // hop * hop] += f.value
        held = [start for start, value in tiles.items() if value > 0]
        return self.reader.clock - max(held) if held else None


def _quotient(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def _in_order(events: Iterable[InteractionEvent]) -> Conversation:
    return Conversation(tuple(sorted(events, key=lambda event: (event.occurred_at, event.event_id))))
