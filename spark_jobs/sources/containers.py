"""Files of text into rows of cells: bytes into lines, lines into records where a quoted cell spans several.

Quotes are those of RFC 4180. A quote that never closes would swallow all that follows; so where what was put together
is no row but one of its later lines is by itself, the row ends before that line, and only what came before it is lost.
"""

import codecs
import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from service_quality.events.optional_values import cut_text
from spark_jobs.sources.mapping import Resource

MAX_LINES = 500
MAX_RAW = 65_536
#: Encodings in which no byte of another character is that of a line's end, so that lines are decoded one by one.
_BY_LINE = frozenset({"utf-8", "gb18030", "windows-1252", "iso-8859-1", "shift_jis", "big5"})
UNDECODED = "\ufffd"


class Line(NamedTuple):
    """A line of a file, numbered from 1; `is_sound` is false where its bytes are of no declared encoding.

    `encoding` is given where it is not the first that is declared.
    """

    number: int
    text: str
    is_sound: bool = True
    encoding: str | None = None


class Record(NamedTuple):
    """A row's cells by their place in the file, or the `reason` why a line is no row; `line` is the first of it.

    `encoding` is given where a line of it is not in the first encoding that is declared.
    """

    line: int
    raw: str
    cells: tuple[str, ...] = ()
    reason: str | None = None
    encoding: str | None = None


class Dialect(NamedTuple):
    """The signs of a file of text."""

    delimiter: str
    quote: str


def read_lines_of(source: Iterable[bytes], resource: Resource) -> Iterator[Line]:
    """The lines of a file, from its bytes parted at line feeds."""
    by_line = all(encoding in _BY_LINE for encoding in resource.encodings)
    texts = _decode_each(source, resource.encodings) if by_line else _decode(source)
    if resource.line_end == "\r":
        texts = (
            (part, is_sound, encoding)
            for text, is_sound, encoding in texts
            for part in text.split("\r")
            if part or is_sound
        )
    for number, (text, is_sound, encoding) in enumerate(texts, 1):
        plain = text.removeprefix("\ufeff") if number == 1 else text
        yield Line(number, plain.removesuffix("\r"), is_sound, encoding)


#: Text, whether it is sound, and its encoding where that is not the first.
_Decoded = tuple[str, bool, str | None]


def _decode_each(source: Iterable[bytes], encodings: Sequence[str]) -> Iterator[_Decoded]:
    for line in source:
        for place, encoding in enumerate(encodings):
            try:
                yield line.decode(encoding), True, encoding if place else None
                break
            except UnicodeDecodeError:
                continue
        else:
            yield line.decode(encodings[0], "replace"), False, None


def _decode(source: Iterable[bytes]) -> Iterator[_Decoded]:
    """Lines of UTF-16: a line's end is two bytes, of which the source took one away; without a mark little-endian."""
    decoder: codecs.IncrementalDecoder | None = None
    rest = ""
    for line in source:
        if decoder is None:
            order = "utf-16-be" if line.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
            decoder = codecs.getincrementaldecoder(order)("replace")
        *whole, rest = (rest + decoder.decode(line + b"\n")).split("\n")
        yield from ((text, UNDECODED not in text, None) for text in whole)
    if rest.strip("\0"):
        yield rest, UNDECODED not in rest, None


def read_header(lines: Iterator[Line], resource: Resource) -> list[str] | None:
    """The columns' names in the declared line, read off the lines; None where there is no such line."""
    line = next((line for line in lines if line.number >= resource.header_row), None)
    return None if line is None else split_row(line.text, Dialect(resource.delimiter, resource.quote)) or []


def read_rows(lines: Iterator[Line], resource: Resource, width: int) -> Iterator[Record]:
    """The records behind the header; a line that is none has a reason."""
    if resource.format == "jsonl":
        yield from map(_read_object, (line for line in lines if line.text.strip()))
        return
    dialect = Dialect(resource.delimiter, resource.quote)
    for block in _blocks(lines, width, dialect):
        other = next((line.encoding for line in block if line.encoding is not None), None)
        yield _read_record(block, width, dialect)._replace(encoding=other)


