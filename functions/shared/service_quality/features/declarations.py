"""Features are declared as data; their names, their reads and their values follow from the declaration."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial, reduce
from typing import Protocol, TypeVar

from service_quality.by_fields import ByFields, value_class
from service_quality.conversations.declared_values import CURRENCY_KNOWN
from service_quality.conversations.event_values import EVENT_VALUES
from service_quality.errors import DeclarationError
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.declared_facts import GROUPS, MONEY_FACTS, REPLY_HISTOGRAM
from service_quality.facts.entities import ENTITIES
from service_quality.histories.history import Column, HistoryPlan
from service_quality.histories.windows import WINDOWS
from service_quality.instants import DAY

Number = TypeVar("Number")

#: The operations of a combined feature.
OPERATIONS = PLUS, MINUS, PER, LEAST, MOST = "plus", "minus", "per", "least", "most"


class Reader(Protocol[Number]):
    """An engine's side of a declaration: sums of histories and values of the conversation at one read point.

    A number may be a plain number or a column of numbers; arithmetic is + − × ÷ and comparison, so all engines agree
    in every bit.
    """

    def total(self, entity: str, window: str, fact: str) -> Number:
        """The sum of a fact in a window; 0 without a history."""

    def time_since(self, entity: str, window: str, fact: str) -> Number:
        """Milliseconds from the newest tile that holds the fact to the clock; missing where no tile does."""

    def time_since_first(self, entity: str, window: str, fact: str) -> Number:
        """Milliseconds from the oldest tile that holds the fact to the clock; missing where no tile does."""

    def ratio(self, numerator: Number, denominator: Number) -> Number:
        """The quotient; missing where the denominator is 0."""

    def shrink(self, hits: Number, trials: Number, parent: Number | float, prior_weight: float) -> Number:
        """(hits + prior_weight × parent) ÷ (trials + prior_weight)."""

    def count_positive(self, numbers: Sequence[Number]) -> Number:
        """How many of some numbers are above 0; missing where one is missing."""

    def combine(self, operation: str, first: Number, second: Number) -> Number:
        """PLUS, MINUS, LEAST or MOST of two numbers; missing where either is."""

    def quantile(self, counts: Sequence[Number], bounds: Sequence[int], share: float) -> Number:
        """The value that a share of the counted does not exceed, spread evenly within its bucket; missing without any.

        A bucket reaches from the bound before it, the first from 0, to its own.
        """

    def event(self, name: str) -> Number:
        """A value of the conversation; may be missing."""

    def memoized(self, feature: "Feature") -> Number:
        """The value of a feature, computed once per read point."""


@value_class(frozen=True)
class EventValue(ByFields):
    """A value of the conversation, the event and the clock, without history."""

    value: str

    @property
    def name(self) -> str:
        return self.value

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return ()

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.event(self.value)


@value_class(frozen=True)
class Total(ByFields):
    """The sum of a fact of an entity in a window."""

    entity: str
    fact: str
    window: str

    @property
    def name(self) -> str:
        return f"{self.entity}_{self.fact}_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.entity, self.window, self.fact),)

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.total(self.entity, self.window, self.fact)


@value_class(frozen=True)
class AmountTotal(Total):
    """The sum of amounts of an entity of one currency in a window; missing where the event's currency is not known."""

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.ratio(super().compute(reader), reader.event(CURRENCY_KNOWN))


@value_class(frozen=True)
class Mean(ByFields):
    """A fact per another fact, such as reply milliseconds per timed reply; missing where the other is 0."""

    entity: str
    fact: str
    per: str
    window: str

    @property
    def name(self) -> str:
        return f"{self.entity}_{self.fact}_per_{self.per}_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.entity, self.window, self.fact), (self.entity, self.window, self.per))

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.ratio(
            reader.total(self.entity, self.window, self.fact), reader.total(self.entity, self.window, self.per)
        )


@value_class(frozen=True)
class Quantile(ByFields):
    """The wait in milliseconds that a share of the known waits of an entity does not exceed, from their histogram.

    Waits of more than a day are taken as spread evenly up to a week.
    """

    entity: str
    share: float
    window: str

    @property
    def name(self) -> str:
        return f"{self.entity}_reply_ms_p{round(self.share * 100)}_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.entity, self.window, fact) for fact in REPLY_HISTOGRAM)

    def compute(self, reader: Reader[Number]) -> Number:
        counts = [reader.total(self.entity, self.window, fact) for fact in REPLY_HISTOGRAM]
        return reader.quantile(counts, _BOUNDS, self.share)


