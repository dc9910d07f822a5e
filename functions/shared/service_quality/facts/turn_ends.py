"""The open turn of a conversation, and whether an event that is known to the day only has ended it.

When such a turn ended is not known, so no virtual timer judges it.
"""

from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import FoldedConversation

#: The number of a round, and that of a turn in it.
TurnNumber = tuple[int, int]


def open_turn(folded: FoldedConversation) -> TurnNumber | None:
    """The numbers of the turn in which a customer waits; None where nobody waits."""
    state = folded.state
    return None if state.turn is None else (state.number, state.turn_number)


def ended_by_day(turn: TurnNumber | None, event: InteractionEvent, after: FoldedConversation) -> bool:
    """Whether an event, which is known to the day only, ended a turn; `after` is the conversation after the event."""
    if turn is None or event.precision == "ms" or open_turn(after) == turn:
        return False
    of_round = [one for one in after.state.rounds if one.number == turn[0]]
    replied = (reply.at for one in of_round for reply in one.replies)
    left = (end.at for one in of_round for end in one.unanswered)
    return event.occurred_at in {*replied, *left}