def split_row(text: str, dialect: Dialect) -> list[str] | None:
    """The cells of one record; None for quotes that RFC 4180 does not allow.

    >>> split_row('1;"a; b"', Dialect(";", '"'))
    ['1', 'a; b']
    """
    try:
        return next(csv.reader([text], strict=True, delimiter=dialect.delimiter, quotechar=dialect.quote), None)
    except csv.Error:
        return None


Block = list[Line]


def _blocks(lines: Iterable[Line], width: int, dialect: Dialect) -> Iterator[Block]:
    """Lines that belong to one record; without blank lines between records."""
    source = iter(lines)
    again: deque[Line] = deque()
    while True:
        block: Block = []
        while line := again.popleft() if again else next(source, None):
            block.append(line)
            if dialect.quote not in line.text and len(block) == 1:
                break
            if len(block) >= MAX_LINES or not _is_open(_joined(block), dialect):
                break
        if not block:
            return
        if len(block) > 1 and not _is_row(_joined(block), width, dialect):
            places = range(1, len(block))
            end = next((place for place in places if _is_row(block[place].text, width, dialect)), len(block))
            again.extendleft(reversed(block[end:]))
            block = block[:end]
        if any(line.text.strip() for line in block):
            yield block


def _joined(block: Block) -> str:
    return "\n".join(line.text for line in block)


def _is_open(text: str, dialect: Dialect) -> bool:
    """Whether the text ends inside a quoted cell."""
    at = 0
    while True:
        if text.startswith(dialect.quote, at):
            end = _closing_quote(text, at + 1, dialect.quote)
            if end < 0:
                return True
            at = end + 1
        delimiter = text.find(dialect.delimiter, at)
        if delimiter < 0:
            return False
        at = delimiter + 1


def _closing_quote(text: str, start: int, quote: str) -> int:
    """The end of the quoted cell that begins before `start`; −1 without one. A doubled quote is text."""
    at = text.find(quote, start)
    while at >= 0 and text.startswith(quote, at + 1):
        at = text.find(quote, at + 2)
    return at


def _is_row(text: str, width: int, dialect: Dialect) -> bool:
    cells = None if _is_open(text, dialect) else split_row(text, dialect)
    return cells is not None and len(cells) == width


def _read_record(block: Block, width: int, dialect: Dialect) -> Record:
    number, raw = block[0].number, _joined(block)
    cells = split_row(raw, dialect)
    kept = cut_text(raw, longest=MAX_RAW)
    if not all(line.is_sound for line in block):
        return Record(number, kept, reason="other_encoding")
    if cells is None or (len(block) > 1 and _is_open(raw, dialect)):
        return Record(number, kept, reason="bad_quotes")
    if len(cells) != width:
        return Record(number, kept, reason="too_few_columns" if len(cells) < width else "too_many_columns")
    return Record(number, kept, tuple(cells))


def _read_object(line: Line) -> Record:
    """A line of JSON: its object is the raw text, and its cells are read by name (`cells_of_object`)."""
    try:
        is_object = isinstance(json.loads(line.text), dict)
    except (ValueError, RecursionError):
        return Record(line.number, cut_text(line.text, longest=MAX_RAW), (), "malformed_json", line.encoding)
    reason = None if is_object else "not_an_object"
    return Record(line.number, line.text, (), reason, line.encoding)


def cells_of_object(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """The values of a JSON object by name, a dot leading into an object within it; each as text, "" without one.

    >>> cells_of_object('{"id": 7, "rating": {"score": null}}', ("id", "rating.score", "other"))
    ('7', '', '')
    """
    document = json.loads(text)
    return tuple(_cell(document, name) for name in names)


def _cell(value: object, name: str) -> str:
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return text_of(value)


def text_of(value: object) -> str:
    """A value of JSON or Parquet as the cell of a row; "" for none.

    >>> text_of(None), text_of(7.5), text_of(True), text_of(date(2026, 1, 31)), text_of(["a"])
    ('', '7.5', 'true', '2026-01-31', '["a"]')
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def reads_as(text: bytes, encoding: str) -> bool:
    """Whether bytes are sound in an encoding."""
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