_BOUNDS = tuple(7 * DAY if bound is None else bound for bound in REPLY_HISTOGRAM.values())


@value_class(frozen=True)
class Distinct(ByFields):
    """How many different ones there were at least: the `groups`, of 16, of which the window holds one."""

    entity: str
    groups: str
    window: str

    @property
    def name(self) -> str:
        return f"{self.entity}_distinct_{self.groups}_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.entity, self.window, fact) for fact in GROUPS[self.groups])

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.count_positive([reader.total(*read) for read in self.reads])


@value_class(frozen=True)
class TopShare(Distinct):
    """The share of the most frequent of the `groups`, 0 to 1; missing where the window holds none."""

    @property
    def name(self) -> str:
        return f"{self.entity}_top_{self.groups}_share_{self.window}"

    def compute(self, reader: Reader[Number]) -> Number:
        counts = [reader.total(*read) for read in self.reads]
        most, all_of_them = (reduce(partial(reader.combine, operation), counts) for operation in (MOST, PLUS))
        return reader.ratio(most, all_of_them)


@value_class(frozen=True)
class Combined(ByFields):
    """Two features of histories, put together by an operation; missing where either is, and where it divides by 0.

    `label` says what comes out, in the messages too; `unit` is its unit: duration, share, number or money. There is no
    product: it would leave the numbers that all engines hold exactly.
    """

    label: str
    unit: str
    operation: str
    first: "HistoryFeature"
    second: "HistoryFeature"

    @property
    def name(self) -> str:
        return f"{self.entity}_{self.label}_{self.window}"

    @property
    def entity(self) -> str:
        return self.first.entity

    @property
    def window(self) -> str:
        return self.first.window

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return self.first.reads + self.second.reads

    def compute(self, reader: Reader[Number]) -> Number:
        first, second = reader.memoized(self.first), reader.memoized(self.second)
        return reader.ratio(first, second) if self.operation == PER else reader.combine(self.operation, first, second)


@value_class(frozen=True)
class WindowRatio(ByFields):
    """The share of a long window's facts in its recent part, 0 to 1, shrunk towards an even spread.

    It is as if `prior_weight` further facts were spread evenly over the long window: the first of a kind is no rush.
    """

    entity: str
    fact: str
    recent: str
    window: str
    prior_weight: float

    @property
    def name(self) -> str:
        return f"{self.entity}_{self.fact}_{self.recent}_of_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.entity, self.recent, self.fact), (self.entity, self.window, self.fact))

    @property
    def even_share(self) -> float:
        """The recent part's share of the long window's length."""
        return WINDOWS[self.recent].length / WINDOWS[self.window].length

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.shrink(
            reader.total(self.entity, self.recent, self.fact),
            reader.total(self.entity, self.window, self.fact),
            self.even_share,
            self.prior_weight,
        )


@value_class(frozen=True)
class TimeSince(ByFields):
    """Milliseconds since the last occurrence of a fact, to the window's hop; missing beyond the window."""

    entity: str
    fact: str
    window: str

    @property
    def name(self) -> str:
        return f"{self.entity}_time_since_{self.fact}_{self.window}"

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.entity, self.window, self.fact),)

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.time_since(self.entity, self.window, self.fact)


@value_class(frozen=True)
class TimeSinceFirst(TimeSince):
    """Milliseconds since the first occurrence of a fact in the window, to its hop; missing without any."""

    @property
    def name(self) -> str:
        return f"{self.entity}_time_since_first_{self.fact}_{self.window}"

    def compute(self, reader: Reader[Number]) -> Number:
        return reader.time_since_first(self.entity, self.window, self.fact)


@value_class(frozen=True)
class Rate(ByFields):
    """Hits per trial, shrunk towards the parent's rate as by `prior_weight` further trials at that rate.

    The top of a hierarchy shrinks towards a declared constant. Small samples must not give extreme rates: without
    trials the rate is the parent's.
    """

    entity: str
    rate: str
    window: str
    prior_weight: float
    parent: "Rate | float"

    @property
    def name(self) -> str:
        return f"{self.entity}_{self.rate}_rate_{self.window}"

    @property
    def trials(self) -> Total:
        """How much it counts."""
        return Total(self.entity, RATES[self.rate][1], self.window)

    @property
    def rates(self) -> tuple[str, ...]:
        """Its own rate, then those of its parents."""
        return (self.rate, *(self.parent.rates if isinstance(self.parent, Rate) else ()))

    @property
    def reads(self) -> tuple[tuple[str, str, str], ...]:
        hits, trials = RATES[self.rate]
        own = ((self.entity, self.window, hits), (self.entity, self.window, trials))
        return own + (self.parent.reads if isinstance(self.parent, Rate) else ())

    def compute(self, reader: Reader[Number]) -> Number:
        hits, trials = RATES[self.rate]
        parent: Number | float = reader.memoized(self.parent) if isinstance(self.parent, Rate) else self.parent
        return reader.shrink(
            reader.total(self.entity, self.window, hits),
            reader.total(self.entity, self.window, trials),
            parent,
            self.prior_weight,
        )


