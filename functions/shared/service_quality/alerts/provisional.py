"""Which figures of an alert wait for a calendar: they count replies that a year without a published decree judged."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import answer_due_at
from service_quality.conversations.wait_stages import WAITED_SHARE
from service_quality.features.declarations import EventValue, Feature, FeatureSet, Total

#: The facts that a target judges, in business time where it says so.
_JUDGED = ("on_time_replies", "slow_replies", "half_spent_replies", "late_replies")
#: The values of a conversation that its target judges, in business time where it says so.
_OF_CONVERSATION = tuple(map(EventValue, (WAITED_SHARE, "answer_due_at", "answer_over_ms")))


def is_judged(feature: Feature) -> bool:
    """Whether a feature reads how many replies were on time, late or slow, or the wait by its target.

    >>> is_judged(Total("shop", "slow_replies", "7d")), is_judged(Total("shop", "reply_ms", "7d"))
    (True, False)
    """
    return feature in _OF_CONVERSATION or any(fact in _JUDGED for _, _, fact in feature.reads)


def provisional_counts(feature: Feature) -> Iterator[str]:
    """The names of the features that count the provisional replies among those that a judged feature reads."""
    return (
        Total(entity, "provisional_replies", window).name for entity, window, fact in feature.reads if fact in _JUDGED
    )


def provisional_waits(state: ConversationState, at: int) -> tuple[str, ...]:
    """The names of the values of the last wait, at an instant, that a decree may still move.

    The share of its time rests on the days up to the instant, the instant at which the answer is due on those up to it;
    of a wait that is over, how late the answer was on those up to the answer.
    """
    turn = state.turn
    if turn is None:
        answer = state.round.last_answer if state.round is not None else None
        return ("answer_over_ms",) if answer is not None and answer.provisional else ()
    ends = {WAITED_SHARE: at, "answer_due_at": answer_due_at(state)}
    return tuple(name for name, end in ends.items() if end is not None and turn.is_provisional(end, state.contact))


def provisional_figures(
    names: Iterable[str], values: Mapping[str, float | int | None], features: FeatureSet, *, waits: Collection[str] = ()
) -> tuple[str, ...]:
    """Those of these names, each once, whose values a decree may still move; `values` has the counts of replies.

    They are judged features with a provisional reply behind them, and values of the last wait that `waits` names.
    """
    declared = {feature.name: feature for feature in features.features}

    def is_provisional(name: str) -> bool:
        if name in waits:
            return values.get(name) is not None
        counts = provisional_counts(declared[name]) if name in declared else ()
        return any((values.get(count) or 0) > 0 for count in counts)

    return tuple(name for name in dict.fromkeys(names) if is_provisional(name))
