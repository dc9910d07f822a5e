"""The rows of an export's files, resource by resource, and what a small export gives without Spark.

The job on Spark (`tables.py`) reads rows by the same functions; here everything is held in memory, for `--check` and
`--suggest`, which look at the beginning of files, and as its oracle in tests.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from re import findall
from typing import NamedTuple

from spark_jobs.sources.containers import (
    MAX_RAW,
    Record,
    cells_of_object,
    read_header,
    read_lines_of,
    read_rows,
    text_of,
)
from spark_jobs.sources.headers import Header
from spark_jobs.sources.mapping import Resource, Source
from spark_jobs.sources.row_events import MISSING_ROW, ReadRow, RowReader, all_fields
from spark_jobs.sources.row_values import Given

DUPLICATE_ID, OLDER_VERSION = "duplicate_id", "older_version"


class FileRow(NamedTuple):
    """A row of a file: its cells by the resource's columns, or the reason why it is none.

    `encoding` is given where it is not the first that the resource declares.
    """

    file: str
    line: int
    raw: str
    cells: tuple[str, ...] = ()
    reason: str | None = None
    encoding: str | None = None


class Outcome(NamedTuple):
    """What came of a row."""

    row: FileRow
    read: ReadRow


def read_file(lines: Iterable[bytes], file: str, resource: Resource, header: Header) -> Iterator[FileRow]:
    """The rows of a file, their cells in the order of the resource's columns; a column that it lacks is blank."""
    places = [header.places.get(name) for name in resource.fields]
    source = read_lines_of(lines, resource)
    if resource.format == "csv":
        read_header(source, resource)
    for record in read_rows(source, resource, header.width):
        cells = _placed(record, places, resource, header)
        yield FileRow(file, record.line, record.raw, cells, record.reason, record.encoding)


def row_of_values(file: str, line: int, values: Sequence[object], resource: Resource, header: Header) -> FileRow:
    """A row of Parquet: its values as the cells of a row."""
    cells = [text_of(value) for value in values]
    placed = tuple("" if (place := header.places.get(name)) is None else cells[place] for name in resource.fields)
    return FileRow(file, line, json.dumps(cells, ensure_ascii=False)[:MAX_RAW], placed)


def _placed(record: Record, places: Sequence[int | None], resource: Resource, header: Header) -> tuple[str, ...]:
    if record.reason is not None:
        return ()
    if resource.format == "jsonl":
        return cells_of_object(record.raw, [(header.names or {}).get(name, name) for name in resource.fields])
    return tuple("" if place is None else record.cells[place] for place in places)


def parts_of(rows: Iterable[FileRow], whole: Resource, part: Resource) -> Iterator[FileRow]:
    """The rows of a resource that is part of another one: the place that matches, then the other's columns by name."""
    assert part.part_of is not None
    names = list(whole.fields)
    at = names.index(part.part_of.column)
    for row in rows:
        if row.reason is None:
            cells = dict(zip(names, row.cells, strict=True))
            for place in findall(part.part_of.pattern, row.cells[at]):
                others = list(part.fields)[1:]
                yield row._replace(cells=(place, *(cells.get(name, "") for name in others)))


