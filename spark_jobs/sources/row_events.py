"""A row into its events: the one place where a mapping's words meet the canonical event."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from service_quality.alerts.shop_settings import DIGITS
from service_quality.errors import RejectedEventError
from service_quality.events.annotations import annotate
from service_quality.events.declared_fields import IDENTIFIER
from service_quality.events.identifiers import one_spelling
from service_quality.events.interaction_event import DECLARED, InteractionEvent
from service_quality.events.parsing import read_event
from service_quality.instants import format_instant
from spark_jobs.sources.cells import Context, Instant, OddCellError, end_of_its_day, is_midnight, reader_of
from spark_jobs.sources.containers import cells_of_object
from spark_jobs.sources.mapping import ROW, Condition, EventOf, Field, Resource

MISSING_VALUE, UNREADABLE_VALUE, MISSING_ROW = "missing_value", "unreadable_value", "missing_row"
#: The reason of the inlet for an id that no event can carry.
UNUSABLE = "out_of_range"
#: Why a row is left out of which no event's conditions hold.
NO_EVENT = "no_event"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DIGEST = 24  # hexadecimal digits: two rows of a million million share it once in 10⁵

#: A joined row's columns are named by its resource, too.
Fields = Mapping[str, Field]
Get = Callable[[str], object]


class ReadRow(NamedTuple):
    """What came of a row: its events, or why it is rejected (with its column) or left out; columns with odd cells."""

    events: tuple[InteractionEvent, ...] = ()
    reason: str | None = None
    column: str | None = None
    left_out: str | None = None
    odd: tuple[str, ...] = ()
    #: Columns whose instants are odd though they can be read, each with the cause.
    causes: tuple[tuple[str, str], ...] = ()


class Given(NamedTuple):
    """What whoever imports says: the shop, the values that no column holds, and the context of the cells."""

    shop_id: str
    values: Mapping[str, str]
    context: Context


class _Row:
    """One row's cells, read when they are asked for; each odd column is noted once."""

    def __init__(self, cells: Mapping[str, str], reader: "RowReader") -> None:
        self.cells = cells
        self.reader = reader
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
        value = self.reader.readers[column](self.cells[column])
        field = self.reader.fields[column]
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
        return tuple((column, cause) for column, cause in self.odd.items() if cause)

    @property
    def context(self) -> Context:
        return self.reader.given.context

    def word(self, column: str) -> str:
        """The cell for a comparison: trimmed, in one case, "" where it says nothing."""
        text = self.cells[column].strip()
        return "" if text in self.reader.fields[column].missing else text.casefold()

    def meets(self, conditions: Sequence[Condition]) -> bool:
        return all(self._meets(one) for one in conditions)

    def _asked(self, condition: Condition) -> str:
        """The cell that a condition asks of, or the value within it; "" where it says nothing."""
        cell = self.cells[condition.column].strip()
        if cell in self.reader.fields[condition.column].missing:
            return ""
        if condition.json is None:
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


