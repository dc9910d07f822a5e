"""What the card of an import shows of it: files, rows, days, cells; no cell of a row itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from reports.proofs import Figures

_MOST_BARS = 120  # beyond them a bar is a week
_MOST_HOLES = 6
_WEEK = 7
WIDTH, HEIGHT = 720, 150


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart in its picture's units, with what it stands for."""

    x: float
    width: float
    height: float
    label: str
    events: int


@dataclass(frozen=True, slots=True)
class Days:
    """Events by day, or by week where there are many days."""

    bars: Sequence[Bar]
    by_week: bool
    most: int


def import_parts(figures: Figures, counts: Figures) -> dict[str, Any]:
    """What the sections of an import show beside its figures.

    `figures` as in spark_jobs/sources/import_figures.py, `counts` the job's summary, which says what was written; of an
    import that was refused it says nothing.
    """
    holes = figures["holes"]
    names = {"same": "repeated", "other": "conflicting", "differing": "differing", "corrected": "corrected"}
    written = {name: counts[f"{theirs}_events"] for name, theirs in names.items()} if "new_events" in counts else None
    if written is not None:
        written |= {name: counts[name] for name in ("differing_fields", "differing_places")}
    return {
        "written": written,
        "days": draw_days(figures["days"]),
        "holes": [shown_hole(first, last) for first, last in holes[:_MOST_HOLES]],
        "more_holes": max(0, len(holes) - _MOST_HOLES),
        "width": WIDTH,
        "height": HEIGHT,
    }


def shown_hole(first: str, last: str) -> str:
    """A stretch of days.

    >>> shown_hole("2026-01-03", "2026-01-03"), shown_hole("2026-01-03", "2026-01-05")
    ('2026-01-03', '2026-01-03 – 2026-01-05')
    """
    return first if first == last else f"{first} – {last}"


def draw_days(days: Sequence[Sequence[object]]) -> Days | None:
    """The bars of the chart, one a day from the first to the last; None without events."""
    if not days:
        return None
    found = {date.fromisoformat(str(day)): int(str(count)) for day, count in days}
    first, last = min(found), max(found)
    length = (last - first).days + 1
    by_week = length > _MOST_BARS
    step = _WEEK if by_week else 1
    counts: dict[date, int] = {first + timedelta(days=start): 0 for start in range(0, length, step)}
    for day, count in found.items():
        counts[first + timedelta(days=(day - first).days // step * step)] += count
    return Days(_bars(counts), by_week, max(counts.values()))


def _bars(counts: Mapping[date, int]) -> list[Bar]:
    most, width = max(counts.values()), WIDTH / len(counts)
    return [
        Bar(
            round(place * width, 2),
            round(max(0.5, width * 0.82), 2),
            round(count / most * HEIGHT, 2),
            day.isoformat(),
            count,
        )
        for place, (day, count) in enumerate(counts.items())
    ]
