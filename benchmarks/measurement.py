"""The result of a benchmark: rows as measured, and the few figures of its claims."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One measured quantity, a value a run; `digits` of it are significant.

    >>> Row("ours", "s", (3.0, 1.0, 2.0)).median
    2.0
    """

    what: str
    unit: str
    values: tuple[float, ...]
    note: str = ""
    digits: int = 3

    @property
    def median(self) -> float:
        """The middle run, or the mean of the two."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Section:
    """One benchmark's outcome. `figures` are the claims by their name in results.json; `versions` by package."""

    name: str
    rows: tuple[Row, ...]
    figures: Mapping[str, float]
    versions: Mapping[str, str] = field(default_factory=dict)
