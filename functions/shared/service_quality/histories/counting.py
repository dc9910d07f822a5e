"""Which part of a shop's log the sums of a column hold, as plans change and imports fill in the past.

A column is one fact in one window of one entity. A column that is new to a shop counts from that position of the log
on; until its window has passed that position, or an import has filled in the past, its sums are incomplete.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class
from service_quality.errors import RejectedEventError
from service_quality.events.positions import START
from service_quality.histories.history import Column, DescribedWindows, HistoryPlan


class Restart(NamedTuple):
    """Columns that count from the records behind the position `follows` only.

    `clock` is the shop's at that position; None once an import has filled in what came before. Sums that were stored at
    an earlier `revision` do not count.
    """

    revision: int
    follows: str
    clock: int | None
    columns: tuple[str, ...]


@value_class(frozen=True)
class Counting(ByFields):
    """The columns of a shop's plan, and those of them that do not count from the shop's first event on.

    `revision` rises with every restart, and is stored with every history.
    """

    columns: tuple[str, ...] = ()
    revision: int = 0
    restarts: tuple[Restart, ...] = ()

    def under(self, columns: tuple[str, ...], *, follows: str, clock: int) -> "Counting":
        """The counting from a position on, by the columns of a deployment. One that it does not know is dropped."""
        if self.columns == columns:
            return self
        if follows == START:
            return Counting(columns)
        new = set(columns).difference(self.columns)
        return self._holding(columns).restarted(new, follows=follows, clock=clock)

    def restarted(self, columns: Collection[str], *, follows: str, clock: int) -> "Counting":
        """The counting where these columns begin again behind a position."""
        if not columns:
            return self
        revision = self.revision + 1
        kept = self._without(columns)
        restart = Restart(revision, follows, clock, tuple(sorted(columns)))
        return replace(kept, revision=revision, restarts=(*kept.restarts, restart))

    def imported(self, columns: Collection[str], *, follows: str, clock: int) -> "Counting":
        """The counting from an import on that holds these columns; the others begin again: they lack its events."""
        return self.restarted(set(self.columns).difference(columns), follows=follows, clock=clock)

    def filled(self, columns: Collection[str], *, follows: str) -> "Counting":
        """The counting where an import has filled in what these columns lack up to a position.

        RejectedEventError for columns that do not count from there, or lack nothing.
        """
        lacking = {name for one in self.incomplete() if one.follows == follows for name in one.columns}
        others = sorted(set(columns) - lacking)
        if others:
            found = f"{len(others)} columns that do not begin there, such as {others[0]}"
            raise RejectedEventError("other_columns", field="columns", found=found, expected="columns that begin there")
        restarts: list[Restart] = []
        for restart in self.restarts:
            done = tuple(name for name in restart.columns if name in columns)
            left = tuple(name for name in restart.columns if name not in columns)
            restarts += [restart._replace(columns=left)] if left else []
            restarts += [Restart(restart.revision, restart.follows, None, done)] if done else []
        return replace(self, restarts=tuple(restarts))

    def incomplete(self) -> tuple[Restart, ...]:
        """The restarts whose past no import has filled in."""
        return tuple(restart for restart in self.restarts if restart.clock is not None)

    def holds(self, column: str, *, revision: int) -> bool:
        """Whether sums stored at a revision count for a column."""
        return revision >= self._revisions.get(column, 0)

    def counted(self, entity: str, windows: DescribedWindows, plan: HistoryPlan, *, revision: int) -> DescribedWindows:
        """The windows of histories stored at a revision, with an empty name for each fact that does not count."""
        if revision >= self.revision:
            return windows

        def name(window: str | int, fact: str | int) -> str | int:
            column = plan.name_of.get(Column(entity, str(window), str(fact)))
            return fact if column is not None and self.holds(column, revision=revision) else ""

        return [[window, hop, *(name(window, fact) for fact in facts)] for window, hop, *facts in windows]

    def missing_at(self, clock: int, plan: HistoryPlan) -> frozenset[Column]:
        """The columns that read as missing at a clock: their window still reaches behind their restart.

        A correction of something older than the restart would make a sum wrong, so the tile of the restart's clock has
        to have left.
        """
        if not self.restarts:
            return _NOTHING
        found = set()
        for restart in self.restarts:
            if restart.clock is None:
                continue
            for name in restart.columns:
                column = plan.column_of[name]
                if column.reaches(restart.clock, clock=clock):
                    found.add(column)
        return frozenset(found)

    @cached_property
    def _revisions(self) -> dict[str, int]:
        return {column: restart.revision for restart in self.restarts for column in restart.columns}

    def _holding(self, columns: tuple[str, ...]) -> "Counting":
        dropped = set(self.columns) - set(columns)
        return replace(self._without(dropped), columns=columns)

    def _without(self, columns: Collection[str]) -> "Counting":
        left = [
            restart._replace(columns=kept)
            for restart in self.restarts
            if (kept := tuple(column for column in restart.columns if column not in columns))
        ]
        return replace(self, restarts=tuple(left))


_NOTHING: frozenset[Column] = frozenset()

#: Every sum counts from the first event on.
EVERYTHING = Counting()
