"""A row into its events: the one place where a mapping's words meet the canonical event."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service_quality.errors import RejectedEventError
from service_quality.events.annotations import annotate
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.parsing import read_event
from service_quality.instants import format_instant
from spark_jobs.sources.cells import Context, Instant, OddCellError, end_of_its_day, reader_of
from spark_jobs.sources.mapping import EventOf, Field, Resource
from spark_jobs.sources.row_cells import Fields, RowCells
from spark_jobs.sources.row_values import MISSING_VALUE, Given, columns_in, field_of, filled, text_of

UNREADABLE_VALUE, MISSING_ROW = "unreadable_value", "missing_row"
#: Why a row is left out of which no event's conditions hold.
NO_EVENT = "no_event"


class ReadRow(NamedTuple):
    """What came of a row: its events, or why it is rejected (with its column) or left out; columns with odd cells."""

    events: tuple[InteractionEvent, ...] = ()
    reason: str | None = None
    column: str | None = None
    left_out: str | None = None
    odd: tuple[str, ...] = ()
    #: Columns whose instants are odd though they can be read, each with the cause.
    causes: tuple[tuple[str, str], ...] = ()


class RowReader:
    """Reads the rows of a resource: `fields` are its columns, and those that are joined as resource.column."""

    def __init__(self, resource: Resource, fields: Fields, given: Given) -> None:
        self.resource = resource
        self.fields = fields
        self.given = given
        self.readers = {name: reader_of(field, given.context) for name, field in fields.items()}
        self._left_out_alone = tuple(one for one in resource.left_out if one.columns <= resource.fields.keys())
        self._left_out_joined = tuple(one for one in resource.left_out if not one.columns <= resource.fields.keys())

    def _row(self, cells: Mapping[str, str]) -> RowCells:
        return RowCells(cells, self.fields, self.readers, self.given.context)

    def read(self, cells: Mapping[str, str]) -> ReadRow:
        """The events of a row of which `read_alone` says nothing, the cells given by column, with the joined ones."""
        row = self._row(cells)
        for left_out in self._left_out_joined:
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

    def read_alone(self, cells: Mapping[str, str]) -> ReadRow | None:
        """What comes of a row by its own cells: left out, or rejected for a required value that it lacks; else None."""
        row = self._row(cells)
        for left_out in self._left_out_alone:
            if row.meets(left_out.when):
                return ReadRow(left_out=left_out.why)
        return self.without_required(cells)

    def without_required(self, cells: Mapping[str, str]) -> ReadRow | None:
        """The rejection of a row that lacks a required value; None where it has all of them."""
        row = self._row(cells)
        for column in self.resource.required:
            if row.value(column) is None:
                reason = UNREADABLE_VALUE if column in row.odd else MISSING_VALUE
                return ReadRow(reason=reason, column=column, causes=row.causes)
        return None

    def key(self, cells: Mapping[str, str], columns: Sequence[str]) -> str | None:
        """The text by which a row is found or joined; None where one of the cells says nothing or is odd."""
        row = self._row(cells)
        parts = [text_of(row.value(column)) for column in columns]
        return None if None in parts else "\x1f".join(part for part in parts if part is not None)

    def version(self, cells: Mapping[str, str]) -> int | None:
        """The value by which the latest of several rows with one key counts."""
        assert self.resource.latest_by is not None
        value = self._row(cells).value(self.resource.latest_by)
        return value.at if isinstance(value, Instant) else value if isinstance(value, int) else None

    def _event(self, row: RowCells, declared: EventOf) -> InteractionEvent | None:
        moment = self._moment(row, declared)
        if moment is None:
            return None
        raw: dict[str, object] = {
            "event_id": filled(row, declared.id),
            "shop_id": self.given.shop_id,
            "kind": declared.kind,
            "occurred_at": format_instant(moment.at),
            "precision": "day" if moment.is_day else "ms",
        }
        for name, value in declared.fields.items():
            try:
                raw[name] = field_of(row, name, value, self.given)
            except OddCellError:
                row.note(columns_in(value))
        if raw.get("amount_minor") is not None and self.given.context.currency is not None:
            raw.setdefault("currency", self.given.context.currency)
        event, odd = read_event(raw, arrived_at=moment.at)
        for name in odd:
            row.note(columns_in(declared.fields.get(name)))
        return annotate(event)

    def _moment(self, row: RowCells, declared: EventOf) -> Instant | None:
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

    def _instant(self, row: RowCells, at: object) -> Instant | None:
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


def _column_of(declared: EventOf, field: str | None) -> str | None:
    """The column whose value an event's field holds; the field's own name where none does."""
    declared_value = {"template": declared.id} if field == "event_id" else declared.fields.get(field or "")
    columns = columns_in(declared_value)
    return columns[0] if columns else field


def given_instant(text: str, context: Context) -> Instant:
    """An instant or a day that the caller gives, in ISO 8601."""
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
