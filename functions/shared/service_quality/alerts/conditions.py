"""The closed algebra of conditions over named values.

A condition holds, fails, or does neither: a value that is missing satisfies nothing and contradicts nothing, so that
`Not` says nothing of it either. Arithmetic is + − × ÷ and comparison, so that every engine decides alike. Most kinds
are tuples, which cost a start little.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class

Values = Mapping[str, float | int | None]

#: The squared quantile of the normal distribution by the confidence of a two-sided interval.
SQUARED_QUANTILES = {0.9: 2.705543, 0.95: 3.841459, 0.99: 6.634897, 0.999: 10.827566}


@value_class(frozen=True)
class _Comparison(ByFields):
    """A value beside a limit, or beside `times` another value."""

    value: str
    limit: float | str
    times: float = 1.0

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the values that it looks at."""
        return (self.value, self.limit) if isinstance(self.limit, str) else (self.value,)

    def compared(self, values: Values) -> tuple[float, float] | None:
        """The value and its limit; None while either is missing."""
        found = values.get(self.value)
        limit = values.get(self.limit) if isinstance(self.limit, str) else self.limit
        return None if found is None or limit is None else (found, limit * self.times)


class AtLeast(_Comparison):
    """A value is at least a limit, or at least `times` another value."""

    def holds(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] >= compared[1]

    def fails(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] < compared[1]


class Below(_Comparison):
    """A value is below a limit, or below `times` another value."""

    def holds(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] < compared[1]

    def fails(self, values: Values) -> bool:
        compared = self.compared(values)
        return compared is not None and compared[0] >= compared[1]


class Between(NamedTuple):
    """A value is at least `lowest` and below `below`."""

    value: str
    lowest: float
    below: float

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value,)

    def holds(self, values: Values) -> bool:
        found = values.get(self.value)
        return found is not None and self.lowest <= found < self.below

    def fails(self, values: Values) -> bool:
        return values.get(self.value) is not None and not self.holds(values)


class OneOf(NamedTuple):
    """A value is one of several numbers."""

    value: str
    numbers: tuple[float, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value,)

    def holds(self, values: Values) -> bool:
        return values.get(self.value) in self.numbers

    def fails(self, values: Values) -> bool:
        return values.get(self.value) is not None and not self.holds(values)


class Missing(NamedTuple):
    """A value is not known."""

    value: str

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.value,)

    def holds(self, values: Values) -> bool:
        return values.get(self.value) is None

    def fails(self, values: Values) -> bool:
        return not self.holds(values)


class AboveParent(NamedTuple):
    """The rate of an entity lies above its parent's, which is outside of the interval of the entity's own rate.

    `rate` is the served one, shrunk towards `parent` as by `prior_weight` further trials at the parent's rate; `trials`
    is the number of its trials, `at_least` so many. The interval is the score interval (Wilson, JASA 1927) of the raw
    rate hits ÷ n. It excludes the parent's rate p where n × (hits ÷ n − p)² > z² × p × (1 − p), and the served rate r
    says that hits ÷ n − p = (r − p) × (n + w) ÷ n.

    >>> above = AboveParent("r", "p", "n", prior_weight=30, at_least=20, confidence=0.95)
    >>> [above.holds({"r": r, "p": 0.2, "n": 50}) for r in (0.25, 0.28)], above.holds({"r": 0.9, "p": 0.2, "n": 19})
    ([False, True], False)
    """

    rate: str
    parent: str
    trials: str
    prior_weight: float
    at_least: int
    confidence: float

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.rate, self.parent, self.trials)

    def holds(self, values: Values) -> bool:
        rate, parent, trials = (values.get(name) for name in self.reads)
        if rate is None or parent is None or trials is None or trials < self.at_least or rate <= parent:
            return False
        reach = (rate - parent) * (trials + self.prior_weight)
        return reach * reach > SQUARED_QUANTILES[self.confidence] * parent * (1 - parent) * trials

    def fails(self, values: Values) -> bool:
        return all(values.get(name) is not None for name in self.reads) and not self.holds(values)


