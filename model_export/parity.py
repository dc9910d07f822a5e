"""The differences between the engines on the same rows, and their limits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.documents import Document
from model_export.errors import ModelRefusedError
from service_quality.scoring.scores import ENGINES_DIFFER_AT_MOST

LARGEST_CONTRIBUTION_DIFFERENCE = 1e-5

Answers = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Parity:
    """The result of a verification.

    `max_abs_diff` is the widest spread of probability between any two engines on any row, `flipped` the rows that they
    decide differently at the threshold. Contributions are checked against the pipeline's and, added up with the
    intercept, against its log-odds; since they are float32, the limit grows with their size where log-odds lie beyond
    reason (edge rows of 1e12): `contributions_max_relative_diff` is the difference per max(1, sum of absolute
    contributions). `contributions_max_abs_diff` is the plain one on the training sample. Both are None for a model
    without contributions.
    """

    rows: int
    edge_rows: int
    rows_alone: int
    max_abs_diff: float
    flipped: int
    contributions_max_abs_diff: float | None = None
    contributions_max_relative_diff: float | None = None

    def faults(self) -> list[str]:
        """The faults, with found and expected; empty for a model that may serve."""
        checks = [
            ("max_abs_diff", self.max_abs_diff, ENGINES_DIFFER_AT_MOST),
            ("flipped decisions", self.flipped, 0),
        ]
        if self.contributions_max_relative_diff is not None:
            found = self.contributions_max_relative_diff
            checks.append(("contributions_max_relative_diff", found, LARGEST_CONTRIBUTION_DIFFERENCE))
        # Not "found > allowed": NaN must be a fault.
        wrong = [
            f"{name}: found {found:g}, expected at most {most:g}" for name, found, most in checks if not found <= most
        ]
        return wrong if self.rows else ["rows: found 0, expected a verified sample"]

    def require(self, what: str) -> None:
        """ModelRefusedError with all figures that are wrong."""
        faults = self.faults()
        if faults:
            where = f"{self.rows} rows and {self.edge_rows} edge rows"
            raise ModelRefusedError(f"{what} refused on {where}: {'; '.join(faults)}")

    def fields(self) -> dict[str, object]:
        """The form that is stored in parity.json."""
        return {
            **asdict(self),
            "limits": {"probability": ENGINES_DIFFER_AT_MOST, "contributions": LARGEST_CONTRIBUTION_DIFFERENCE},
        }


def read_parity(document: Document) -> Parity:
    """The figures of a stored parity.json."""
    return Parity(
        rows=document.count("rows"),
        edge_rows=document.count("edge_rows"),
        rows_alone=document.count("rows_alone"),
        max_abs_diff=document.number("max_abs_diff"),
        flipped=document.count("flipped"),
        contributions_max_abs_diff=_number_or_none(document, "contributions_max_abs_diff"),
        contributions_max_relative_diff=_number_or_none(document, "contributions_max_relative_diff"),
    )


def spread(answers: Answers) -> float:
    """The widest distance between two engines on any row; NaN where one answers NaN."""
    table = np.stack([np.asarray(found, dtype=np.float64) for found in answers.values()])
    return float((table.max(axis=0) - table.min(axis=0)).max())


def flipped(answers: Answers, threshold: float) -> int:
    """Rows that not all engines put on the same side of the threshold."""
    decisions = np.stack([np.asarray(found, dtype=np.float64) >= threshold for found in answers.values()])
    return int((decisions != decisions[0]).any(axis=0).sum())


def _number_or_none(document: Document, key: str) -> float | None:
    return None if document.value(key) is None else document.number(key)
