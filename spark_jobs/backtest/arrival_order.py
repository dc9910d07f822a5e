"""Lines of a log that are out of the order of their arrival, in which a stream would have brought them."""

from collections.abc import Iterable
from typing import NamedTuple

from service_quality.instants import format_instant
from spark_jobs.backtest.log_lines import LogLine


class Disorder(NamedTuple):
    """How many lines arrived before one of their shop above them, the first of these, and the arrival before it."""

    lines: int
    first: LogLine
    after: int

    def __str__(self) -> str:
        found = "1 line that arrived" if self.lines == 1 else f"{self.lines} lines that arrived"
        return (
            f"found {found} before a line of the same shop above, expected lines in the order of their arrival; "
            f"the first is line {self.first.number}, which arrived at {format_instant(self.first.arrived_at)}, "
            f"behind a line of {format_instant(self.after)}; messages may be of wrong instants"
        )


def find_disorder(lines: Iterable[LogLine]) -> Disorder | None:
    """The disorder of the lines of one or several shops; None where each shop's lines are in order."""
    latest: dict[str, int] = {}
    behind: list[tuple[LogLine, int]] = []
    for line in lines:
        before = latest.get(line.shop_id, line.arrived_at)
        if line.arrived_at < before:
            behind.append((line, before))
        latest[line.shop_id] = max(line.arrived_at, before)
    return Disorder(len(behind), *behind[0]) if behind else None
