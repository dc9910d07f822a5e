"""When rules look at alerts again though nothing happens: where a silence ends, or the time that `for` asks is over.

A look is an instant of the shop's clock. An open alert that was counted in silence is looked at when its cooldown is
over; a condition within `for`, when it will have held for so long. What holds meanwhile is known by events alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from service_quality.alerts.alert_state import AlertState
from service_quality.alerts.conditions import Values
from service_quality.alerts.rules import CONVERSATION, Rule
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import clock_deadline
from service_quality.conversations.wait_stages import Deadline


class Stretch(NamedTuple):
    """Within which a condition is seen to hold: a round of the conversation, and a revision of the shop's own rules.

    0 is the round of any other subject, and the revision of the shipped rules.
    """

    round: int
    rules: int


class Held(NamedTuple):
    """Since when conditions within `for` have held about a subject, by their names, on the shop's clock."""

    stretch: Stretch
    since: dict[str, int]


class Watched(NamedTuple):
    """What a rule knows of a subject: the alert's state, and since when its conditions have held."""

    alert: AlertState | None = None
    held: Held | None = None

    @property
    def looks_again(self) -> bool:
        """Whether there is something that a rule may look at again."""
        return self.held is not None or (self.alert is not None and self.alert.open)


class Clocks(NamedTuple):
    """A shop's clocks, in epoch milliseconds: of what occurred, and of what was received."""

    clock: int
    received: int


def held_after(rule: Rule, before: Held | None, stretch: Stretch, values: Values, clock: int) -> Held | None:
    """Since when the conditions hold after a look at values; None where not one of them does."""
    if not rule.held_conditions:
        return None
    known = before.since if before is not None and before.stretch == stretch else {}
    since = {one.name: known.get(one.name, clock) for one in rule.held_conditions if one.condition.holds(values)}
    return Held(stretch, since) if since else None


def durations_of(held: Held | None, clock: int) -> dict[str, int]:
    """How long conditions have held by now, in milliseconds, as values that `for` reads."""
    return {} if held is None else {name: clock - since for name, since in held.since.items()}


def is_due(rule: Rule, watched: Watched, state: ConversationState, clock: int) -> bool:
    """Whether a look of the rule has come, so that it is asked whatever happened."""
    found = (clock_deadline(state, look) for look in _looks(rule, watched, state))
    return any(one is not None and one.due_at <= clock for one in found)


def next_look(
    rules: Iterable[Rule], known: Mapping[str, Watched], state: ConversationState, clocks: Clocks
) -> Deadline | None:
    """The nearest deadline of the clock at which a rule looks again; behind every event that has come."""
    ahead: list[Deadline] = []
    for rule in rules:
        for look in _looks(rule, known.get(rule.name, Watched()), state):
            found = clock_deadline(state, look)
            if found is None or found.due_at <= clocks.clock:
                continue
            if found.due_at <= clocks.received:
                found = clock_deadline(state, clocks.received + 1)
            ahead += [] if found is None else [found]
    return min(ahead, default=None)


def _looks(rule: Rule, watched: Watched, state: ConversationState) -> Iterator[int]:
    """Instants at which a rule wants to look; about a wait whose clock pauses it says nothing again."""
    if rule.subject != CONVERSATION:
        return
    alert, held = watched
    pauses = bool(rule.stages) and state.paused_at is not None
    if alert is not None and alert.open and alert.repeats and alert.round == state.number and not pauses:
        yield alert.sent_at + rule.cooldown_ms
    if held is not None and held.stretch.round == state.number:
        for one in rule.held_conditions:
            if one.name in held.since:
                yield held.since[one.name] + one.duration_ms
