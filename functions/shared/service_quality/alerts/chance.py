"""Whether a condition about many conversations holds only beyond chance: few trials move a rate by themselves."""

from collections.abc import Collection

from service_quality.alerts.conditions import AboveParent, AbovePast, AllOf, AnyOf, Condition, HeldFor, Missing


def rate_by_chance(condition: Condition, rates: Collection[str]) -> str | None:
    """A rate by which a condition may hold without an interval that excludes chance; None where there is no such one.

    >>> from service_quality.alerts.conditions import AtLeast
    >>> rate, above = AtLeast("r", 0.5), AboveParent("r", "p", "n", prior_weight=30, at_least=20, confidence=0.95)
    >>> rate_by_chance(AllOf((above, rate)), {"r"}), rate_by_chance(AnyOf((above, rate)), {"r"})
    (None, 'r')
    """
    if _is_beyond_chance(condition):
        return None
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            found = (rate_by_chance(one, rates) for one in conditions)
            return next((rate for rate in found if rate is not None), None)
        case HeldFor(inner):
            return rate_by_chance(inner, rates)
        case Missing():
            return None
    return next((name for name in condition.reads if name in rates), None)


def _is_beyond_chance(condition: Condition) -> bool:
    """Whether a condition holds only where an interval excludes chance."""
    match condition:
        case AboveParent() | AbovePast():
            return True
        case AllOf(conditions):
            return any(map(_is_beyond_chance, conditions))
        case AnyOf(conditions):
            return all(map(_is_beyond_chance, conditions))
        case HeldFor(inner):
            return _is_beyond_chance(inner)
    return False
