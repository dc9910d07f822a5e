"""How a local file is written, found from its beginning: text with a delimiter, JSON lines or Parquet."""

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from spark_jobs.errors import InputError
from spark_jobs.sources.beginnings import head_of, lines_of, open_parquet
from spark_jobs.sources.containers import (
    Dialect,
    Record,
    cells_of_object,
    read_header,
    read_lines_of,
    read_rows,
    reads_as,
    split_row,
    text_of,
)
from spark_jobs.sources.headers import PARQUET
from spark_jobs.sources.mapping import Resource

_ENCODINGS = ("utf-8", "gb18030", "windows-1252")
_DELIMITERS = (",", ";", "\t", "|")
_HEADERS_WITHIN = 10


class Table(NamedTuple):
    """How a file is written, its columns' names, the cells of its first rows, and what is doubtful about it."""

    resource: Resource
    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    doubts: Sequence[str] = ()


def look_at(path: Path, *, most: int) -> Table:
    """The first rows of a file; InputError for one that names no columns."""
    if path.suffix == PARQUET:
        return _of_parquet(path, most)
    head = head_of(path)
    first = next((line.strip() for line in head if line.strip()), None)
    if first is None:
        raise InputError(f"{path.name}: found nothing, expected a line with the columns' names")
    encodings = _encodings_of(head)
    start = first.decode(encodings[0], "replace").lstrip("\ufeff")
    if start.startswith("["):
        raise InputError(f"{path.name}: found a JSON list, expected a JSON object a line, as `jq -c '.[]'` writes them")
    return _of_json(path, encodings, most) if start.startswith("{") else _of_text(path, head, encodings, most)


def _of_parquet(path: Path, most: int) -> Table:
    file = open_parquet(path)
    rows = (row for batch in file.iter_batches(batch_size=most) for row in batch.to_pylist())
    cells = [[text_of(value) for value in row.values()] for row in islice(rows, most)]
    return Table(_resource(("utf-8",)), file.schema_arrow.names, cells)


def _of_json(path: Path, encodings: tuple[str, ...], most: int) -> Table:
    """The names of all objects, those within an object behind the outer one's and a dot."""
    resource = _resource(encodings)._replace(format="jsonl")
    lines = read_lines_of(lines_of(path), resource)
    found = [one.raw for one in _sound(read_rows(lines, resource, 0), most)]
    names = list(dict.fromkeys(name for text in found for name in _names_in(json.loads(text))))
    return Table(resource, names, [cells_of_object(text, names) for text in found], _doubts_of(encodings))


def _names_in(document: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _names_in(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _of_text(path: Path, head: Sequence[bytes], encodings: tuple[str, ...], most: int) -> Table:
    resource, doubts = _dialect_of(head, encodings)
    lines = read_lines_of(lines_of(path), resource)
    names = read_header(lines, resource) or []
    found = _sound(read_rows(lines, resource, len(names)), most)
    return Table(resource, names, [one.cells for one in found], doubts)


def _sound(records: Iterator[Record], most: int) -> list[Record]:
    """Those of the first records that can be read."""
    return [one for one in islice(records, most) if one.reason is None]


def _resource(encodings: tuple[str, ...], delimiter: str = ",", line_end: str = "\n") -> Resource:
    return Resource("rows", "a row", "csv", encodings, delimiter, '"', 1, line_end, {}, (), None, (), (), ())


def _doubts_of(encodings: tuple[str, ...]) -> list[str]:
    encoding = encodings[-1]
    if len(encodings) > 1:
        return [f"single lines are no UTF-8, and read as {encoding.upper()}: are they?"]
    if encoding in ("gb18030", "windows-1252"):
        return [f"the text is no UTF-8, and reads as {encoding.upper()}: is it?"]
    return []


def _dialect_of(head: Sequence[bytes], encodings: tuple[str, ...]) -> tuple[Resource, list[str]]:
    """How a file of text is written: the way that gives most columns in most lines; and what is doubtful about it."""
    line_ends = ("\n", "\r") if any(b"\r" in line[:-1] for line in head) else ("\n",)
    ways = [_resource(encodings, delimiter, line_end) for line_end in line_ends for delimiter in _DELIMITERS]
    headers = [_header_row(head, resource) for resource in ways]
    best = max(range(len(ways)), key=lambda place: headers[place][1])
    row, width = headers[best]
    doubts = [] if width > 1 else ["found one column: is there a delimiter that is none of comma, semicolon, tab, bar?"]
    return ways[best]._replace(header_row=row), [*doubts, *_doubts_of(encodings)]


def _encodings_of(head: Sequence[bytes]) -> tuple[str, ...]:
    """The first encoding in which the first lines are sound, UTF-16 by its mark or its zeros.

    UTF-8 and that of single lines where the text begins with the mark of UTF-8, or half of what is no ASCII is UTF-8.
    """
    whole = b"\n".join(head)
    if whole.startswith((b"\xff\xfe", b"\xfe\xff")) or whole.count(b"\0") > len(whole) // 4:
        return ("utf-16",)
    if reads_as(whole, _ENCODINGS[0]):
        return _ENCODINGS[:1]
    telling = [line for line in head if not line.isascii()]
    others = [line for line in telling if not reads_as(line, _ENCODINGS[0])]
    if whole.startswith(BOM_UTF8) or 2 * len(others) <= len(telling):
        return _ENCODINGS[0], _first_of(b"\n".join(others))
    return (_first_of(whole),)


def _first_of(text: bytes) -> str:
    """The first encoding but UTF-8 in which a text is sound; the last one takes any."""
    return next((one for one in _ENCODINGS[1:] if reads_as(text, one)), _ENCODINGS[-1])


def _header_row(head: Sequence[bytes], resource: Resource) -> tuple[int, int]:
    """The line of the columns' names, the first that is as wide as most lines are and has no two equal cells."""
    lines = list(islice(read_lines_of(head, resource), len(head)))
    dialect = Dialect(resource.delimiter, resource.quote)
    rows = [split_row(line.text, dialect) or [] for line in lines]
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 1, 1
    width = max(widths, key=lambda one: (widths[one], one))
    for line, row in zip(lines[:_HEADERS_WITHIN], rows, strict=False):
        if len(row) == width and all(cell.strip() for cell in row) and len(set(row)) == len(row):
            return line.number, width
    return 1, width
