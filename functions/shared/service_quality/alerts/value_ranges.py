"""The numbers that a value can be, by its declaration: limits and examples of rules keep to them."""

from math import inf
from typing import NamedTuple

from service_quality.conversations.event_values import FLAGS
from service_quality.features.declarations import (
    Combined,
    Distinct,
    EventValue,
    Feature,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TopShare,
    Total,
    WindowRatio,
)
from service_quality.tasks.declared_tasks import DISSATISFACTION, TASKS

SCORE = DISSATISFACTION.score
#: Rates of which each hit is one of the trials; returns, say, may be more than the orders of the same window.
_PARTS_OF_TRIALS = frozenset({"dissatisfied", "on_time", "slow", "late_past_half"})


class ValueRange(NamedTuple):
    """The numbers from `lowest` to `highest`, without end where that is None; `meaning` says what some of them mean.

    A duration is written as one, and is in milliseconds.
    """

    highest: float | None = None
    is_whole: bool = False
    is_duration: bool = False
    meaning: str = ""
    lowest: float = 0

    def holds(self, number: float) -> bool:
        """Whether a value can be this number."""
        is_within = self.lowest <= number and (self.highest is None or number <= self.highest)
        return is_within and (not self.is_whole or float(number).is_integer())

    def can_end_at(self, limit: float) -> bool:
        """Whether some values are below a limit, which is at most next to the highest value.

        >>> hours = ValueRange(23, is_whole=True)
        >>> [hours.can_end_at(limit) for limit in (0, 1, 24, 25)]
        [False, True, True, False]
        """
        highest = None if self.highest is None else self.highest + self.is_whole
        return limit > self.lowest and self._replace(highest=highest).holds(limit)

    @property
    def in_words(self) -> str:
        """The numbers in words.

        >>> ValueRange(1).in_words, ValueRange(is_whole=True).in_words, ValueRange(is_duration=True).in_words
        ('a number from 0 to 1', 'a whole number of at least 0', 'a duration of at least PT0S')
        """
        if self.is_duration:
            return "a duration of at least PT0S"
        to = f"of at least {self.lowest}" if self.highest is None else f"from {self.lowest} to {self.highest}"
        return f"{self._number} {to}{self._meaning}"

    @property
    def ends_in_words(self) -> str:
        """The limits below which a value can be, in words."""
        if self.is_duration:
            return "a duration above PT0S"
        to = "" if self.highest is None else f", at most {self.highest + self.is_whole}"
        return f"{self._number} above {self.lowest}{to}{self._meaning}"

    @property
    def _number(self) -> str:
        return "a whole number" if self.is_whole else "a number"

    @property
    def _meaning(self) -> str:
        return f" ({self.meaning})" if self.meaning else ""


ANY_NUMBER = ValueRange(lowest=-inf)
_SHARE, _ANY_SHARE, _COUNT = ValueRange(1), ValueRange(), ValueRange(is_whole=True)
_DURATION = ValueRange(is_duration=True)
_FLAG = ValueRange(1, is_whole=True, meaning="1 for yes")
_OF_NAME = dict.fromkeys(FLAGS, _FLAG) | dict.fromkeys((task.score for task in TASKS.values()), _SHARE)
_OF_SUFFIX = {
    "_ms": _DURATION,
    "_minor": ValueRange(is_whole=True, meaning="minor units of the currency"),
    "_hour": ValueRange(23, is_whole=True, meaning="hour of the day in the zone of the policy"),
    "_weekday": ValueRange(6, is_whole=True, meaning="0 for Monday to 6 for Sunday, in the zone of the policy"),
    "_share": ValueRange(meaning="1 for all of the time"),
    "_at": ValueRange(is_whole=True, meaning="milliseconds since 1970, UTC"),
}


def range_of(feature: Feature) -> ValueRange:
    """The range of a feature, or of a value of the conversation; the names of facts and values end in their units.

    >>> range_of(EventValue("waited_share")).highest, range_of(Total("agent", "contacts", "1h")).is_whole
    (None, True)
    """
    match feature:
        case WindowRatio() | TopShare():
            return _SHARE
        case Rate(_, rate, _):
            return _SHARE if rate in _PARTS_OF_TRIALS else _ANY_SHARE
        case TimeSince() | Quantile() | Combined(_, "duration"):
            return _DURATION
        case Combined():
            return _ANY_SHARE
        case Distinct():
            return _COUNT
        case EventValue(name) if name in _OF_NAME:
            return _OF_NAME[name]
        case Mean(_, name, _, _):
            return _DURATION if name.endswith("_ms") else _ANY_SHARE
        case Total(_, name, _) | EventValue(name):
            return next((found for suffix, found in _OF_SUFFIX.items() if name.endswith(suffix)), _COUNT)
