"""A mapping, typed: what the files of an export are, and which interaction events come of a row."""

from collections.abc import Mapping
from typing import NamedTuple

REPORT, CORRECT = "report", "correct"
INSTANT_TYPES = ("datetime", "date")
#: In an event's id: a digest of the row's cells.
ROW = "row"


class Midnight(NamedTuple):
    """00:00 has lost its time of day, unless it comes within so many milliseconds after another column's instant."""

    within: int
    after: str


class Field(NamedTuple):
    """A column that is read: what its cells are, and in which spelling."""

    name: str
    type: str
    names: tuple[str, ...]
    formats: tuple[str, ...] = ()
    zone: str | None = None
    midnight: Midnight | None = None
    missing: frozenset[str] = frozenset({""})
    decimal: str = "."
    group: str | None = None
    is_bare: bool = True
    is_required: bool = False
    drops_zero_decimals: bool = False

    @property
    def needs_zone(self) -> bool:
        """Whether an instant of it may name no zone, and the mapping names none either."""
        return self.type in INSTANT_TYPES and self.zone is None and not all(map(names_zone, self.formats))


class Condition(NamedTuple):
    """What must hold of a cell: `test` is is, isNot, matches, matchesNot, sameAs or blank."""

    column: str
    test: str
    expected: object
    json: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are asked."""
        return (self.column, str(self.expected)) if self.test == "sameAs" else (self.column,)


class LeftOut(NamedTuple):
    """Rows of which no event is to come."""

    when: tuple[Condition, ...]
    why: str

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are asked."""
        return frozenset(column for one in self.when for column in one.columns)


class Join(NamedTuple):
    """The row of another resource that belongs to a row, by a column here and its primary key there."""

    column: str
    resource: str
    is_required: bool = False


class Part(NamedTuple):
    """A resource without files: a row for each place that matches in a column of another one."""

    resource: str
    column: str
    pattern: str


class EventOf(NamedTuple):
    """An event of a row: `at` and `fields` as the file declares them."""

    kind: str
    id: str
    at: tuple[object, ...]
    fields: Mapping[str, object]
    not_before: str | None
    when: tuple[Condition, ...]


class Resource(NamedTuple):
    """One kind of file: its container, its columns, and what comes of a row."""

    name: str
    row: str
    format: str
    encodings: tuple[str, ...]
    delimiter: str
    quote: str
    header_row: int
    line_end: str
    fields: Mapping[str, Field]
    primary_key: tuple[str, ...]
    latest_by: str | None
    joins: tuple[Join, ...]
    left_out: tuple[LeftOut, ...]
    events: tuple[EventOf, ...]
    part_of: Part | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a row is rejected."""
        return tuple(name for name, field in self.fields.items() if field.is_required)


class Source(NamedTuple):
    """A mapping: the resources of an export, and the limits of its import."""

    name: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    given: Mapping[str, str]
    zone: str | None
    currency: str | None
    rejected_at_most: float
    later_export: str
    resources: tuple[Resource, ...]

    def resource(self, name: str) -> Resource:
        """The resource of this name."""
        return next(one for one in self.resources if one.name == name)

    @property
    def with_files(self) -> tuple[Resource, ...]:
        """The resources that have files of their own."""
        return tuple(one for one in self.resources if one.part_of is None)

    @property
    def needs_zone(self) -> tuple[str, ...]:
        """The columns whose instants name no zone and for which the mapping declares none."""
        return tuple(field.name for one in self.resources for field in one.fields.values() if field.needs_zone)


def header_name(name: str) -> str:
    """A column's name for comparison: without blanks at its ends, in one case, each run of blanks as one.

    >>> header_name(" First Response  Time (in Hrs)") == header_name("first response time (in hrs)")
    True
    """
    return " ".join(name.replace("\ufeff", "").split()).casefold()


def names_zone(form: str) -> bool:
    """Whether an instant in this format names its zone."""
    return form.startswith("epoch") or "%z" in form.lower()
