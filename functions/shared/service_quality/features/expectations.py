"""Expectations of the score while one feature moves and all others rest. Data, beside the features.

The fit is bound to the directions and to the steepness; the export sweeps each feature over its plausible range and
refuses a model that contradicts a direction, takes a larger step or lets one feature contribute more than is declared.
"""

from dataclasses import dataclass
from enum import IntEnum

from service_quality.features.declarations import (
    Combined,
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
from service_quality.histories.windows import WINDOWS
from service_quality.instants import DAY


class Direction(IntEnum):
    """The direction in which a larger value of the feature may move the score: never down, never up, any."""

    RISES = 1
    FALLS = -1
    FREE = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """`direction`, and the plausible range `lowest` to `highest` in the feature's own unit.

    `scale` is the sweep of the range: "log" from 0 in steps that double the value, "linear" in steps of equal size.
    `largest_step` is the most log-odds between two neighbours of such a sweep.
    """

    direction: Direction
    lowest: float
    highest: float
    scale: str
    largest_step: float


#: The most log-odds by which one feature may move the score away from the intercept: odds 55 times as high or as low.
LARGEST_CONTRIBUTION = 4.0

#: The most log-odds between a value and twice that value, or between two neighbours on a linear scale.
LARGEST_STEP = 1.0

#: Counts of which one more event may weigh by itself: a complaint is no small step.
_TELLING_BY_ONE = frozenset({"answered", "transfers", "reopenings", "conversation_complaints"})

#: Each rate is in one of three: more of it can only be worse, can only be better, or may mean either.
MORE_IS_WORSE = frozenset({"dissatisfied", "slow", "late_past_half", "returned", "complaint", "reopened"})
MORE_IS_BETTER = frozenset({"on_time", "resolved"})
MORE_IS_EITHER: frozenset[str] = frozenset()

_LONGER_IS_WORSE = frozenset({"first_response_at_least_ms", "longest_later_reply_ms", "waiting_ms"})
_BAD_SIGNS = frozenset({"complaints", "reopenings", "conversation_complaints"})

_LONGEST_MS, _HIGHEST_MINOR, _HIGHEST_COUNT = 90.0 * DAY, 1e9, 1e3
_FEW = 50.0  # events of a kind in one conversation


def expectation_of(feature: Feature) -> Expectation:
    """The expectation of the score while this feature moves.

    Rates are swept linearly; durations, money and counts of a history on a log scale; counts within a conversation one
    by one.
    """
    direction = direction_of(feature)
    match feature:
        case Rate() | WindowRatio() | TopShare():
            return Expectation(direction, 0.0, 1.0, "linear", LARGEST_STEP)
        case EventValue("opened_hour"):
            return Expectation(direction, 0.0, 23.0, "linear", LARGEST_STEP)
        case EventValue("answered"):
            return Expectation(direction, 0.0, 1.0, "linear", LARGEST_CONTRIBUTION)
        case TimeSince() | Quantile() | Combined(_, "duration"):
            longest = _LONGEST_MS if isinstance(feature, Quantile) else float(WINDOWS[feature.window].length)
            return Expectation(direction, 0.0, longest, "log", LARGEST_STEP)
        case EventValue(name) | Total(_, name, _) | Mean(_, name, _, _) if name.endswith("_ms"):
            return Expectation(direction, 0.0, _LONGEST_MS, "log", LARGEST_STEP)
        case EventValue(name) | Total(_, name, _) if name.endswith("_minor"):
            return Expectation(direction, 0.0, _HIGHEST_MINOR, "log", LARGEST_STEP)
        case EventValue(name):
            step = LARGEST_CONTRIBUTION if name in _TELLING_BY_ONE else LARGEST_STEP
            return Expectation(direction, 0.0, _FEW, "linear", step)
        case _:
            return Expectation(direction, 0.0, _HIGHEST_COUNT, "log", LARGEST_STEP)


def direction_of(feature: Feature) -> Direction:
    """The declared direction; FREE where both are plausible, such as price, hour or number of messages."""
    match feature:
        case Rate(_, rate, _) if rate in MORE_IS_WORSE:
            return Direction.RISES
        case Rate(_, rate, _) if rate in MORE_IS_BETTER:
            return Direction.FALLS
        case EventValue(name) if name in _LONGER_IS_WORSE | _BAD_SIGNS:
            return Direction.RISES
        case Total(_, name, _) | Mean(_, name, _, _) if name in _BAD_SIGNS | {"reply_ms"}:
            return Direction.RISES
        case Quantile():
            return Direction.RISES
        case _:
            return Direction.FREE
