"""The oracle: reads a shop's log by looping over raw facts, obviously right and slow.

It shares no code with the product. What a conversation says and contributes is in tests/oracle, with literals of its
own; of the product it reads the form of an event and the declarations of features, as data.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from tests.oracle.bounds import MOST_EVENTS, RESERVED_EVENTS, RETENTION, fold_key, is_forgotten, is_full, is_too_old
from tests.oracle.columns import NaiveColumn, columns_of, kept_facts
from tests.oracle.deadlines import deadline, is_of_clock, open_turn_named
from tests.oracle.entries import (
    Deployed,
    Found,
    ImportedPast,
    NaiveEntry,
    PastFilled,
    PolicyBrought,
    Reading,
    Rebuilt,
    RulesBrought,
    TimeReached,
)
from tests.oracle.facts import Fact, total_facts
from tests.oracle.feature_values import FeatureValues
from tests.oracle.held import NaivePart, at_the_instant_of, ids_of, joined, with_event
from tests.oracle.outcome import is_scored
from tests.oracle.story import Instant, Placed, Policy, Story, content, in_order, is_correction
from tests.oracle.tasks import SCORED_AT, SUBJECTS, Tasks, customer_key


@dataclass
class Contact:
    """A conversation's accepted events, when it was last touched, and what imports know of it besides.

    `reached` are the stages that the open turn has reached: round, turn and stage.
    """

    events: list[Placed] = field(default_factory=list)
    touched_at: int = 0
    imported: list[NaivePart] = field(default_factory=list)
    reached: frozenset[tuple[int, int, str]] = frozenset()

    def within_retention(self, received_clock: int) -> tuple[list[Placed], list[NaivePart]]:
        """Its events and imported parts within retention."""
        known = [] if is_forgotten(self.touched_at, received_clock=received_clock) else self.events
        parts = [part for part in self.imported if not is_forgotten(part.touched_at, received_clock=received_clock)]
        return known, parts


@dataclass
class NaiveReader:
    """Reads one shop's log in order; no vectors unless it `scores`; `fails` says on which the scorer raises.

    `later` are the features of later deployments, whose facts enter from the first event on; of a column that begins
    later, `unread` counts the facts of each entity that entered before, and `begun` is the clock there. `tasks` score
    the customers whom events name.
    """

    features: FeatureSet
    fails: Callable[[bytes], bool] = lambda vector: False
    most_events: int = MOST_EVENTS
    reserved_events: int = RESERVED_EVENTS
    scores: bool = True
    later: tuple[FeatureSet, ...] = ()
    tasks: Tasks = field(default_factory=dict)
    clock: int = 0
    received_clock: int = 0
    contacts: dict[str, Contact] = field(default_factory=lambda: defaultdict(Contact))
    entered: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    #: The policies that the log has brought, by revision, in its order.
    policies: dict[str, Policy] = field(default_factory=dict)
    #: The rules that the log has brought: document, revision and position.
    rules: list[tuple[bytes, str, str]] = field(default_factory=list)
    #: What counts of what was found about a customer, by key and name: for which instant, and until when it holds.
    findings: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    unread: dict[NaiveColumn, dict[str, int]] = field(default_factory=dict)
    begun: dict[NaiveColumn, int] = field(default_factory=dict)
    #: The facts of each story that was asked for: the next event asks for those of the one before.
    known_totals: dict[Story, Counter[tuple[str, int, str]]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        whole = [feature for one in (self.features, *self.later) for feature in one.features]
        self.kept = kept_facts(whole)

    def copy(self) -> "NaiveReader":
        """A reader that goes on from here by itself."""
        contacts = defaultdict(Contact, {key: replace(contact) for key, contact in self.contacts.items()})
        entered = defaultdict(list, {key: [*facts] for key, facts in self.entered.items()})
        other = copy(self)  # `replace` would read every feature again
        other.contacts, other.entered = contacts, entered
        other.policies, other.rules = dict(self.policies), list(self.rules)
        other.findings = {key: dict(known) for key, known in self.findings.items()}
        return other

    def read(self, log: Iterable[tuple[str, NaiveEntry]]) -> list[Reading]:
        readings = (self._entry(position, entry) for position, entry in log)
        return [reading for reading in readings if reading is not None]

    def _entry(self, position: str, entry: NaiveEntry) -> Reading | None:
        match entry:
            case ImportedPast():
                return self._import(position, entry)
            case Deployed(features, tasks):
                self._restart(columns_of(features) - columns_of(self.features))
                self.features, self.tasks = features, tasks
            case PastFilled(columns):
                for column in columns:
                    del self.unread[column], self.begun[column]
            case Rebuilt(columns):
                self.unread.clear()
                self.begun.clear()
                self._restart(columns_of(self.features) - columns)
            case PolicyBrought():
                return Reading(position, self._policy(entry), self.clock)
            case RulesBrought():
                return Reading(position, self._rules(position, entry), self.clock)
            case InteractionEvent():
                return self._event(position, entry)
            case TimeReached():
                return self._time(position, entry)
            case Found():
                return self._found(position, entry)
        return None

    def _restart(self, columns: Iterable[NaiveColumn]) -> None:
        for column in columns:
            self.unread[column] = {key: len(facts) for key, facts in self.entered.items()}
            self.begun[column] = self.clock

    def _policy(self, brought: PolicyBrought) -> str:
        """The outcome of a policy; one that is accepted judges what begins behind it."""
        latest = [*self.policies.items()][-1:]
        if brought.policy is None:
            return "no policy"
        if latest == [(brought.revision, brought.policy)]:
            return "duplicate"
        if brought.follows != (latest[0][0] if latest else None):
            return "follows another"
        if brought.revision in self.policies:
            return "known before"
        self.policies[brought.revision] = brought.policy
        return "accepted"

    def _rules(self, position: str, brought: RulesBrought) -> str:
        """The outcome of rules; accepted ones are in force behind it."""
        if not brought.is_sound(self.features):
            return "no rules"
        if self.rules[-1:] and self.rules[-1][0] == brought.document:
            return "duplicate"
        if brought.follows != (self.rules[-1][1] if self.rules else None):
            return "follows another"
        self.rules.append((brought.document, brought.revision, position))
        return "accepted"

    def _found(self, position: str, found: Found) -> Reading:
        """The outcome of a finding: it moves no clock and adds no fact."""
        key = customer_key(found.subject_id)
        became = self._becomes(found, key)
        if became != "accepted":
            return Reading(position, became, self.clock)
        expired_at = self._expired_at(key)
        self.findings.setdefault(key, {})[found.name] = (found.as_of, found.valid_until)
        return Reading(position, became, self.clock, customer=key, expired_at=expired_at)

    def _becomes(self, found: Found, key: str) -> str:
        if found.name not in SUBJECTS:
            return "unknown finding"
        if found.subject_kind != SUBJECTS[found.name]:
            return "unknown subject"
        known = self.findings.get(key, {}).get(found.name)
        if known is not None and found.as_of <= known[0]:
            return "duplicate"
        if self.clock >= found.valid_until:
            return "silent"
        return "accepted" if self.clock else "no history"

    def _expired_at(self, key: str | None) -> int | None:
        """When what was found about a customer had expired by now; None where it holds, or nothing was found."""
        ends = [end for _, end in self.findings.get(key or "", {}).values() if end <= self.clock]
        return max(ends, default=None)

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
        became = self._outcome(event, whole)
        if became not in ("accepted", "corrected"):
            return Reading(position, became, self.clock)
        before_it, self.clock = self.clock, max(self.clock, min(event.occurred_at, event.received_at))
        number = int(position.replace("-", "")) if position else None
        together = with_event(whole, event, number, tuple(self.policies.values()))
        event = next(one.event for one in together if one.event.event_id == event.event_id)
        story = self.story(together)
        until = story.until(story.place_of(event.event_id))
        asks = self.scores and is_scored(event, story)
        values = FeatureValues(self, event, until, story.is_void)
        vector, customer = (values.vector(self.features.features), values.customer) if asks else (None, None)
        if vector is not None and self.fails(vector):
            self.clock = before_it
            return Reading(position, "failed", before_it)
        self.received_clock = received_clock
        reached = contact.reached if known else frozenset()
        self._join(contact, (known, parts), together)
        contact.touched_at = received_clock
        waits = open_turn_named(story)
        contact.reached = frozenset(one for one in reached if one[:2] == waits and not is_of_clock(one[2]))
        expired_at = self._expired_at(customer)
        return Reading(position, became, self.clock, vector, self._task_vectors(event, until), customer, expired_at)

    def _time(self, position: str, time: TimeReached) -> Reading:
        """Whether the turn reaches the stage by all that the log has, and then the conversation at that instant."""
        received_clock = max(self.received_clock, time.due_at)
        if time.due_at < received_clock - RETENTION:
            return Reading(position, "too old", self.clock)
        key = f"contact\x1f{time.conversation_id}"
        contact = self.contacts[key]
        known, parts = contact.within_retention(received_clock)
        whole, touched_at = self.holds(key, received_clock=received_clock)
        story, stage = self.story(whole), (time.round, time.turn, time.stage)
        reached = contact.reached if known else frozenset()
        if deadline(story, time.stage) != (time.due_at, *stage) or stage in reached:
            return Reading(position, "silent", self.clock)
        if is_of_clock(time.stage) and time.due_at <= touched_at:
            return Reading(position, "silent", self.clock)
        before_it, self.clock = self.clock, max(self.clock, time.due_at)
        until = story.up_to(time.due_at)
        values = FeatureValues(self, Instant(time.due_at), until)
        vector, customer = (values.vector(self.features.features), values.customer) if self.scores else (None, None)
        if vector is not None and self.fails(vector):
            self.clock = before_it
            return Reading(position, "failed", before_it)
        self.received_clock = received_clock
        self._join(contact, (known, parts), whole)
        contact.touched_at, contact.reached = touched_at, reached | {stage}
        expired_at = self._expired_at(customer)
        return Reading(position, "reached", self.clock, vector, customer=customer, expired_at=expired_at)

    def _join(self, contact: Contact, before: tuple[list[Placed], list[NaivePart]], after: list[Placed]) -> None:
        """What a conversation holds from now on, instead of what it held and of parts of imports."""
        changed = self._totals(after)
        changed.subtract(self._counted(*before))
        self._enter(changed)
        contact.events, contact.imported = after, []

    def _outcome(self, event: InteractionEvent, whole: list[Placed]) -> str:
        """The outcome of an event that is not too old, by what its conversation holds."""
        same = [one.event for one in whole if one.event.event_id == event.event_id]
        if same and is_correction(same[0], event):
            return "duplicate" if content(same[0]) == content(at_the_instant_of(same[0], event)) else "corrected"
        if same:
            return "duplicate" if content(same[0]) == content(event) else "conflict"
        is_without_room = is_full(event, whole, most_events=self.most_events, reserved=self.reserved_events)
        return "full" if is_without_room else "accepted"

    def holds(self, key: str, *, received_clock: int) -> tuple[list[Placed], int]:
        """The events of a conversation within retention by then, imports included, and when it was touched."""
        contact = self.contacts[key]
        known, parts = contact.within_retention(received_clock)
        touched = [contact.touched_at] if known else []
        return joined(known, parts), max([*touched, *(part.touched_at for part in parts)], default=0)

    def _counted(self, known: list[Placed], parts: list[NaivePart]) -> Counter[tuple[str, int, str]]:
        """The facts that entered of what is known and of what imports added to it."""
        counted = self._totals(known)
        if parts and not ids_of(parts[0].before) <= ids_of(known):
            counted.update(self._totals(parts[0].before))
        for part in parts:
            counted.update(self._totals(part.after))
            counted.subtract(self._totals(part.before))
        return counted

    def _totals(self, events: Iterable[Placed]) -> Counter[tuple[str, int, str]]:
        story = self.story(events)
        if story not in self.known_totals:
            self.known_totals[story] = total_facts(story, self.kept)
        return Counter(self.known_totals[story])

    def story(self, events: Iterable[Placed]) -> Story:
        """A conversation's events as they are read under the shop's policies."""
        return Story(in_order(events))

    def _enter(self, changed: Counter[tuple[str, int, str]]) -> None:
        for (key, at, name), value in changed.items():
            self.entered[key].append(Fact(key, at, name, value))

    def _task_vectors(self, event: InteractionEvent, until: Story) -> dict[str, bytes]:
        """The bytes of the vectors of the customer whom an event names, by all facts that have entered with it."""
        about = {"customer_id": event.customer_id}
        scored = [name for name in self.tasks if self.scores and event.customer_id and event.kind in SCORED_AT[name]]
        return {
            name: FeatureValues(self, event, until, about=about).vector(self.tasks[name].features) for name in scored
        }
