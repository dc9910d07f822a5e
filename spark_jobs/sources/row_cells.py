"""The cells of one row, each read when it is asked for, and the conditions that a mapping asks of them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from spark_jobs.sources.cells import (
    Context,
    Instant,
    OddCellError,
    end_of_its_day,
    is_midnight,
    without_zero_decimals,
)
from spark_jobs.sources.containers import cells_of_object
from spark_jobs.sources.mapping import Condition, Field

#: A joined row's columns are named by its resource, too.
Fields = Mapping[str, Field]
#: The reader of each column's cells.
Readers = Mapping[str, Callable[[str], object]]


class RowCells:
    """One row's cells, read when they are asked for; each odd column is noted once."""

    def __init__(self, cells: Mapping[str, str], fields: Fields, readers: Readers, context: Context) -> None:
        self.cells = cells
        self.fields = fields
        self.context = context
        self._readers = readers
        self.odd: dict[str, str] = {}
        self._read: dict[str, object] = {}

    def value(self, column: str) -> object:
        """The value of a cell; None where it says nothing or is odd, which is noted."""
        if column not in self._read:
            try:
                self._read[column] = self._value(column)
            except OddCellError as error:
                self.odd[column] = error.cause
                self._read[column] = None
        return self._read[column]

    def _value(self, column: str) -> object:
        value = self._readers[column](self.cells[column])
        field = self.fields[column]
        if isinstance(value, Instant) and field.midnight is not None and is_midnight(value, field, self.context):
            before = self.value(field.midnight.after)
            is_told = isinstance(before, Instant) and 0 <= value.at - before.at <= field.midnight.within
            return value if is_told else end_of_its_day(value, field, self.context)
        return value

    def note(self, columns: Iterable[str]) -> None:
        """Note columns as odd, where they are not yet."""
        for column in columns:
            self.odd.setdefault(column, "")

    @property
    def causes(self) -> tuple[tuple[str, str], ...]:
        """The columns whose instants are odd though they can be read, each with the cause."""
        return tuple((column, cause) for column, cause in self.odd.items() if cause)

    def word(self, column: str) -> str:
        """The cell for a comparison: trimmed, in one case, "" where it says nothing."""
        return self._said(column).casefold()

    def _said(self, column: str) -> str:
        text = self.cells[column].strip()
        if text in self.fields[column].missing:
            return ""
        return without_zero_decimals(text) if self.fields[column].drops_zero_decimals else text

    def meets(self, conditions: Sequence[Condition]) -> bool:
        """Whether all conditions hold of the row."""
        return all(self._meets(one) for one in conditions)

    def _asked(self, condition: Condition) -> str:
        """The cell that a condition asks of, or the value within it; "" where it says nothing."""
        cell = self._said(condition.column)
        if not cell or condition.json is None:
            return cell
        try:
            return within(cell, condition.json) or ""
        except OddCellError:
            self.odd[condition.column] = ""
            return ""

    def _meets(self, condition: Condition) -> bool:
        cell = self._asked(condition)
        word = cell.casefold()
        match condition.test:
            case "is":
                return word in _folded(tuple(condition.expected))  # type: ignore[arg-type]  # the schema says so
            case "isNot":
                return word not in _folded(tuple(condition.expected))  # type: ignore[arg-type]
            case "blank":
                return (word == "") == condition.expected
            case "sameAs":
                return word == self.word(str(condition.expected))
        matches = re.fullmatch(str(condition.expected), cell) is not None
        return matches == (condition.test == "matches")


@lru_cache(maxsize=1_024)
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def within(text: str, path: str) -> str | None:
    """The value within a cell that is a JSON object; OddCellError for a cell that is none."""
    try:
        return cells_of_object(text, (path,))[0] or None
    except ValueError:
        raise OddCellError from None
