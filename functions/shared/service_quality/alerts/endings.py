"""What ends an alert: one word, which a mail spells out."""

from service_quality.alerts.alert_state import AlertState
from service_quality.alerts.conditions import Condition, Values, decisive_values
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.rounds import RESOLVED, SILENCE, Round

#: The rule was taken out of force; what a job found about the subject has expired.
RULE_WITHDRAWN, FINDING_EXPIRED = "rule_withdrawn", "finding_expired"
#: Endings that no value of the subject decides.
OF_NO_VALUE = (RULE_WITHDRAWN, FINDING_EXPIRED)
MERGED, ANSWERED, RATED, NEXT_ROUND = "merged", "answered", "rated", "next_round"
#: A round was resolved, or ended by silence, while the customer waited.
CLOSED_UNANSWERED, GIVEN_UP = "closed_unanswered", "given_up"
ENDINGS = (ANSWERED, RESOLVED, CLOSED_UNANSWERED, SILENCE, GIVEN_UP, RATED, MERGED, NEXT_ROUND, *OF_NO_VALUE)


def ending_of(state: ConversationState, alert: AlertState, over: Condition, values: Values) -> str | None:
    """What ended an alert about a round; None where the values that decided it say so better themselves.

    `over` is the condition that ends it, and holds of the values. A rating ends no wait: what is over without the
    rating, because nobody waits, ended with the answer. None, too, for a wait that was taken back.
    """
    decisive = {*decisive_values(over, values)}
    if not {"closed", "waiting"}.intersection(decisive):
        return None
    end = end_of_round(state, alert, over)
    if end is not None:
        return end
    if "waiting" not in decisive_values(over, {**values, "closed": 0}):
        return RATED if "closed" in decisive else None
    running = next(one for one in state.rounds if one.number == alert.round)
    return ANSWERED if _is_answered(running, alert) else None


def end_of_round(state: ConversationState, alert: AlertState, over: Condition) -> str | None:
    """How the round of an alert ended, or the wait in it, where `over` is the end of a wait; None for one that runs."""
    if state.is_merged:
        return MERGED
    ended = next((one for one in state.rounds if one.number == alert.round), None)
    if ended is None:
        return NEXT_ROUND
    waited_to_the_end = any(one.at == ended.ended_at for one in ended.unanswered)
    if ended.end == RESOLVED:
        return CLOSED_UNANSWERED if waited_to_the_end else RESOLVED
    if ended.end == SILENCE:
        return GIVEN_UP if waited_to_the_end else SILENCE
    if not ended.end:
        return None
    is_of_wait = over.holds({"waiting": 0, "closed": 0})
    return ANSWERED if is_of_wait and _is_answered(ended, alert) else NEXT_ROUND


def _is_answered(one: Round, alert: AlertState) -> bool:
    """Whether a round that was not closed has an answer to the wait during which an alert about it began."""
    return len(one.replies) + len(one.unanswered) >= alert.turn