class AbovePast(NamedTuple):
    """A count in a short window is out of proportion to the same entity's count in a long window, which contains it.

    The short window is a `share` of the long one. Of n in the long window, n × share would be in the short one if
    nothing had changed: the recent count is `at_least` so many, at least `times` that, and the score interval of its
    share in n excludes `share`. At least `past_at_least` of n are older, so that what is new as a whole is no spike.

    >>> above = AbovePast("day", "month", share=1 / 30, at_least=5, past_at_least=10, times=3, confidence=0.99)
    >>> [above.holds({"day": day, "month": 30 + day}) for day in (2, 5, 8)]
    [False, True, True]
    >>> above.holds({"day": 8, "month": 8})
    False
    """

    recent: str
    past: str
    share: float
    at_least: int
    past_at_least: int
    times: float
    confidence: float

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.recent, self.past)

    def holds(self, values: Values) -> bool:
        recent, whole = (values.get(name) for name in self.reads)
        if recent is None or whole is None or recent < self.at_least or whole - recent < self.past_at_least:
            return False
        expected = whole * self.share
        reach = recent - expected
        if reach <= 0 or recent < self.times * expected:
            return False
        return reach * reach > SQUARED_QUANTILES[self.confidence] * self.share * (1 - self.share) * whole

    def fails(self, values: Values) -> bool:
        return all(values.get(name) is not None for name in self.reads) and not self.holds(values)


class Not(NamedTuple):
    """A condition fails: it is known not to hold."""

    condition: "Condition"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.condition.reads

    def holds(self, values: Values) -> bool:
        return self.condition.fails(values)

    def fails(self, values: Values) -> bool:
        return self.condition.holds(values)


class HeldFor(NamedTuple):
    """A condition has held for so long, in milliseconds, whenever its rule was asked.

    `name` is that of a value: how long it has held by now, where it holds (looks.py).

    >>> slow = HeldFor(AtLeast("score", 0.5), 60_000, "held")
    >>> slow.holds({"score": 0.6, "held": 60_000}), slow.holds({"score": 0.6, "held": 0}), slow.fails({"score": 0.4})
    (True, False, True)
    """

    condition: "Condition"
    duration_ms: int
    name: str

    @property
    def reads(self) -> tuple[str, ...]:
        return self.condition.reads

    def holds(self, values: Values) -> bool:
        held = values.get(self.name)
        return held is not None and held >= self.duration_ms and self.condition.holds(values)

    def fails(self, values: Values) -> bool:
        return self.condition.fails(values) or (self.condition.holds(values) and not self.holds(values))


@value_class(frozen=True)
class _Several(ByFields):
    """Several conditions that together make one."""

    conditions: tuple["Condition", ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in self.conditions for name in one.reads))


class AllOf(_Several):
    """Every condition holds."""

    def holds(self, values: Values) -> bool:
        return all(condition.holds(values) for condition in self.conditions)

    def fails(self, values: Values) -> bool:
        return any(condition.fails(values) for condition in self.conditions)


class AnyOf(_Several):
    """At least one condition holds."""

    def holds(self, values: Values) -> bool:
        return any(condition.holds(values) for condition in self.conditions)

    def fails(self, values: Values) -> bool:
        return all(condition.fails(values) for condition in self.conditions)


Condition = AtLeast | Below | Between | OneOf | Missing | AboveParent | AbovePast | Not | HeldFor | AllOf | AnyOf


def held_in(condition: Condition) -> Iterator[HeldFor]:
    """Every condition within a condition that asks how long another one has held."""
    if isinstance(condition, HeldFor):
        yield condition
    elif isinstance(condition, Not):
        yield from held_in(condition.condition)
    elif isinstance(condition, _Several):
        for one in condition.conditions:
            yield from held_in(one)


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
    yield from condition.reads
