"""Rules are data: which events they look at, conditions over named values, severities, subject and patience."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service_quality.errors import DeclarationError
from service_quality.facts.entities import ENTITIES

SEVERITIES = ("info", "warning", "critical")
Values = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A value is at least a limit, or at least `times` another value; a missing value satisfies nothing."""

    value: str
    limit: float | str
    times: float = 1.0

    def holds(self, values: Values) -> bool:
        found = values.get(self.value)
        limit = values.get(self.limit) if isinstance(self.limit, str) else self.limit
        return found is not None and limit is not None and found >= limit * self.times


@dataclass(frozen=True, slots=True)
class Below:
    """A value is known and below a limit, or below `times` another value."""

    value: str
    limit: float | str
    times: float = 1.0

    def holds(self, values: Values) -> bool:
        found = values.get(self.value)
        limit = values.get(self.limit) if isinstance(self.limit, str) else self.limit
        return found is not None and limit is not None and found < limit * self.times


@dataclass(frozen=True, slots=True)
class Missing:
    """A value is not known."""

    value: str

    def holds(self, values: Values) -> bool:
        return values.get(self.value) is None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every condition holds."""

    conditions: tuple["Condition", ...]

    def holds(self, values: Values) -> bool:
        return all(condition.holds(values) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds."""

    conditions: tuple["Condition", ...]

    def holds(self, values: Values) -> bool:
        return any(condition.holds(values) for condition in self.conditions)


Condition = AtLeast | Below | Missing | AllOf | AnyOf


def decisive_values(condition: Condition, values: Values) -> Iterator[str]:
    """The names of the values that make a condition hold; none where it does not.

    >>> over = AnyOf((Below("score", 0.35), AtLeast("closed", 1)))
    >>> list(decisive_values(over, {"score": 0.5, "closed": 1})), list(decisive_values(over, {"score": 0.5}))
    (['closed'], [])
    """
    if not condition.holds(values):
        return
    if isinstance(condition, AllOf | AnyOf):
        for one in condition.conditions:
            yield from decisive_values(one, values)
        return
    yield condition.value
    if isinstance(condition, AtLeast | Below) and isinstance(condition.limit, str):
        yield condition.limit


@dataclass(frozen=True, slots=True)
class Rule:
    """One declared call for attention.

    `tiers` give a severity and its condition, gravest first; the first that holds decides. `resolved_when` ends an
    open alert and comes before any tier. Within the cooldown after it was last sent, an alert that comes back is only
    counted, unless it is worse.
    """

    name: str
    version: int
    subject: str
    kinds: frozenset[str]
    tiers: tuple[tuple[str, Condition], ...]
    resolved_when: Condition
    cooldown_ms: int
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """DeclarationError for a subject whose alerts no item of its own could hold, or an unknown severity."""
        subjects = ["conversation", *(name for name, entity in ENTITIES.items() if not entity.home)]
        if self.subject not in subjects:
            raise DeclarationError(f"found subject {self.subject!r}, expected one of {', '.join(subjects)}")
        for severity, _ in self.tiers:
            if severity not in SEVERITIES:
                raise DeclarationError(f"found severity {severity!r}, expected one of {', '.join(SEVERITIES)}")

    def severity(self, values: Values) -> str | None:
        """The gravest severity whose condition holds."""
        for severity, condition in self.tiers:
            if condition.holds(values):
                return severity
        return None
