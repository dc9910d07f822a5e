"""Which resource of a mapping a file belongs to, by its columns' names; and why it belongs to none."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from spark_jobs.errors import InputError
from spark_jobs.sources.containers import read_header, read_lines_of, reads_as
from spark_jobs.sources.mapping import Resource, Source, header_name

#: The end of the name of a file of Parquet, which says its columns itself.
PARQUET = ".parquet"
#: The first lines of a file that are looked at.
HEAD_LINES = 30
_ENCODINGS = ("utf-8", "utf-16", "gb18030", "windows-1252")
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINE_ENDS = {"\n": "lf", "\r": "cr"}
_MOST_NAMED = 12


class Header(NamedTuple):
    """A file's columns: the `places` of the resource's fields in its rows of `width` cells, and their `names` there."""

    resource: str
    places: Mapping[str, int]
    width: int
    unread: tuple[str, ...] = ()
    names: Mapping[str, str] | None = None
    repeated: tuple[str, ...] = ()

    def missing(self, resource: Resource) -> tuple[str, ...]:
        """The resource's columns that the file does not have."""
        return tuple(name for name in resource.fields if name not in self.places)


class Overrides(NamedTuple):
    """How the command line says that files are written, where it says so, instead of the mapping."""

    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    line_end: str | None = None

    def applied(self, resource: Resource) -> Resource:
        """The resource whose files are written so."""
        return resource._replace(
            encodings=resource.encodings if self.encoding is None else (self.encoding,),
            delimiter=self.delimiter or resource.delimiter,
            header_row=self.header_row or resource.header_row,
            line_end=self.line_end or resource.line_end,
        )

    def words(self) -> str:
        """The options of the command line that say this."""
        delimiter = None if self.delimiter is None else _DELIMITERS[self.delimiter]
        line_end = None if self.line_end is None else _LINE_ENDS[self.line_end]
        said = {"encoding": self.encoding, "delimiter": delimiter, "header-row": self.header_row, "line-end": line_end}
        return " ".join(f"--{name} {value}" for name, value in said.items() if value is not None)


def delimiter_named(name: str) -> str:
    """The delimiter of this name."""
    return next(sign for sign, its_name in _DELIMITERS.items() if its_name == name)


def line_end_named(name: str) -> str:
    """The end of lines of this name."""
    return next(sign for sign, its_name in _LINE_ENDS.items() if its_name == name)


DELIMITER_NAMES, LINE_END_NAMES, ENCODING_NAMES = tuple(_DELIMITERS.values()), tuple(_LINE_ENDS.values()), _ENCODINGS


def find_header(head: Sequence[bytes], source: Source, file: str) -> Header:
    """The resource to which a file with these first lines belongs; InputError says why there is none."""
    header = _best({one.name: _names(head, one) for one in source.with_files}, source, file)
    if header is None:
        raise InputError(f"{file}: {explain_head(head, source)}")
    encodings = source.resource(header.resource).encodings
    if not any(one.startswith("utf") for one in encodings) and _is_utf_8(head):
        expected = " or ".join(one.upper() for one in encodings)
        raise InputError(f"{file}: found text in UTF-8, expected {expected}; say --encoding utf-8")
    return header


def _is_utf_8(head: Iterable[bytes]) -> bool:
    """Whether lines that are no ASCII are all UTF-8, which text of another encoding hardly is by chance."""
    telling = [line for line in head if not line.isascii()]
    return bool(telling) and all(reads_as(line, "utf-8") for line in telling)


def _best(names: Mapping[str, Sequence[str]], source: Source, file: str) -> Header | None:
    """The header with the most columns, of those that a file's names give by resource; None where none fits.

    InputError where several have them, where it has a column twice, or where the file has a larger share of the columns
    of a resource to which it cannot belong.
    """
    found = [header for one in source.with_files if (header := _match(names[one.name], one)) is not None]
    if not found:
        return None
    best = max(found, key=lambda header: len(header.places))
    rivals = [header.resource for header in found if len(header.places) == len(best.places)]
    if len(rivals) > 1:
        raise InputError(f"{file}: found the columns of {' and of '.join(rivals)}, expected those of one of them")
    if best.repeated:
        raise InputError(f"{file}: found columns twice: {', '.join(best.repeated)}, expected each once")
    share = len(best.places) / len(source.resource(best.resource).fields)
    fitting = {header.resource for header in found}
    others = {name: read for name, read in names.items() if name not in fitting}
    if any(_share(source.resource(name), read) > share for name, read in others.items()):
        raise InputError(f"{file}: {_nearest(others, source)}")
    return best


def _share(resource: Resource, names: Sequence[str]) -> float:
    """The share of a resource's columns that are among these names."""
    return len(_known(resource, names)) / len(resource.fields)


def _known(resource: Resource, names: Sequence[str]) -> list[str]:
    """The columns of a resource that are among these names."""
    read = set(map(header_name, names))
    return [field.name for field in resource.fields.values() if read & set(field.names)]


def find_header_of(names: Sequence[str], source: Source, file: str) -> Header:
    """The resource to which a file with these columns belongs, as one of Parquet names them itself."""
    by_resource = {one.name: names for one in source.with_files}
    header = _best(by_resource, source, file)
    if header is None:
        raise InputError(f"{file}: {_nearest(by_resource, source)}")
    return header