class Export:
    """Rows of all resources, held in memory, with the rows that belong to them."""

    def __init__(self, source: Source, rows: Mapping[str, Sequence[FileRow]], given: Given) -> None:
        self.source = source
        self.given = given
        self.readers = {one.name: reader_for(one, source, given) for one in source.resources}
        self.rows = {name: list(found) for name, found in rows.items()}
        for part in source.resources:
            if part.part_of is not None:
                whole = source.resource(part.part_of.resource)
                self.rows[part.name] = list(parts_of(self.rows.get(whole.name, ()), whole, part))
        self.chosen = {name: self._choose(name, found) for name, found in self.rows.items()}
        self.by_key = {name: self._index(name) for name in self.rows}

    def outcomes(self) -> Iterator[Outcome]:
        """What comes of each row of a file; nothing of a sound one that is only joined to others."""
        for resource in self.source.with_files:
            for row, reason in self.chosen.get(resource.name, ()):
                read = self._read(resource, row) if reason is None else rejected_copy(reason, resource)
                yield Outcome(row, read if resource.events or read.reason is not None else ReadRow())

    def _choose(self, name: str, rows: Sequence[FileRow]) -> list[tuple[FileRow, str | None]]:
        """Each row, with the reason why another one of its key counts instead."""
        resource, reader = self.source.resource(name), self.readers[name]
        if not resource.primary_key:
            return [(row, None) for row in rows]
        keys = [key_of(row, resource, reader) for row in rows]
        versions = [version_of(row, resource, reader) for row in rows]
        best: dict[str, int] = {}
        for place, key in enumerate(keys):
            if key is not None and (key not in best or _is_later(versions[place], versions[best[key]])):
                best[key] = place
        why = DUPLICATE_ID if resource.latest_by is None else OLDER_VERSION
        counting = set(best.values())
        return [
            (row, why if key is not None and place not in counting else None)
            for place, (row, key) in enumerate(zip(rows, keys, strict=True))
        ]

    def _index(self, name: str) -> dict[str, FileRow]:
        resource, reader = self.source.resource(name), self.readers[name]
        keyed = ((key_of(row, resource, reader), row) for row, reason in self.chosen[name] if reason is None)
        return {key: row for key, row in keyed if key is not None}

    def _read(self, resource: Resource, row: FileRow) -> ReadRow:
        if row.reason is not None:
            return ReadRow(reason=row.reason)
        cells = dict(zip(resource.fields, row.cells, strict=True))
        reader = self.readers[resource.name]
        if (alone := reader.read_alone(cells)) is not None:
            return alone
        for join in resource.joins:
            key = reader.key(cells, (join.column,))
            other = self.by_key.get(join.resource, {}).get(key) if key is not None else None
            if other is None and join.is_required:
                return ReadRow(reason=MISSING_ROW, column=join.column)
            cells |= joined_cells(self.source.resource(join.resource), None if other is None else other.cells)
        return reader.read(cells)


def reader_for(resource: Resource, source: Source, given: Given) -> RowReader:
    """The reader of a resource's rows."""
    return RowReader(resource, all_fields(resource, source.resources), given)


def joined_cells(other: Resource, cells: Sequence[str] | None) -> dict[str, str]:
    """The cells of a joined row under their names; blank where there is no such row."""
    values = cells or [""] * len(other.fields)
    return {f"{other.name}.{name}": value for name, value in zip(other.fields, values, strict=True)}


def key_of(row: FileRow, resource: Resource, reader: RowReader) -> str | None:
    """The text of a row's primary key; None without one, and for a row that is rejected by itself."""
    if row.reason is not None or not resource.primary_key:
        return None
    cells = dict(zip(resource.fields, row.cells, strict=True))
    return None if reader.without_required(cells) is not None else reader.key(cells, resource.primary_key)


def version_of(row: FileRow, resource: Resource, reader: RowReader) -> int | None:
    """The value by which the latest row of a key counts."""
    if row.reason is not None or resource.latest_by is None:
        return None
    return reader.version(dict(zip(resource.fields, row.cells, strict=True)))


def _is_later(version: int | None, other: int | None) -> bool:
    """Whether a later row counts instead of an earlier one: by its version, else not."""
    return version is not None and (other is None or version > other)


def rejected_copy(why: str, resource: Resource) -> ReadRow:
    """What comes of a row in whose place another one counts."""
    if why == OLDER_VERSION:
        return ReadRow(left_out=OLDER_VERSION)
    return ReadRow(reason=why, column=resource.primary_key[0])


def by_resource(rows: Iterable[tuple[str, FileRow]]) -> dict[str, list[FileRow]]:
    """Rows by the resource of their file."""
    found: dict[str, list[FileRow]] = defaultdict(list)
    for name, row in rows:
        found[name].append(row)
    return found
