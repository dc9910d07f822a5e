"""Rules are data: kinds of events, conditions over named values, severities, subject and cooldown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service_quality.errors import DeclarationError
from service_quality.facts.entities import ENTITIES

SEVERITIES = ("info", "warning", "critical")
#: Whom an alert calls, by which subscribers filter.
AUDIENCES = ("operations", "team", "coaching", "marketing", "buying")
Values = Mapping[str, float | int | None]


@dataclass(frozen=True)
class _Comparison:
    """A value beside a limit, or beside `times` another value."""

    value: str
    limit: float | str
    times: float = 1.0

    def compared(self, values: Values) -> tuple[float, float] | None:
        """The value and its limit; None while either is missing."""
        found = values.get(self.value)
        limit = values.get(self.limit) if isinstance(self.limit, str) else self.limit
        return None if found is None or limit is None else (found, limit * self.times)


class AtLeast(_Comparison):
    """A value is at least a limit, or at least `times` another value; a missing value satisfies nothing."""

    def holds(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] >= compared[1]


class Below(_Comparison):
    """A value is known and below a limit, or below `times` another value."""

    def holds(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] < compared[1]


@dataclass(frozen=True)
class Missing:
    """A value is not known."""

    value: str

    def holds(self, values: Values) -> bool:
        return values.get(self.value) is None


@dataclass(frozen=True)
class _Several:
    """Several conditions that together make one."""

    conditions: tuple["Condition", ...]


class AllOf(_Several):
    """Every condition holds."""

    def holds(self, values: Values) -> bool:
        return all(condition.holds(values) for condition in self.conditions)


class AnyOf(_Several):
    """At least one condition holds."""

    def holds(self, values: Values) -> bool:
        return any(condition.holds(values) for condition in self.conditions)


Condition = AtLeast | Below | Missing | AllOf | AnyOf


def decisive_values(condition: Condition, values: Values) -> Iterator[str]:
    """The names of the values that make a condition hold; empty where it does not hold.

    >>> over = AnyOf((Below("score", 0.35), AtLeast("closed", 1)))
    >>> list(decisive_values(over, {"score": 0.5, "closed": 1})), list(decisive_values(over, {"score": 0.5}))
    (['closed'], [])
    """
    if not condition.holds(values):
        return
    if isinstance(condition, _Several):
        for one in condition.conditions:
            yield from decisive_values(one, values)
        return
    yield condition.value
    if isinstance(condition, _Comparison) and isinstance(condition.limit, str):
        yield condition.limit


@dataclass(frozen=True)
class Rule:
    """One declared call for attention.

    `tiers` give a severity and its condition, gravest first; the first that holds decides. `resolved_when` ends an
    open alert and comes before any tier. Within the cooldown after the last message, an alert that holds or comes back
    is only counted, unless it is worse. `audience` is one of AUDIENCES.
    """

    name: str
    version: int
    subject: str
    kinds: frozenset[str]
    tiers: tuple[tuple[str, Condition], ...]
    resolved_when: Condition
    cooldown_ms: int
    evidence: tuple[str, ...] = ()
    audience: str = "operations"

    def __post_init__(self) -> None:
        """DeclarationError for a subject without an item of its own for its alerts, or an unknown name."""
        subjects = ["conversation", *(name for name, entity in ENTITIES.items() if not entity.stored_with)]
        if self.subject not in subjects:
            raise DeclarationError(f"found subject {self.subject!r}, expected one of {', '.join(subjects)}")
        for severity, _ in self.tiers:
            if severity not in SEVERITIES:
                raise DeclarationError(f"found severity {severity!r}, expected one of {', '.join(SEVERITIES)}")
        if self.audience not in AUDIENCES:
            raise DeclarationError(f"found audience {self.audience!r}, expected one of {', '.join(AUDIENCES)}")

    def severity(self, values: Values) -> str | None:
        """The gravest severity whose condition holds."""
        for severity, condition in self.tiers:
            if condition.holds(values):
                return severity
        return None