def missing_files(headers: Mapping[str, Header], source: Source) -> dict[str, list[str]]:
    """The kinds of files to whose rows those of a file are joined, and of which there is none, by file."""
    there = {header.resource for header in headers.values()}
    found = {}
    for file, header in headers.items():
        joined = dict.fromkeys(join.resource for join in source.resource(header.resource).joins)
        lacking = [one for one in joined if one not in there and source.resource(one).part_of is None]
        if lacking:
            found[file] = lacking
    return found


def match_header(head: Iterable[bytes], resource: Resource) -> Header | None:
    """The places of a resource's columns in a file; None where it lacks what a row must have.

    A file must have the columns without which a row is rejected, the primary key, and more than half of all.
    """
    return None if resource.part_of is not None else _match(_names(head, resource), resource)


def _match(names: Sequence[str], resource: Resource) -> Header | None:
    by_name = {header_name(name): place for place, name in reversed(list(enumerate(names)))}
    places = {
        field.name: by_name[name]
        for field in resource.fields.values()
        if (name := next((name for name in field.names if name in by_name), None)) is not None
    }
    needed = {*resource.required, *resource.primary_key}
    if not needed <= places.keys() or 2 * len(places) <= len(resource.fields):
        return None
    known = set(places.values())
    unread = tuple(name for place, name in enumerate(names) if place not in known)
    plain = [header_name(name) for name in names]
    repeated = tuple(name for name, place in places.items() if plain.count(plain[place]) > 1)
    own_names = {name: names[place] for name, place in places.items()}
    return Header(resource.name, places, len(names), unread, own_names, repeated)


def _names(head: Iterable[bytes], resource: Resource) -> list[str]:
    lines = read_lines_of(head, resource)
    if resource.format == "jsonl":
        return names_of_objects(line.text for line in lines)
    return [name.strip() for name in read_header(lines, resource) or []]


def names_of_objects(texts: Iterable[str]) -> list[str]:
    """The names that lead to values in JSON objects, with dots between."""
    names: dict[str, None] = {}
    for text in texts:
        try:
            names.update(dict.fromkeys(_paths(json.loads(text), "")))
        except (ValueError, RecursionError):
            continue
    return list(names)


def _paths(value: object, above: str) -> Iterator[str]:
    if isinstance(value, dict) and (value or not above):
        for key, one in value.items():
            yield from _paths(one, f"{above}.{key}" if above else str(key))
    elif above:
        yield above


def explain_head(head: Sequence[bytes], source: Source) -> str:
    """Why no resource fits, and how the file would fit if it is only written in another way."""
    texts = [resource for resource in source.with_files if resource.format == "csv"]
    for resource in texts:
        for other in _other_ways(resource):
            if match_header(head, other.applied(resource)) is not None and _is_sound(head, other.applied(resource)):
                expected = "expected " + _way(resource)
                return f"found {_way(other.applied(resource))}, {expected}; say {_difference(resource, other).words()}"
    if not any(line.strip() for line in head):
        return "found nothing, expected a line with the columns' names"
    return _nearest({one.name: _names(head, one) for one in source.with_files}, source)


def _other_ways(resource: Resource) -> Iterator[Overrides]:
    encodings = dict.fromkeys((*resource.encodings, *_ENCODINGS))
    delimiters = dict.fromkeys((resource.delimiter, *_DELIMITERS))
    rows = dict.fromkeys((resource.header_row, *range(1, HEAD_LINES + 1)))
    ends = dict.fromkeys((resource.line_end, *_LINE_ENDS))
    for encoding, end, row, delimiter in product(encodings, ends, rows, delimiters):
        yield Overrides(encoding, delimiter, row, end)


def _is_sound(head: Iterable[bytes], resource: Resource) -> bool:
    return all(line.is_sound for line in read_lines_of(head, resource))


def _way(resource: Resource) -> str:
    row = "the first line" if resource.header_row == 1 else f"line {resource.header_row}"
    end = ", lines that end by a carriage return alone" if resource.line_end == "\r" else ""
    return f"{resource.encodings[0].upper()}, {_DELIMITERS[resource.delimiter]}s, columns in {row}{end}"


def _difference(resource: Resource, other: Overrides) -> Overrides:
    return Overrides(
        None if other.encoding in resource.encodings else other.encoding,
        None if other.delimiter == resource.delimiter else other.delimiter,
        None if other.header_row == resource.header_row else other.header_row,
        None if other.line_end == resource.line_end else other.line_end,
    )


def _nearest(names: Mapping[str, Sequence[str]], source: Source) -> str:
    """What the columns of the most similar resource lack; other columns are counted, since a row may name a person."""
    lacking: list[tuple[int, str]] = []
    for name, read in names.items():
        resource, known = source.resource(name), set(map(header_name, read))
        found = _known(resource, read)
        missing = [column for column in resource.fields if column not in found]
        shown = ", ".join(found[:_MOST_NAMED]) or "none of the columns"
        others = max(0, len(known) - len(found))
        lacks = f"found {shown} and {others} others; missing {', '.join(missing[:_MOST_NAMED])}"
        lacking.append((len(missing) - len(found), lacks))
    return f"{min(lacking)[1]}: expected the columns of {source.name}"