class RowReader:
    """Reads the rows of a resource: `fields` are its columns, and those that are joined as resource.column."""

    def __init__(self, resource: Resource, fields: Fields, given: Given) -> None:
        self.resource = resource
        self.fields = fields
        self.given = given
        self.readers = {name: reader_of(field, given.context) for name, field in fields.items()}

    def read(self, cells: Mapping[str, str]) -> ReadRow:
        """The events of a row that has its required values, the cells given by column."""
        row = _Row(cells, self)
        for left_out in self.resource.left_out:
            if row.meets(left_out.when):
                return ReadRow(left_out=left_out.why)
        events: list[InteractionEvent] = []
        undated: EventOf | None = None
        for declared in self.resource.events:
            if not row.meets(declared.when):
                continue
            try:
                event = self._event(row, declared)
            except RejectedEventError as rejection:
                return ReadRow(reason=rejection.reason, column=_column_of(declared, rejection.field))
            if event is None:
                undated = undated or declared
            else:
                events.append(event)
        if events:
            return ReadRow(tuple(events), odd=tuple(row.odd), causes=row.causes)
        if undated is None:
            return ReadRow(left_out=NO_EVENT)
        columns = [column for at in undated.at for column in columns_in(at)]
        is_odd = any(column in row.odd for column in columns)
        reason = UNREADABLE_VALUE if is_odd else MISSING_VALUE
        return ReadRow(reason=reason, column=next(iter(columns), None), causes=row.causes)

    def without_required(self, cells: Mapping[str, str]) -> ReadRow | None:
        """The rejection of a row that lacks a required value; None where it has all of them."""
        row = _Row(cells, self)
        for column in self.resource.required:
            if row.value(column) is None:
                reason = UNREADABLE_VALUE if column in row.odd else MISSING_VALUE
                return ReadRow(reason=reason, column=column, causes=row.causes)
        return None

    def key(self, cells: Mapping[str, str], columns: Sequence[str]) -> str | None:
        """The text by which a row is found or joined; None where one of the cells says nothing or is odd."""
        row = _Row(cells, self)
        parts = [_text(row.value(column)) for column in columns]
        return None if None in parts else "\x1f".join(part for part in parts if part is not None)

    def version(self, cells: Mapping[str, str]) -> int | None:
        """The value by which the latest of several rows with one key counts."""
        assert self.resource.latest_by is not None
        value = _Row(cells, self).value(self.resource.latest_by)
        return value.at if isinstance(value, Instant) else value if isinstance(value, int) else None

    def _event(self, row: _Row, declared: EventOf) -> InteractionEvent | None:
        moment = self._moment(row, declared)
        if moment is None:
            return None
        raw: dict[str, object] = {
            "event_id": self._filled(row, declared.id),
            "shop_id": self.given.shop_id,
            "kind": declared.kind,
            "occurred_at": format_instant(moment.at),
            "precision": "day" if moment.is_day else "ms",
        }
        for name, value in declared.fields.items():
            try:
                raw[name] = self._field(row, name, value)
            except OddCellError:
                row.note(columns_in(value))
        if raw.get("amount_minor") is not None and self.given.context.currency is not None:
            raw.setdefault("currency", self.given.context.currency)
        event, odd = read_event(raw, arrived_at=moment.at)
        for name in odd:
            row.note(columns_in(declared.fields.get(name)))
        return annotate(event)

    def _moment(self, row: _Row, declared: EventOf) -> Instant | None:
        """When it happened; an event whose conditions hold and that has no instant is odd, as is one too early."""
        before = None if declared.not_before is None else row.value(declared.not_before)
        for at in declared.at:
            moment = self._instant(row, at)
            if moment is not None and not (isinstance(before, Instant) and moment.at < before.at):
                return moment
            if moment is not None:
                row.note(columns_in(at))
        if declared.when:
            row.note(column for at in declared.at for column in columns_in(at))
        return None

    def _instant(self, row: _Row, at: object) -> Instant | None:
        match at:
            case {"after": after, "add": add}:
                start, duration = row.value(after), row.value(add)
                if isinstance(start, Instant) and not start.is_day and isinstance(duration, int):
                    return Instant(start.at + duration)
                return None
            case {"dayOf": column}:
                moment, field = row.value(column), self.fields[column]
                return end_of_its_day(moment, field, self.given.context) if isinstance(moment, Instant) else None
            case {"given": name}:
                return given_instant(self.given.values[name], self.given.context)
        value = row.value(str(at))
        return value if isinstance(value, Instant) else None

    def _filled(self, row: _Row, template: str) -> str:
        """A text with the values of columns in it; RejectedEventError where one of them says nothing."""
        parts = []
        for name in _PLACEHOLDER.findall(template):
            part = digest_of(row.cells) if name == ROW else _text(row.value(name))
            spelt = one_spelling(part or "")
            if not spelt:
                reason = MISSING_VALUE if spelt == "" else UNUSABLE
                raise RejectedEventError(reason, field=name, found="no usable value", expected="a part of an id")
            parts.append(spelt)
        filled = iter(parts)
        return _PLACEHOLDER.sub(lambda _: next(filled), template)

    def _field(self, row: _Row, name: str, value: object) -> object:
        if name == "amount_minor":
            return self._amount(row, value)
        found = self._found(row, value, keeps_words=name == "rating")
        if isinstance(found, Decimal):
            return int(found) if found == found.to_integral_value() else str(found)
        if isinstance(found, Instant):
            return found.at
        return str(found) if isinstance(found, int) and DECLARED[name].form == IDENTIFIER else found

    def _found(self, row: _Row, value: object, *, keeps_words: bool = False) -> object:
        """What a declared value says of a row; with `keeps_words` a word that is in no table is the value itself."""
        match value:
            case str():
                return row.value(value)
            case {"first": values}:
                found = (self._found(row, one) for one in values)
                return next((one for one in found if one is not None), None)
            case {"template": template}:
                return self._filled(row, template)
            case {"columns": columns, "join": join}:
                parts = [_text(row.value(column)) for column in columns]
                return join.join(part for part in parts if part is not None) or None
            case {"constant": constant}:
                return constant
            case {"given": name}:
                return self.given.values.get(name)
        assert isinstance(value, dict)
        return _in_cell(row, value, keeps_words=keeps_words)

    def _amount(self, row: _Row, value: object) -> int | None:
        """An amount in minor units of the currency, rounded half up; odd without whole numbers of them or below 0."""
        columns = value["product"] if isinstance(value, dict) and "product" in value else columns_in(value)
        numbers = [row.value(column) for column in columns]
        if any(not isinstance(number, Decimal | int) for number in numbers):
            return None
        product = Decimal(1)
        for number in numbers:
            product *= Decimal(number)  # type: ignore[arg-type]  # as tested above
        minor = (product * 10 ** DIGITS.get(self.given.context.currency or "", 2)).quantize(Decimal(1), ROUND_HALF_UP)
        return abs(int(minor)) if len(columns) > 1 else _not_negative(int(minor))