#: Rates by name: which facts are the hits and which the trials.
RATES = {
    "dissatisfied": ("dissatisfied_ratings", "ratings"),
    "on_time": ("on_time_replies", "timed_replies"),
    "slow": ("slow_replies", "timed_replies"),
    "late_past_half": ("late_replies", "half_spent_replies"),
    "resolved": ("resolutions", "contacts"),
    "reopened": ("reopenings", "contacts"),
    "returned": ("returns", "orders"),
    "complaint": ("complaints", "contacts"),
}

#: What a combined feature may be made of.
HistoryFeature = Total | Mean | Distinct | TimeSince | Combined

Feature = EventValue | Quantile | WindowRatio | Rate | HistoryFeature


@value_class(frozen=True)
class FeatureSet(ByFields):
    """The declared features in vector order."""

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DeclarationError(f"features declared twice: {', '.join(twice)}; expected each name once")
        for kind, known, found in self._named():
            if found not in known:
                raise DeclarationError(f"found {kind} {found!r}, expected one of {', '.join(known)}")
        served = set(names)
        for feature in self.features:
            parts = (feature.first, feature.second) if isinstance(feature, Combined) else ()
            lacking = sorted({part.name for part in parts} - served)
            if lacking:
                raise DeclarationError(
                    f"{feature.name}: found no feature {', '.join(lacking)}, expected its parts served"
                )
        for entity, _, fact in self._reads():
            if fact in MONEY_FACTS and "currency" not in ENTITIES[entity].parts:
                raise DeclarationError(f"found {fact} of {entity!r}, expected an entity of one currency")
        for feature in self.features:
            if isinstance(feature, Rate | WindowRatio) and feature.prior_weight <= 0:
                raise DeclarationError(
                    f"{feature.name}: found prior_weight {feature.prior_weight}, expected more than 0"
                )

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @cached_property
    def plan(self) -> HistoryPlan:
        """The smallest histories from which every feature can be read."""
        return HistoryPlan.of(Column(*read) for read in self._reads())

    @cached_property
    def event_values(self) -> tuple[str, ...]:
        """The values of the conversation that the features read, in order, each once."""
        named = (feature.value for feature in self.features if isinstance(feature, EventValue))
        amounts = (CURRENCY_KNOWN for feature in self.features if isinstance(feature, AmountTotal))
        return tuple(dict.fromkeys((*named, *amounts)))

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """A hash of each feature's whole meaning by name: declaration, windows, facts with their limits."""
        names = self.plan.name_of
        return {
            feature.name: _hashed([repr(feature), [names[Column(*read)] for read in feature.reads]])[:8]
            for feature in self.features
        }

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the whole declaration: equal where the same vectors mean the same."""
        return _hashed(list(self.meanings.items()))[:16]

    def _named(self) -> Iterator[tuple[str, Collection[str], str]]:
        """Every name that the features refer to: its kind, the known ones, the name."""
        for feature in self.features:
            if isinstance(feature, EventValue):
                yield "value of the conversation", EVENT_VALUES, feature.value
            if isinstance(feature, Combined):
                yield "operation", OPERATIONS, feature.operation
            if isinstance(feature, Distinct):
                yield "kind of groups", GROUPS, feature.groups  # before `reads` looks it up
            if isinstance(feature, Rate):
                yield from (("rate", RATES, rate) for rate in feature.rates)  # before `reads` looks them up
            for entity, window, fact in feature.reads:
                yield from (("entity", ENTITIES, entity), ("window", WINDOWS, window), ("fact", FACTS, fact))

    def _reads(self) -> Iterator[tuple[str, str, str]]:
        for feature in self.features:
            yield from feature.reads


def _hashed(declared: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(declared).encode()).hexdigest()


def compute_features(features: Iterable[Feature], reader: Reader[Number]) -> list[Number]:
    """Every feature's value at the reader's read point, in declared order."""
    return [reader.memoized(feature) for feature in features]
