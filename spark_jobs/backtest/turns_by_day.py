"""The turns of a log whose ends are known to the day only: no timer of a dry run judges them."""

from collections.abc import Iterator, Sequence

from service_quality.conversations.conversation import EMPTY, conversation_key
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.parsing import parse_record
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.policies.policy import Policy
from spark_jobs.backtest.log_lines import LogLine
from spark_jobs.logs.open_turns import ended_by_day, open_turn

_DAY = b'"day"'
#: A shop, a conversation of it, and the numbers of a round and a turn.
TurnKey = tuple[str, str, int, int]


def turns_ended_by_day(lines: Sequence[LogLine], policies: tuple[Policy, ...]) -> frozenset[TurnKey]:
    """The turns that events known to the day end; a line that cannot be folded ends none."""
    if not any(_DAY in line.record.data for line in lines):
        return frozenset()
    return frozenset(_find(lines, policies))


def _find(lines: Sequence[LogLine], policies: tuple[Policy, ...]) -> Iterator[TurnKey]:
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
        if turn is not None and ended_by_day(turn, event, step.after):
            yield event.shop_id, event.conversation_id, *turn


def _event_of(line: LogLine) -> InteractionEvent | None:
    try:
        record = parse_record(line.record.data, arrived_at=line.arrived_at, shop_id=line.shop_id)
    except RejectedEventError:
        return None
    return record if isinstance(record, InteractionEvent) else None
