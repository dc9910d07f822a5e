"""The oracle: reads a shop's log by looping over raw facts, obviously right and slow.

It shares no code with the product. What a conversation says and contributes is in tests/oracle, with literals of its
own; of the product it reads the form of an event and the declarations of features, as data.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import Age, EventValue, Feature, FeatureSet, Mean, Rate, Total, WindowRatio
from tests.oracle.bounds import MOST_EVENTS, RESERVED_EVENTS, fold_key, is_forgotten, is_full, is_too_old
from tests.oracle.entities import contact_attributes, entity_key
from tests.oracle.event_values import event_values
from tests.oracle.facts import RATES, Fact, total_facts
from tests.oracle.outcome import is_scored, owner
from tests.oracle.spans import tile_start, window_start
from tests.oracle.waiting import Events, in_order

Value = float | int | None


@dataclass(frozen=True)
class ImportedPast:
    """A backfill: its events, each once, and the fold keys of the conversations that it keeps beside their facts."""

    clock: int
    events: tuple[InteractionEvent, ...]
    kept: frozenset[str]


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
    imported: list["Contact"] = field(default_factory=list)

    def remembered(self, received_clock: int) -> list[InteractionEvent]:
        return [] if is_forgotten(self.touched_at, received_clock=received_clock) else self.events


@dataclass
class NaiveReader:
    """Reads one shop's log in order; `fails` says on which vectors the scorer raises."""

    features: FeatureSet
    fails: Callable[[bytes], bool] = lambda vector: False
    most_events: int = MOST_EVENTS
    reserved_events: int = RESERVED_EVENTS
    clock: int = 0
    received_clock: int = 0
    contacts: dict[str, Contact] = field(default_factory=lambda: defaultdict(Contact))
    entered: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.kept: dict[str, set[str]] = defaultdict(set)
        for entity, fact in (pair for feature in self.features.features for pair in _reads(feature)):
            self.kept[entity].add(fact)

    def read(self, log: Iterable[tuple[str, InteractionEvent | ImportedPast]]) -> list[Reading]:
        return [
            self._import(position, entry) if isinstance(entry, ImportedPast) else self._event(position, entry)
            for position, entry in log
        ]

    def _import(self, position: str, past: ImportedPast) -> Reading:
        self.clock = max(self.clock, past.clock)
        self.received_clock = max(self.received_clock, past.clock)
        for key in {fold_key(event) for event in past.events}:
            events = [event for event in past.events if fold_key(event) == key]
            self._enter(self._totals(events))
            if key in past.kept:
                touched_at = max(event.received_at for event in events)
                self.contacts[key].imported.append(Contact(events, touched_at))
        return Reading(position, "accepted", self.clock)

    def _event(self, position: str, event: InteractionEvent) -> Reading:
        received_clock = max(self.received_clock, event.received_at)
        if is_too_old(event, received_clock=received_clock):
            return Reading(position, "too old", self.clock)
        contact = self.contacts[fold_key(event)]
        known = contact.remembered(received_clock)
        past = _once(e for one in contact.imported for e in one.remembered(received_clock))
        held = {e.event_id for e in [*known, *past]}
        if event.event_id in held:
            return Reading(position, "duplicate", self.clock)
        if is_full(event, held, most_events=self.most_events, reserved=self.reserved_events):
            return Reading(position, "full", self.clock)
        before_it, self.clock = self.clock, max(self.clock, min(event.occurred_at, event.received_at))
        together = in_order(_once([*past, *known, event]))
        vector = None
        if is_scored(event, together):
            vector = self._vector(event, together)
            if self.fails(vector):
                self.clock = before_it
                return Reading(position, "failed", before_it)
        self.received_clock = received_clock
        changed = self._totals(together)
        changed.subtract(self._totals(known))
        changed.subtract(self._totals(past))
        self._enter(changed)
        contact.events, contact.imported, contact.touched_at = list(together), [], received_clock
        return Reading(position, "accepted", self.clock, vector)

    def _totals(self, events: Iterable[InteractionEvent]) -> Counter[tuple[str, int, str]]:
        return total_facts(in_order(events), self.kept)

    def _enter(self, changed: Counter[tuple[str, int, str]]) -> None:
        for (key, at, name), value in changed.items():
            self.entered[key].append(Fact(key, at, name, value))

    def _vector(self, event: InteractionEvent, events: Events) -> bytes:
        moment = _Moment(self, event, events)
        values = [moment.value(feature) for feature in self.features.features]
        return struct.pack(f"<{len(values)}f", *(float("nan") if value is None else value for value in values))


@dataclass(frozen=True)
class _Moment:
    """One event's features, each by a loop over every fact that entered before it; `events` hold the event."""

    reader: NaiveReader
    event: InteractionEvent
    events: Events

    def value(self, feature: Feature) -> Value:
        match feature:
            case EventValue(name):
                return event_values(self.event, self.events, clock=self.reader.clock)[name]
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
        key = entity_key(entity, contact_attributes(self.events, owner(self.events)))
        oldest = window_start(self.reader.clock, window)
        return [f for f in self.reader.entered.get(key or "", []) if f.name == fact and f.at >= oldest]

    def _sum(self, entity: str, fact: str, window: str) -> int:
        return sum(f.value for f in self._inside(entity, fact, window))

    def _age(self, entity: str, fact: str, window: str) -> int | None:
        tiles: Counter[int] = Counter()
        for f in self._inside(entity, fact, window):
            tiles[tile_start(f.at, window)] += f.value
        held = [start for start, value in tiles.items() if value > 0]
        return self.reader.clock - max(held) if held else None


def _quotient(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def _once(events: Iterable[InteractionEvent]) -> list[InteractionEvent]:
    """Each event once by its id, in the content that comes last."""
    return list({event.event_id: event for event in events}.values())


def _reads(feature: Feature) -> Iterator[tuple[str, str]]:
    """The facts that a feature is computed from, each with its entity."""
    match feature:
        case Total(entity, fact, _) | WindowRatio(entity, fact, _, _) | Age(entity, fact, _):
            yield entity, fact
        case Mean(entity, fact, per, _):
            yield from ((entity, fact), (entity, per))
        case Rate(entity, rate, _, _, parent):
            yield from ((entity, fact) for fact in RATES[rate])
            if isinstance(parent, Rate):
                yield from _reads(parent)
