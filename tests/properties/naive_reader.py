"""The oracle: reads a shop's log by looping over raw facts, obviously right and slow.

It shares no code with the product. What a conversation says and contributes is in tests/oracle, with literals of its
own; of the product it reads the form of an event and the declarations of features, as data.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import (
    EventValue,
    Feature,
    FeatureSet,
    Mean,
    Rate,
    TimeSince,
    Total,
    WindowRatio,
)
from tests.oracle.bounds import MOST_EVENTS, RESERVED_EVENTS, fold_key, is_forgotten, is_full, is_too_old
from tests.oracle.entities import contact_attributes, entity_key
from tests.oracle.event_values import event_values
from tests.oracle.facts import RATES, Fact, total_facts
from tests.oracle.outcome import is_scored, owner
from tests.oracle.spans import WINDOWS, tile_start, window_start
from tests.oracle.waiting import Events, in_order

Value = float | int | None

#: One fact in one window of one entity: entity, window, fact.
NaiveColumn = tuple[str, str, str]


@dataclass(frozen=True)
class NaivePart:
    """A conversation in an import: its events as the shop held them, as they are with the import's, and
    when they were last touched."""

    before: tuple[InteractionEvent, ...]
    after: tuple[InteractionEvent, ...]
    touched_at: int


@dataclass(frozen=True)
class ImportedPast:
    """A backfill: the facts that it changed up to its clock, and its parts of conversations, by key.

    `columns` are those that its histories hold; None for all.
    """

    clock: int
    facts: tuple[Fact, ...]
    parts: Mapping[str, NaivePart]
    columns: frozenset[NaiveColumn] | None = None


@dataclass(frozen=True)
class Deployed:
    """From here on a shop's records are folded by these features."""

    features: FeatureSet


@dataclass(frozen=True)
class PastFilled:
    """What these columns lacked has come."""

    columns: frozenset[NaiveColumn]


@dataclass(frozen=True)
class Rebuilt:
    """All that the shop holds is made from its log: these columns lack nothing, and others begin here."""

    columns: frozenset[NaiveColumn]


NaiveEntry = InteractionEvent | ImportedPast | Deployed | PastFilled | Rebuilt


