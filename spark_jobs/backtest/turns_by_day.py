"""The turns of a log whose ends are known to the day only: no timer of a dry run judges them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service_quality.commit.timers import Timer
from service_quality.conversations.conversation import EMPTY, conversation_key
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.parsing import parse_record
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.facts.turn_ends import ended_by_day, open_turn
from service_quality.policies.policy import Policy
from spark_jobs.backtest.log_lines import LogLine

_DAY = b'"day"'


class TurnByDay(NamedTuple):
    """A turn of a shop's conversation: its numbers, when it began, and when the event that ended it arrived.

    The numbers alone name several turns where a conversation was forgotten in between.
    """

    shop_id: str
    conversation_id: str
    round: int
    turn: int
    since: int
    until: int

    def holds(self, timer: Timer) -> bool:
        """Whether a timer judges this turn."""
        due_at, round_number, turn, _ = timer.deadline
        is_of_it = (timer.shop_id, timer.conversation_id, round_number, turn) == self[:4]
        return is_of_it and self.since <= due_at <= self.until


def turns_ended_by_day(lines: Sequence[LogLine], policies: tuple[Policy, ...]) -> list[TurnByDay]:
    """The turns that events known to the day end; a line that cannot be folded ends none."""
    if not any(_DAY in line.record.data for line in lines):
        return []
    return list(_find(lines, policies))


def _find(lines: Sequence[LogLine], policies: tuple[Policy, ...]) -> Iterator[TurnByDay]:
    held: dict[tuple[str, str], FoldedConversation] = {}
    received: dict[str, int] = {}
    for line in lines:
        event = _event_of(line)
        if event is None or event.conversation_id is None:
            continue
        key = event.shop_id, conversation_key(event)
        received[event.shop_id] = max(event.received_at, received.get(event.shop_id, 0))
        before = held.get(key, FoldedConversation(EMPTY, {}, policies))
        try:
            step = step_conversation(before, event, received_clock=received[event.shop_id])
        except RejectedEventError:
            continue
        if step is None:
            continue
        turn, held[key] = open_turn(before), step.after
        if before.state.turn is not None and turn is not None and ended_by_day(turn, event, step.after):
            yield TurnByDay(event.shop_id, event.conversation_id, *turn, before.state.turn.since, event.received_at)


def _event_of(line: LogLine) -> InteractionEvent | None:
    try:
        record = parse_record(line.record.data, arrived_at=line.arrived_at, shop_id=line.shop_id)
    except RejectedEventError:
        return None
    return record if isinstance(record, InteractionEvent) else None
