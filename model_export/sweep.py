"""Sweeps every feature over its plausible range and refuses a model with implausible scores.

Engines that agree may agree on nonsense. So from a usual row and from rows at the edges, one feature at a time moves
over its whole range, far beyond its values in training; a longer wait must not lower the score, and no feature may leap
or contribute too much (service_quality/features/expectations.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.artefact import LinearModel
from model_export.edge_rows import usual_row
from model_export.errors import ModelRefusedError
from model_export.session import Session, Vectors
from service_quality.features.declarations import Feature
from service_quality.features.expectations import LARGEST_CONTRIBUTION, Direction, Expectation
from service_quality.tasks.linear_reading import expectation_for

_LINEAR_STEPS = 50
_REAL_ROWS = 6
#: Contributions are float32: a smaller difference is rounding.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class Sweep:
    """The result of one feature's sweep, in log-odds: the furthest move against its direction, the largest step and
    the largest contribution, each with the feature's value there."""

    feature: str
    against: float
    against_at: float
    step: float
    step_at: float
    contribution: float
    contribution_at: float | None

    def faults(self, expected: Expectation) -> Iterator[str]:
        """The fault: feature, found and expected. Not "found > allowed": NaN must be a fault."""
        if not self.against <= _ROUNDING:
            way = "never lowers" if expected.direction is Direction.RISES else "never raises"
            yield (
                f"{self.feature}: found {self.against:.3g} log-odds against its direction towards {self.against_at:g}, "
                f"expected that more of it {way} the score"
            )
        if not self.step <= expected.largest_step + _ROUNDING:
            yield (
                f"{self.feature}: found a leap of {self.step:.3g} log-odds towards {self.step_at:g}, "
                f"expected steps of at most {expected.largest_step:g}"
            )
        if not self.contribution <= LARGEST_CONTRIBUTION + _ROUNDING:
            where = "missing" if self.contribution_at is None else f"{self.contribution_at:g}"
            yield (
                f"{self.feature}: found a contribution of {self.contribution:.3g} log-odds at {where}, "
                f"expected at most {LARGEST_CONTRIBUTION:g}"
            )


def sweep_model(
    session: Session, model: LinearModel, features: Sequence[Feature], sample: Vectors
) -> dict[str, dict[str, object]]:
    """The sweeps by feature, as the card stores them; ModelRefusedError lists every fault."""
    rows = starting_rows(model, sample)
    sweeps = [_sweep(session, model, at, feature, rows) for at, feature in enumerate(features)]
    faults = [
        fault
        for feature, found in zip(features, sweeps, strict=True)
        for fault in found.faults(expectation_for(model.task, feature))
    ]
    if faults:
        raise ModelRefusedError(f"model refused by the sweep of its features: {'; '.join(faults)}")
    return {found.feature: {key: value for key, value in asdict(found).items() if key != "feature"} for found in sweeps}


def grid(expected: Expectation) -> NDArray[np.float64]:
    """The plausible values of a feature in order: doubling from 1 on a log scale, evenly spaced on a linear one."""
    if expected.scale == "log":
        doublings = int(np.ceil(np.log2(max(2.0, expected.highest))))
        steps = np.minimum(2.0 ** np.arange(doublings + 1), expected.highest)
        return np.unique([expected.lowest, *steps])
    whole = expected.highest > 1
    steps = int(expected.highest - expected.lowest) if whole else _LINEAR_STEPS
    return np.linspace(expected.lowest, expected.highest, steps + 1)


def starting_rows(model: LinearModel, sample: Vectors) -> Vectors:
    """A usual row, rows with everything missing, low and high, and some real ones."""
    ends = np.array([learnt or (0.0, 0.0) for learnt in model.ranges], dtype=np.float32)
    real = sample[np.linspace(0, len(sample) - 1, min(_REAL_ROWS, len(sample))).astype(int)]
    made = [usual_row(sample), np.full(sample.shape[1], np.nan), ends[:, 0], ends[:, 1]]
    return np.vstack([*made, real]).astype(np.float32)


def _sweep(session: Session, model: LinearModel, at: int, feature: Feature, rows: Vectors) -> Sweep:
    """One feature over its plausible values and the ends of its learnt range, from every starting row."""
    expected = expectation_for(model.task, feature)
    between = [end for end in model.ranges[at] or () if expected.lowest <= end <= expected.highest]
    values = np.unique(np.r_[grid(expected), between].astype(np.float32))
    moved = np.repeat(rows, len(values) + 1, axis=0)
    moved[:, at] = np.tile(np.r_[values, np.float32(np.nan)], len(rows))
    contributions = session.contributions(moved).astype(np.float64)
    odds = contributions.sum(axis=1).reshape(len(rows), -1)[:, :-1]  # missing is no step of the way
    steps = np.diff(odds, axis=1)
    against = _against(odds, expected.direction)
    own = np.abs(contributions[:, at]).reshape(len(rows), -1)
    worst, furthest, loudest = (_place_of_worst(table) for table in (against, np.abs(steps), own))
    return Sweep(
        feature=feature.name,
        against=float(against.max()),
        against_at=float(values[worst]),
        step=float(np.abs(steps).max()),
        step_at=float(values[furthest + 1]),
        contribution=float(own.max()),
        contribution_at=float(values[loudest]) if loudest < len(values) else None,
    )


def _against(odds: NDArray[np.float64], direction: Direction) -> NDArray[np.float64]:
    """By row and value: by how much the log-odds exceed the highest of all earlier values."""
    along = odds * int(direction)
    found: NDArray[np.float64] = np.maximum.accumulate(along, axis=1) - along
    return found


def _place_of_worst(table: NDArray[np.float64]) -> int:
    return int(np.unravel_index(np.argmax(table), table.shape)[1])