def _in_cell(row: _Row, value: Mapping[str, Any], *, keeps_words: bool) -> object:  # JSON
    """What a declared value says that reads one cell in its own way."""
    match value:
        case {"column": column, "values": values}:
            return _meaning(row.word(column), values, row.cells[column].strip() if keeps_words else None)
        case {"column": column, "pattern": pattern}:
            found = re.fullmatch(pattern, row.cells[column].strip())
            return found[1] if found else None
        case {"column": column, "json": path}:
            text = row.value(column)
            return None if text is None else within(str(text), path)
    return row.value(value["column"])


def _not_negative(amount: int) -> int:
    if amount < 0:
        raise OddCellError
    return amount


def within(text: str, path: str) -> str | None:
    """The value within a cell that is a JSON object; OddCellError for a cell that is none."""
    try:
        return cells_of_object(text, (path,))[0] or None
    except ValueError:
        raise OddCellError from None


def _meaning(word: str, values: Mapping[str, object], kept: str | None) -> object:
    """What a word means by a table of words; None for a blank one, `kept` or OddCellError for one that is not in it."""
    if word == "":
        return None
    table = {key.casefold(): meaning for key, meaning in values.items()}
    if word in table:
        return table[word]
    if kept is None:
        raise OddCellError
    return kept


def _text(value: object) -> str | None:
    """A value as part of an id: an instant by its milliseconds."""
    if value is None:
        return None
    return str(value.at) if isinstance(value, Instant) else str(value)


def columns_in(value: object) -> tuple[str, ...]:
    """The columns that a declared value reads."""
    match value:
        case str():
            return (value,)
        case {"column": column}:
            return (column,)
        case {"columns": columns} | {"product": columns}:
            return tuple(columns)
        case {"after": after, "add": add}:
            return (after, add)
        case {"dayOf": column}:
            return (column,)
        case {"first": values}:
            return tuple(column for one in values for column in columns_in(one))
        case {"template": template}:
            return tuple(name for name in _PLACEHOLDER.findall(template) if name != ROW)
    return ()


def _column_of(declared: EventOf, field: str | None) -> str | None:
    """The column whose value an event's field holds; the field's own name where none does."""
    declared_value = {"template": declared.id} if field == "event_id" else declared.fields.get(field or "")
    columns = columns_in(declared_value)
    return columns[0] if columns else field


def digest_of(cells: Mapping[str, str]) -> str:
    """A digest of a row's cells, the same in every export of the row."""
    parts = "\x1f".join(f"{name}\x1e{cells[name].strip()}" for name in sorted(cells))
    return sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


def given_instant(text: str, context: Context) -> Instant:
    """An instant or a day that whoever imports says, in ISO 8601."""
    field = Field("given", "datetime", ("given",), formats=("default",))
    found = reader_of(field, context)(text)
    assert isinstance(found, Instant)
    return found


def all_fields(resource: Resource, others: Sequence[Resource]) -> dict[str, Field]:
    """The columns of a resource and of those that are joined to it, which are called resource.column."""
    by_name = {one.name: one for one in others}
    joined = {
        f"{join.resource}.{name}": field
        for join in resource.joins
        for name, field in by_name[join.resource].fields.items()
    }
    return {**resource.fields, **joined}
