"""What a conversation holds, the order in which it is read, and the policy under which it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.spans import DAY, MINUTE, SECOND

QUESTIONS = ("conversation_opened", "reopened", "customer_message")
#: Kinds of which another content under a known id is a correction.
CORRECTED = ("rated", "customer_message", "agent_message", "bot_message")


#: Fields that are no content: the arrival, annotations, and what state notes beside an event.
SAID_BY_OTHERS = ("received_at", "stated_at", "courtesy", "search_term", "text_digest", "policies_known")


class Calendar(NamedTuple):
    """The days in a zone on which a shop is closed, and the years of which that is settled; None: all years.

    `week` are the hours of the other days, from Monday on, such as "09:00-17:00"; None: all day. Those of `make_up`
    have the hours of a Monday.
    """

    zone: str
    closed: frozenset[date] = frozenset()
    settled: frozenset[int] | None = None
    week: tuple[tuple[str, ...], ...] | None = None
    make_up: frozenset[date] = frozenset()


class Target(NamedTuple):
    """Within what time a customer is answered at first and later, of contacts with these attributes; None: not judged.

    Where it `counts_open_time`, that alone; else all time.
    """

    first: int | None
    next: int | None
    counts_open_time: bool = False
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Policy(NamedTuple):
    """What a shop declares of how conversations are read; the defaults are those of the specification."""

    ends_after: int = 7 * DAY
    answer_tolerance: int = 60 * SECOND
    pauses_when: tuple[str, ...] = ()
    owner: str = "last_reply"  # or "first_reply" or "assigned"
    on_time_within: int = 3 * MINUTE
    slow_beyond: int = 15 * MINUTE
    dissatisfied_at_most: int = 3  # of 5
    valid_from: int = 0
    calendar: Calendar = Calendar("UTC")
    targets: tuple[Target, ...] = ()  # the first that meets a contact; else `on_time_within` in all time
    zone: str = "UTC"
    currency: str | None = None


DEFAULT = Policy()


class Instant(NamedTuple):
    """An instant at which a conversation is looked at without an event."""

    occurred_at: int
    precision: str = "ms"


class Placed(NamedTuple):
    """An event of a conversation, and its number in order of arrival; None for an event of an import.

    `policies` are those that the log brought before the event.
    """

    event: InteractionEvent
    number: int | None
    policies: tuple[Policy, ...] = ()


Events = Sequence[Placed]


@dataclass(frozen=True)
class Story:
    """A conversation's events in reading order, and the policy under which they are read where they know of none."""

    events: tuple[Placed, ...]
    policy: Policy = DEFAULT

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.events, self.policy))

    def __len__(self) -> int:
        return len(self.events)

    def until(self, place: int) -> "Story":
        """The story up to this place, with the event there."""
        return Story(self.events[: place + 1], self.policy)

    def up_to(self, at: int) -> "Story":
        """The story of the events up to an instant."""
        return Story(tuple(one for one in self.events if one.event.occurred_at <= at), self.policy)

    def event(self, place: int) -> InteractionEvent:
        """The event at this place."""
        return self.events[place].event

    def policy_at(self, place: int) -> Policy:
        """The policy that judges what begins with the event at this place: the latest that is valid by then."""
        event, _, known = self.events[place]
        valid = [policy for policy in known if policy.valid_from <= event.occurred_at]
        return valid[-1] if valid else self.policy

    def place_of(self, event_id: str) -> int:
        """The place of an event in reading order; an error where the story has no such event."""
        return [one.event.event_id for one in self.events].index(event_id)

    def places(self, *kinds: str) -> list[int]:
        """The places of all events of these kinds."""
        return [place for place, one in enumerate(self.events) if one.event.kind in kinds]

    @property
    def is_void(self) -> bool:
        """Whether the conversation was merged into another one."""
        return any(one.event.merged_into not in (None, one.event.conversation_id) for one in self.events)


def in_order(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """The events in reading order: by instant, imports first, then as `_imported` and `_of_log` say."""
    held = list(placed)
    ordered: list[Placed] = []
    for at in sorted({one.event.occurred_at for one in held}):
        at_once = [one for one in held if one.event.occurred_at == at]
        ordered += _imported([one for one in at_once if one.number is None])
        ordered += _of_log([one for one in at_once if one.number is not None])
    return tuple(ordered)


def _imported(at_once: list[Placed]) -> list[Placed]:
    """Questions first, ratings last, within these by sequence, then by id."""
    return sorted(at_once, key=lambda one: (_rank(one), _by_sequence(one), one.event.event_id))


def _of_log(at_once: list[Placed]) -> list[Placed]:
    """By sequence where all have one, then and else questions first, ratings last; what is equal as it arrived."""
    arrived = sorted(at_once, key=lambda one: -1 if one.number is None else one.number)
    if all(one.event.sequence is not None for one in arrived):
        return sorted(arrived, key=lambda one: (_by_sequence(one), _rank(one)))
    return sorted(arrived, key=lambda one: (_rank(one), _by_sequence(one)))


def _rank(one: Placed) -> int:
    return 0 if one.event.kind in QUESTIONS else {"resolved": 2, "rated": 3}.get(one.event.kind, 1)


def _by_sequence(one: Placed) -> tuple[int, int]:
    number = one.event.sequence
    return (0, 0) if number is None else (1, number)


def is_courtesy(event: InteractionEvent) -> bool:
    """Whether this is a customer's message that only thanks."""
    return event.kind == "customer_message" and event.courtesy == 1


def is_exact(event: InteractionEvent | Instant) -> bool:
    """Whether the event's instant is known, and not only its day."""
    return event.precision == "ms"


def content(event: InteractionEvent) -> dict[str, object]:
    """What the event says: all but its arrival, its annotations, and what the arrival made of its instant."""
    said = {field.name: getattr(event, field.name) for field in fields(event)}
    stamp = event.occurred_at if event.stated_at is None else event.stated_at
    said["occurred_at"] = stamp if is_exact(event) else stamp // DAY
    return {name: value for name, value in said.items() if name not in SAID_BY_OTHERS}


def imported_content(event: InteractionEvent) -> dict[str, object]:
    """What an import compares: the content without words, and without what the inlet derived."""
    return {name: value for name, value in content(event).items() if name not in ("text", "query", "rating_given")}


def is_correction(known: InteractionEvent, event: InteractionEvent) -> bool:
    """Whether another content under the id of a known event takes its place."""
    return event.kind == known.kind and event.kind in CORRECTED
