"""Who waits for whom: every question is answered by a new look through the events.

Events are given in order of time. A turn starts with the opening of the contact, with a customer's message or with a
reopening, unless one is open; it ends with an agent's message or a resolution. Bots, notes, assignments, changes of
status, complaints and ratings neither start nor end one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.spans import DAY

Events = Sequence[InteractionEvent]


def in_order(events: Iterable[InteractionEvent]) -> tuple[InteractionEvent, ...]:
    """The events as a conversation holds them: by instant, ties by id."""
    return tuple(sorted(events, key=lambda event: (event.occurred_at, event.event_id)))


def of_kind(events: Events, *kinds: str) -> list[InteractionEvent]:
    """Those events that are of these kinds."""
    return [event for event in events if event.kind in kinds]


def opening(events: Events) -> InteractionEvent | None:
    """The event that opened the contact: the first opening, customer message or reopening."""
    opens = of_kind(events, "conversation_opened", "customer_message", "reopened")
    return opens[0] if opens else None


def open_turn(events: Events) -> InteractionEvent | None:
    """The event since which the customer waits for an agent; None without a wait."""
    ends = [place for place, event in enumerate(events) if event.kind in ("agent_message", "resolved")]
    after_the_last_end = range(ends[-1] + 1 if ends else 0, len(events))
    starts = [events[place] for place in after_the_last_end if _starts_turn(events, place)]
    return starts[0] if starts else None


def _starts_turn(events: Events, place: int) -> bool:
    """Whether the event at this place makes a customer wait; an opening does not once an agent has written."""
    if events[place].kind == "conversation_opened":
        return not of_kind(events[:place], "agent_message")
    return events[place].kind in ("customer_message", "reopened")


class Reply(NamedTuple):
    """An agent's message that ended a turn, and the event that had started the turn."""

    start: InteractionEvent
    answer: InteractionEvent

    @property
    def waited_ms(self) -> int | None:
        """The duration of the customer's wait; missing where either end is known to the day only."""
        if "day" in (self.start.precision, self.answer.precision):
            return None
        return self.answer.occurred_at - self.start.occurred_at

    @property
    def waited_days(self) -> int:
        """The number of UTC midnights between the two instants."""
        return self.answer.occurred_at // DAY - self.start.occurred_at // DAY

    @property
    def waited_at_least_ms(self) -> int | None:
        """The exact wait, or that until the day of the answer began; missing where the stamps allow no lower bound."""
        if self.waited_ms is not None:
            return self.waited_ms
        if self.start.precision == "day" or self.waited_days == 0:
            return None
        return self.answer.occurred_at // DAY * DAY - self.start.occurred_at


def replies(events: Events) -> list[Reply]:
    """Every agent's message that ended a turn, in order; an agent's message without a waiting customer is no answer."""
    found = []
    for place, event in enumerate(events):
        start = open_turn(events[:place]) if event.kind == "agent_message" else None
        if start is not None:
            found.append(Reply(start, event))
    return found
