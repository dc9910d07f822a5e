"""What an import met in its rows, counted while they are read: numbers that add up over files and partitions."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from service_quality.instants import DAY
from spark_jobs.sources.cells import AHEAD, UNIT, swapped, without_zero_decimals
from spark_jobs.sources.exports import DUPLICATE_ID, FileRow
from spark_jobs.sources.mapping import INSTANT_TYPES, Resource
from spark_jobs.sources.row_events import ReadRow

#: The order of day and month in which a time can be read.
DECLARED, OTHER, EITHER = "declared", "other", "either"
#: Why cells look wrong beside UNIT and AHEAD of cells.py: an order of dates that none proves, ids with decimals.
UNPROVED, ZERO_DECIMALS = "unproved_order", "zero_decimals"
_DOUBTS = {
    UNIT: "before 2000 or over a year ahead (another unit of time?)",
    AHEAD: "ahead of the import (another clock or zone?)",
    UNPROVED: "day and month could be swapped, none has a day above 12, which would prove their order",
    ZERO_DECIMALS: "ids such as 9001.0, which are others than 9001 (zeroDecimals: dropped makes them one)",
}
#: Between the parts of a counter's key.
_SEPARATOR = "\x1f"
#: The lines that are named of rows rejected for one reason.
MOST_EXAMPLES = 3


@dataclass
class Cleaning:
    """Counters of rows and cells; each key's parts are those that its name says, in order."""

    rows: Counter[str] = field(default_factory=Counter)  # file
    taken: Counter[str] = field(default_factory=Counter)  # file
    rejected: Counter[str] = field(default_factory=Counter)  # file, reason, column
    left_out: Counter[str] = field(default_factory=Counter)  # why
    odd: Counter[str] = field(default_factory=Counter)  # column
    blank: Counter[str] = field(default_factory=Counter)  # resource, column
    cells: Counter[str] = field(default_factory=Counter)  # resource
    kinds: Counter[str] = field(default_factory=Counter)  # kind
    days: Counter[str] = field(default_factory=Counter)  # UTC day since 1970
    joined: Counter[str] = field(default_factory=Counter)  # file: rows that are only joined to others
    swapped: Counter[str] = field(default_factory=Counter)  # file, column: reads in the other order of dates alone
    proofs: Counter[str] = field(default_factory=Counter)  # file, column: reads in the declared order alone
    undecided: Counter[str] = field(default_factory=Counter)  # file, column: reads in both orders of dates
    odd_times: Counter[str] = field(default_factory=Counter)  # column, cause
    zero_decimals: Counter[str] = field(default_factory=Counter)  # column
    examples: dict[str, list[int]] = field(default_factory=dict)  # file, reason, column: the first lines

    def note(self, row: FileRow, read: ReadRow, resource: Resource) -> None:
        """Count a row and what came of it; one that is only joined to others gives nothing where it is sound."""
        if not resource.events and read.reason is None:
            self.joined[row.file] += 1
            return
        self.rows[row.file] += 1
        if read.reason is not None:
            key = _key(row.file, read.reason, read.column or "")
            self.rejected[key] += 1
            self._give_examples(key, [row.line])
        elif read.left_out is not None:
            self.left_out[read.left_out] += 1
        else:
            self.taken[row.file] += 1
        self.odd.update(read.odd)
        self.odd_times.update(_key(*one) for one in read.causes)
        for event in read.events:
            self.kinds[event.kind] += 1
            self.days[str(event.occurred_at // DAY)] += 1
        if row.reason is None:
            self._note_cells(row, resource)

    def _note_cells(self, row: FileRow, resource: Resource) -> None:
        self.cells[resource.name] += 1
        for (name, declared), cell in zip(resource.fields.items(), row.cells, strict=True):
            text = cell.strip()
            if text in declared.missing:
                self.blank[_key(resource.name, name)] += 1
            elif declared.type in INSTANT_TYPES:
                order = order_of(text, declared.formats)
                if order is not None:
                    self._of_order(order)[_key(row.file, name)] += 1
            elif text.endswith(".0") and declared.type == "string" and without_zero_decimals(text) != text:
                self.zero_decimals[name] += not declared.drops_zero_decimals

    def _of_order(self, order: str) -> Counter[str]:
        return {DECLARED: self.proofs, OTHER: self.swapped, EITHER: self.undecided}[order]

    def merge(self, other: "Cleaning") -> None:
        """Add the counters of other rows."""
        for name, counter in vars(other).items():
            if name != "examples":
                getattr(self, name).update(counter)
        for key, lines in other.examples.items():
            self._give_examples(key, lines)

    def _give_examples(self, key: str, lines: Iterable[int]) -> None:
        self.examples[key] = sorted({*self.examples.get(key, ()), *lines})[:MOST_EXAMPLES]

    def to_json(self) -> str:
        """The counters as text."""
        return json.dumps({name: counter for name, counter in vars(self).items() if counter}, ensure_ascii=False)

    @property
    def rejected_by_reason(self) -> dict[str, int]:
        """The number of rejected rows by reason."""
        return _by_part(self.rejected, 1)

    @property
    def most_rejected(self) -> Mapping[str, tuple[int, str]]:
        """By file the number of rejected rows, those that repeat another one aside, and what most of them lack."""
        by_file: dict[str, Counter[str]] = {}
        for key, count in self.rejected.items():
            file, reason, column = key.split(_SEPARATOR)
            if reason != DUPLICATE_ID:
                by_file.setdefault(file, Counter())[f"{reason} in {column}" if column else reason] += count
        return {file: (sum(found.values()), found.most_common(1)[0][0]) for file, found in by_file.items()}

    @property
    def rejections(self) -> list[tuple[str, str, str, int, list[int]]]:
        """File, reason, column, number and first lines of rejected rows, most first."""
        found = sorted(self.rejected.items(), key=lambda one: (-one[1], one[0]))
        return [(*_three(key), count, self.examples[key]) for key, count in found]

    @property
    def blank_shares(self) -> dict[str, float]:
        """The share of blank cells by resource and column, where there are any."""
        return {
            ".".join(key.split(_SEPARATOR)): round(count / self.cells[key.split(_SEPARATOR)[0]], 4)
            for key, count in sorted(self.blank.items())
        }

    @property
    def unproved_order(self) -> list[tuple[str, str, int]]:
        """Files and columns all of whose times read in either order of day and month, to different days."""
        found = sorted(self.undecided.items())
        return [(*_two(key), count) for key, count in found if not self.proofs[key] and not self.swapped[key]]

    @property
    def doubtful(self) -> list[tuple[str, str, int]]:
        """Column, cause and number of cells that look wrong, most first by cause: instants and ids of odd spelling."""
        found = [(*_two(key), count) for key, count in self.odd_times.most_common()]
        unproved: Counter[str] = Counter()
        for _, column, count in self.unproved_order:
            unproved[column] += count
        found += [(column, UNPROVED, count) for column, count in unproved.most_common()]
        return found + [(column, ZERO_DECIMALS, count) for column, count in self.zero_decimals.most_common() if count]

    @property
    def other_order(self) -> list[tuple[str, str, int]]:
        """Files and columns of which times read in the other order of day and month alone, and none in the declared."""
        found = ((key, count) for key, count in sorted(self.swapped.items()) if not self.proofs[key])
        return [(*_two(key), count) for key, count in found]


def said_doubt(column: str, cause: str, count: int) -> str:
    """Cells that look wrong, in words."""
    return f"{column}, {count:,} of its cells: {_DOUBTS[cause]}"


def _two(key: str) -> tuple[str, str]:
    first, second = key.split(_SEPARATOR)
    return first, second


def _three(key: str) -> tuple[str, str, str]:
    first, second, third = key.split(_SEPARATOR)
    return first, second, third


def merged(texts: Iterable[str]) -> Cleaning:
    """The sum of counters given as text."""
    total = Cleaning()
    for text in texts:
        counters = json.loads(text)
        examples = counters.pop("examples", {})
        total.merge(Cleaning(**{name: Counter(counts) for name, counts in counters.items()}, examples=examples))
    return total


def _key(*parts: str) -> str:
    return _SEPARATOR.join(parts)


def _by_part(counter: Counter[str], place: int) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for key, count in counter.items():
        sums[key.split(_SEPARATOR)[place]] += count
    return dict(sorted(sums.items()))


@lru_cache(maxsize=65_536)
def order_of(text: str, formats: tuple[str, ...]) -> str | None:
    """The order of day and month in which a time can be read: DECLARED, OTHER or EITHER.

    None for one that says the same in both, and where a format cannot be mistaken.

    >>> [order_of(day, ("%d/%m/%Y",)) for day in ("25/08/2023", "8/25/2023", "1/2/2023", "2/2/2023")]
    ['declared', 'other', 'either', None]
    """
    others = [other for form in formats if (other := swapped(form)) is not None]
    if not others:
        return None
    found, swapped_around = _first_read(text, formats), _first_read(text, others)
    if found == swapped_around:
        return None
    if found is None or swapped_around is None:
        return OTHER if found is None else DECLARED
    return EITHER


def _first_read(text: str, formats: Iterable[str]) -> datetime | None:
    for form in formats:
        if "%" in form:
            with suppress(ValueError):
                return datetime.strptime(text, form)
    return None