@dataclass(frozen=True)
class Reading:
    """The outcome of one record of the log: "accepted", "duplicate", "too old", "full" or "failed".

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
    imported: list[NaivePart] = field(default_factory=list)

    def within_retention(self, received_clock: int) -> tuple[list[InteractionEvent], list[NaivePart]]:
        """Its events and imported parts within retention."""
        known = [] if is_forgotten(self.touched_at, received_clock=received_clock) else self.events
        parts = [part for part in self.imported if not is_forgotten(part.touched_at, received_clock=received_clock)]
        return known, parts


@dataclass
class NaiveReader:
    """Reads one shop's log in order; no vectors unless it `scores`; `fails` says on which the scorer raises.

    `later` are the features of later deployments, whose facts enter from the first event on; of a column that begins
    later, `unread` counts the facts of each entity that entered before, and `begun` is the clock there.
    """

    features: FeatureSet
    fails: Callable[[bytes], bool] = lambda vector: False
    most_events: int = MOST_EVENTS
    reserved_events: int = RESERVED_EVENTS
    scores: bool = True
    later: tuple[FeatureSet, ...] = ()
    clock: int = 0
    received_clock: int = 0
    contacts: dict[str, Contact] = field(default_factory=lambda: defaultdict(Contact))
    entered: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))

    unread: dict[NaiveColumn, dict[str, int]] = field(default_factory=dict)
    begun: dict[NaiveColumn, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = [feature for one in (self.features, *self.later) for feature in one.features]
        self.kept = kept_facts(whole)

    def read(self, log: Iterable[tuple[str, NaiveEntry]]) -> list[Reading]:
        readings = (self._entry(position, entry) for position, entry in log)
        return [reading for reading in readings if reading is not None]

    def _entry(self, position: str, entry: NaiveEntry) -> Reading | None:
        match entry:
            case ImportedPast():
                return self._import(position, entry)
            case Deployed(features):
                self._restart(columns_of(features) - columns_of(self.features))
                self.features = features
            case PastFilled(columns):
                for column in columns:
                    del self.unread[column], self.begun[column]
            case Rebuilt(columns):
                self.unread.clear()
                self.begun.clear()
                self._restart(columns_of(self.features) - columns)
            case InteractionEvent():
                return self._event(position, entry)
        return None

    def _restart(self, columns: Iterable[NaiveColumn]) -> None:
        for column in columns:
            self.unread[column] = {key: len(facts) for key, facts in self.entered.items()}
            self.begun[column] = self.clock

    def _import(self, position: str, past: ImportedPast) -> Reading:
        self.clock = max(self.clock, past.clock)
        self.received_clock = max(self.received_clock, past.clock)
        for fact in past.facts:  # an import may hold more than this release reads
            if fact.name in self.kept.get(fact.key.partition("\x1f")[0], ()):
                self.entered[fact.key].append(fact)
        for key, part in past.parts.items():
            self.contacts[key].imported.append(part)
        if past.columns is not None:
            self._restart(columns_of(self.features) - past.columns)
        return Reading(position, "accepted", self.clock)

    def _event(self, position: str, event: InteractionEvent) -> Reading:
        received_clock = max(self.received_clock, event.received_at)
        if is_too_old(event, received_clock=received_clock):
            return Reading(position, "too old", self.clock)
        contact = self.contacts[fold_key(event)]
        known, parts = contact.within_retention(received_clock)
        whole = joined(known, parts)
        held = {e.event_id for e in whole}
        if event.event_id in held:
            return Reading(position, "duplicate", self.clock)
        if is_full(event, held, most_events=self.most_events, reserved=self.reserved_events):
            return Reading(position, "full", self.clock)
        before_it, self.clock = self.clock, max(self.clock, min(event.occurred_at, event.received_at))
        together = in_order([*whole, event])
        vector = None
        if self.scores and is_scored(event, together):
            vector = self._vector(event, together)
            if self.fails(vector):
                self.clock = before_it
                return Reading(position, "failed", before_it)
        self.received_clock = received_clock
        changed = self._totals(together)
        changed.subtract(self._counted(known, parts))
        self._enter(changed)
        contact.events, contact.imported, contact.touched_at = list(together), [], received_clock
        return Reading(position, "accepted", self.clock, vector)

    def holds(self, key: str, *, received_clock: int) -> tuple[list[InteractionEvent], int]:
        """The events of a conversation within retention by then, imports included, and when it was touched."""
        contact = self.contacts[key]
        known, parts = contact.within_retention(received_clock)
        touched = [contact.touched_at] if known else []
        return joined(known, parts), max([*touched, *(part.touched_at for part in parts)], default=0)

    def _counted(self, known: list[InteractionEvent], parts: list[NaivePart]) -> Counter[tuple[str, int, str]]:
        """The facts that entered of what is known and of what imports added to it."""
        counted = self._totals(known)
        if parts and not {e.event_id for e in parts[0].before} <= {e.event_id for e in known}:
            counted.update(self._totals(parts[0].before))
        for part in parts:
            counted.update(self._totals(part.after))
            counted.subtract(self._totals(part.before))
        return counted

    def _totals(self, events: Iterable[InteractionEvent]) -> Counter[tuple[str, int, str]]:
        return total_facts(in_order(events), self.kept)

    def _enter(self, changed: Counter[tuple[str, int, str]]) -> None:
        for (key, at, name), value in changed.items():
            self.entered[key].append(Fact(key, at, name, value))

    def _vector(self, event: InteractionEvent, events: Events) -> bytes:
        context = _Context(self, event, events)
        values = [context.value(feature) for feature in self.features.features]
        return struct.pack(f"<{len(values)}f", *(float("nan") if value is None else value for value in values))


@dataclass(frozen=True)
class _Context:
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
            case WindowRatio(entity, fact, recent, window, prior_weight):
                (part, _), (whole, _) = WINDOWS[recent], WINDOWS[window]
                hits, trials = self._sum(entity, fact, recent), self._sum(entity, fact, window)
                return _shrunk(hits, trials, part / whole, prior_weight)
            case TimeSince(entity, fact, window):
                return self._time_since(entity, fact, window)
            case Rate(entity, rate, window, prior_weight, parent):
                hits, trials = (self._sum(entity, fact, window) for fact in RATES[rate])
                expected = self.value(parent) if isinstance(parent, Rate) else parent
                return _shrunk(hits, trials, expected, prior_weight)

    def _inside(self, entity: str, fact: str, window: str) -> list[Fact]:
        key = entity_key(entity, contact_attributes(self.events, owner(self.events)))
        oldest = window_start(self.reader.clock, window)
        unread = self.reader.unread.get((entity, window, fact), {}).get(key or "", 0)
        return [f for f in self.reader.entered.get(key or "", [])[unread:] if f.name == fact and f.at >= oldest]

    def _is_incomplete(self, entity: str, fact: str, window: str) -> bool:
        """Whether the window still holds an instant of before the column began, or of the same tile."""
        begun = self.reader.begun.get((entity, window, fact))
        return begun is not None and window_start(self.reader.clock, window) <= tile_start(begun, window)

    def _sum(self, entity: str, fact: str, window: str) -> int | None:
        if self._is_incomplete(entity, fact, window):
            return None
        return max(0, sum(f.value for f in self._inside(entity, fact, window)))

    def _time_since(self, entity: str, fact: str, window: str) -> int | None:
        if self._is_incomplete(entity, fact, window):
            return None
        tiles: Counter[int] = Counter()
        for f in self._inside(entity, fact, window):
            tiles[tile_start(f.at, window)] += f.value
        held = [start for start, value in tiles.items() if value > 0]
        return self.reader.clock - max(held) if held else None


def _quotient(numerator: int | None, denominator: int | None) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None


def _shrunk(hits: int | None, trials: int | None, expected: float | None, prior_weight: float) -> float | None:
    if hits is None or trials is None or expected is None:
        return None
    return (hits + prior_weight * expected) / (trials + prior_weight)


def joined(known: Iterable[InteractionEvent], parts: Iterable[NaivePart]) -> list[InteractionEvent]:
    """The known events, then each import's events, changed or new."""
    events = list(known)
    for part in parts:
        for e in part.after:
            same = [one for one in events if one.event_id == e.event_id]
            if same and says(same[0]) == says(e):
                continue
            events = [one for one in events if one.event_id != e.event_id] + [e]
    return events


def says(event: InteractionEvent) -> InteractionEvent:
    return replace(event, received_at=0, text=None, query=None)


def kept_facts(features: Iterable[Feature]) -> dict[str, set[str]]:
    """The facts that each entity's histories keep: those that a feature reads."""
    kept: dict[str, set[str]] = defaultdict(set)
    for entity, _, fact in (column for feature in features for column in _reads(feature)):
        kept[entity].add(fact)
    return kept


def columns_of(features: FeatureSet) -> frozenset[NaiveColumn]:
    """The columns that features are computed from."""
    return frozenset(column for feature in features.features for column in _reads(feature))


def _reads(feature: Feature) -> Iterator[NaiveColumn]:
    """The columns that a feature is computed from."""
    match feature:
        case Total(entity, fact, window) | TimeSince(entity, fact, window):
            yield entity, window, fact
        case WindowRatio(entity, fact, recent, window, _):
            yield from ((entity, recent, fact), (entity, window, fact))
        case Mean(entity, fact, per, window):
            yield from ((entity, window, fact), (entity, window, per))
        case Rate(entity, rate, window, _, parent):
            yield from ((entity, window, fact) for fact in RATES[rate])
            if isinstance(parent, Rate):
                yield from _reads(parent)
