"""What ends an alert: one word, which a mail spells out."""

from collections.abc import Collection

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.rounds import RESOLVED, SILENCE

#: The rule was taken out of force.
RULE_WITHDRAWN = "rule_withdrawn"
MERGED, ANSWERED, RATED, NEXT_ROUND = "merged", "answered", "rated", "next_round"
#: A round was resolved, or ended by silence, while the customer waited.
CLOSED_UNANSWERED, GIVEN_UP = "closed_unanswered", "given_up"
ENDINGS = (ANSWERED, RESOLVED, CLOSED_UNANSWERED, SILENCE, GIVEN_UP, RATED, MERGED, NEXT_ROUND, RULE_WITHDRAWN)


def ending_of(state: ConversationState, round_number: int, decisive: Collection[str]) -> str | None:
    """What ended an alert about a round; None where the values that decided it say so better themselves.

    `decisive` are the names of those values.
    """
    if not {"closed", "waiting"}.intersection(decisive):
        return None
    end = end_of_round(state, round_number)
    return end or (RATED if "closed" in decisive else ANSWERED)


def end_of_round(state: ConversationState, number: int) -> str | None:
    """How a round ended; None for one that runs."""
    if state.is_merged:
        return MERGED
    ended = next((one for one in state.rounds if one.number == number), None)
    if ended is None:
        return NEXT_ROUND
    waited_to_the_end = any(one.at == ended.ended_at for one in ended.unanswered)
    if ended.end == RESOLVED:
        return CLOSED_UNANSWERED if waited_to_the_end else RESOLVED
    if ended.end == SILENCE:
        return GIVEN_UP if waited_to_the_end else SILENCE
    return NEXT_ROUND if ended.end else None
