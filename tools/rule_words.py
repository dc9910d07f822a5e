"""Conditions of rules in words."""

from service_quality.alerts.conditions import (
    AboveParent,
    AbovePast,
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    Condition,
    HeldFor,
    Missing,
    Not,
    OneOf,
)
from service_quality.alerts.wording import value_in_words


def condition_in_words(condition: Condition) -> str:  # noqa: PLR0911  # one for each kind
    """A condition with its values' names as in code, and limits with their units.

    >>> condition_in_words(AnyOf((AtLeast("waiting_ms", 1_800_000), Missing("waiting_ms"))))
    '`waiting_ms` at least 30 min, or `waiting_ms` missing'
    >>> condition_in_words(Below("agent_dissatisfied_rate_30d", "supervisor_dissatisfied_rate_30d", times=1.3))
    '`agent_dissatisfied_rate_30d` below 1.3 × `supervisor_dissatisfied_rate_30d`'
    >>> condition_in_words(Not(Between("opened_hour", 9, 18)))
    'not: `opened_hour` at least 09:00 UTC and below 18:00 UTC'
    """
    match condition:
        case AllOf(conditions):
            return " and ".join(map(condition_in_words, conditions))
        case AnyOf(conditions):
            return ", or ".join(map(condition_in_words, conditions))
        case Not(inner):
            return f"not: {condition_in_words(inner)}"
        case HeldFor(inner, duration_ms):
            return f"for {value_in_words('waiting_ms', duration_ms, 'en')}: {condition_in_words(inner)}"
        case Missing(value):
            return f"`{value}` missing"
        case AtLeast("closed", 1):
            return "the conversation is closed"
        case Between(value, lowest, below):
            return f"`{value}` at least {_number(value, lowest)} and below {_number(value, below)}"
        case OneOf(value, numbers):
            return f"`{value}` one of {', '.join(_number(value, one) for one in numbers)}"
        case AboveParent():
            sure = f"with {condition.confidence:.1%} confidence over at least {condition.at_least:,}"
            return f"`{condition.rate}` above `{condition.parent}` {sure}"
        case AbovePast():
            expected = f"{condition.times:g} × what `{condition.past}` lets expect"
            sure = f"with {condition.confidence:.1%} confidence"
            return f"`{condition.recent}` at least {condition.at_least:,} and {expected}, {sure}"
    said = "below" if isinstance(condition, Below) else "at least"
    return f"`{condition.value}` {said} {_limit(condition)}"


def _limit(comparison: AtLeast | Below) -> str:
    if isinstance(comparison.limit, str):
        return f"{comparison.times:g} × `{comparison.limit}`"
    return _number(comparison.value, comparison.limit * comparison.times)


def _number(name: str, number: float) -> str:
    return f"{number:g}" if name == "score" else value_in_words(name, number, "en")
