"""Records of a contact export: lines put together where a quoted field spans several, bad ones set apart.

Quotes are those of RFC 4180. A quote that never closes would swallow all that follows; so where what was put together
is no row but one of its later lines is by itself, the row ends before that line, and only what came before it is lost.

Ids and names get the one spelling that they have on the stream; an optional value that cannot be used costs no row.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from service_quality.events.identifiers import ID_LENGTH
from service_quality.events.optional_values import OddValueError, cut_text, read_identifier
from service_quality.events.ratings import read_rating
from spark_jobs.contacts.export_format import COLUMNS, IDENTIFIERS, MISSING_COLUMNS, NEEDED, REPEATED_COLUMNS

MAX_LINES = 500
MAX_RAW = 65_536
MAX_ID = ID_LENGTH - 11  # an event's id is the contact's and up to eleven characters more


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One row as text, blank ones None; or, with a `reason` and perhaps a `field`, a line that is no row.

    `line` is the number of its first line in the file, from 1. `odd` names the file's columns whose values could not be
    used. `rating` is the customer's, or None where `rating_given` is a word or number of another scale.
    """

    line: int
    raw: str
    values: Mapping[str, str | None] = field(default_factory=dict)
    rating: int | None = None
    rating_given: str | None = None
    odd: tuple[str, ...] = ()
    reason: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class _Header:
    """The positions of the columns, and the width of a row."""

    places: Mapping[str, int]
    width: int


def read_records(lines: Iterable[bytes]) -> Iterator[ContactRecord]:
    """The records of one file, whose first row names the columns; a file that lacks columns gives only the reason."""
    texts = ((number, line.removesuffix(b"\r")) for number, line in enumerate(lines, 1))
    first = next(texts, None)
    if first is None:
        return
    header = _read_header(first[1])
    if isinstance(header, ContactRecord):
        yield header
        return
    for block in _blocks(texts, header.width):
        yield _read_record(block, header)


def _read_header(line: bytes) -> _Header | ContactRecord:
    text = line.decode("utf-8", "replace").removeprefix("\ufeff")
    names = [name.strip() for name in _split(text) or []]
    missing = [name for name in COLUMNS.values() if name not in names]
    if missing:
        found = ", ".join(name for name in names if name in COLUMNS.values()) or "none of the columns"
        others = sum(name not in COLUMNS.values() for name in names)  # perhaps a row: never shown, it may name a person
        return ContactRecord(
            1,
            text[:MAX_RAW],
            reason=MISSING_COLUMNS,
            field=f"found {found} and {others} others; missing {', '.join(missing)}",
        )
    repeated = [name for name in COLUMNS.values() if names.count(name) > 1]
    if repeated:
        return ContactRecord(1, text[:MAX_RAW], reason=REPEATED_COLUMNS, field=f"found twice: {', '.join(repeated)}")
    return _Header({ours: names.index(theirs) for ours, theirs in COLUMNS.items()}, len(names))


Block = list[tuple[int, bytes]]


def _blocks(lines: Iterable[tuple[int, bytes]], width: int) -> Iterator[Block]:
    """Lines that belong to one record, each with its number; without blank lines between records."""
    source = iter(lines)
    again: deque[tuple[int, bytes]] = deque()
    while True:
        block: Block = []
        while line := again.popleft() if again else next(source, None):
            block.append(line)
            if b'"' not in line[1] and len(block) == 1:
                break
            if len(block) >= MAX_LINES or not _is_open(b"\n".join(text for _, text in block)):
                break
        if not block:
            return
        if len(block) > 1 and not _is_row(b"\n".join(text for _, text in block), width):
            end = next((place for place in range(1, len(block)) if _is_row(block[place][1], width)), len(block))
            again.extendleft(reversed(block[end:]))
            block = block[:end]
        if any(text.strip() for _, text in block):
            yield block


def _is_open(text: bytes) -> bool:
    """Whether the text ends inside a quoted field."""
    at = 0
    while True:
        if text.startswith(b'"', at):
            end = _closing_quote(text, at + 1)
            if end < 0:
                return True
            at = end + 1
        comma = text.find(b",", at)
        if comma < 0:
            return False
        at = comma + 1


def _closing_quote(text: bytes, start: int) -> int:
    """The end of the quoted field that begins before `start`; −1 without one. A doubled quote is text."""
    at = text.find(b'"', start)
    while at >= 0 and text.startswith(b'"', at + 1):
        at = text.find(b'"', at + 2)
    return at


def _is_row(text: bytes, width: int) -> bool:
    fields = None if _is_open(text) else _split(text.decode("utf-8", "replace"))
    return fields is not None and len(fields) == width


def _split(text: str) -> list[str] | None:
    """The fields of one record; None for quotes that RFC 4180 does not allow."""
    try:
        return next(csv.reader([text], strict=True), None)
    except csv.Error:
        return None


def _read_record(block: Block, header: _Header) -> ContactRecord:
    number, whole = block[0][0], b"\n".join(text for _, text in block)
    raw = whole.decode("utf-8", "replace")
    fields = _split(raw)
    if "\ufffd" in raw and not _is_utf8(whole):
        return ContactRecord(number, raw[:MAX_RAW], reason="not_utf8")
    if fields is None or (len(block) > 1 and _is_open(whole)):
        return ContactRecord(number, raw[:MAX_RAW], reason="bad_quotes")
    if len(fields) != header.width:
        few = "too_few_columns" if len(fields) < header.width else "too_many_columns"
        return ContactRecord(number, raw[:MAX_RAW], reason=few)
    cells = {name: fields[place] for name, place in header.places.items()}
    values, odd = _usable_values(cells)
    for name in NEEDED:
        if values[name] is None:
            reason = "unusable_identifier" if name in odd else "missing_value"
            return ContactRecord(number, raw[:MAX_RAW], reason=reason, field=COLUMNS[name])
    rating = read_rating(cells["rating"])
    if values["rating"] is not None and rating.rating is None:
        odd.append("rating")
    return ContactRecord(
        number, raw, values, rating.rating, rating.given, tuple(COLUMNS[name] for name in COLUMNS if name in odd)
    )


def _usable_values(cells: Mapping[str, str]) -> tuple[dict[str, str | None], list[str]]:
    """The values of a row, blank ones None, and the names of those that no event could carry."""
    values: dict[str, str | None] = {name: cut_text(cell.strip()) or None for name, cell in cells.items()}
    odd: list[str] = []
    for name, field_name in IDENTIFIERS.items():
        try:
            values[name] = read_identifier(field_name, cells[name])
        except OddValueError:
            values[name] = None
            odd.append(name)
    if len(values["contact_id"] or "") > MAX_ID:
        values["contact_id"] = None
        odd.append("contact_id")
    return values, odd


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
