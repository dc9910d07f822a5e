"""The beginning of local files, read without Spark: what an import of them would give."""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pyarrow import ArrowInvalid
from pyarrow.parquet import ParquetFile

from service_quality.instants import format_instant
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.sources.cleaning import Cleaning, said_doubt
from spark_jobs.sources.exports import Export, FileRow, Outcome, by_resource, read_file, row_of_values
from spark_jobs.sources.headers import HEAD_LINES, PARQUET, Header, find_header, find_header_of, missing_files
from spark_jobs.sources.mapping import Source
from spark_jobs.sources.row_values import Given

#: A longer line ends the reading: the file has another end of lines, or is no text.
_LONGEST_LINE = 4_000_000


class Beginning(NamedTuple):
    """The first rows of files: what came of each, by file its header, whether more rows follow, and rows by encoding.

    None stands for the first encoding that is declared.
    """

    headers: dict[str, Header]
    outcomes: list[Outcome]
    goes_on: dict[str, bool]
    rows: dict[str, Counter[str | None]]
    met: Cleaning


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a local file, packed or not, parted at line feeds."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise InputError(f"{path.name}: found a line of over {_LONGEST_LINE:,} bytes, expected lines of text")
            yield line.removesuffix(b"\n")


def head_of(path: Path) -> list[bytes]:
    """The first lines of a local file."""
    try:
        return list(islice(lines_of(path), HEAD_LINES))
    except FileNotFoundError:
        raise MissingSourceError(f"found no file {path}, expected one of an export") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}, expected a file that can be read") from None


def rows_of(path: Path, source: Source) -> tuple[Header, Iterator[FileRow]]:
    """The header of a local file, and its rows."""
    if path.suffix == PARQUET:
        return _rows_of_parquet(path, source)
    header = find_header(head_of(path), source, path.name)
    return header, read_file(lines_of(path), path.name, source.resource(header.resource), header)


def open_parquet(path: Path) -> ParquetFile:
    """A local file of Parquet."""
    try:
        return ParquetFile(path)
    except FileNotFoundError:
        raise MissingSourceError(f"found no file {path}, expected one of an export") from None
    except (ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}, expected a file of Parquet") from None


def _rows_of_parquet(path: Path, source: Source) -> tuple[Header, Iterator[FileRow]]:
    file = open_parquet(path)
    header = find_header_of(file.schema_arrow.names, source, path.name)
    resource = source.resource(header.resource)
    values = (row.values() for batch in file.iter_batches() for row in batch.to_pylist())
    rows = (row_of_values(path.name, line, list(one), resource, header) for line, one in enumerate(values, 1))
    return header, rows


def read_beginning(paths: Sequence[Path], source: Source, given: Given, *, most: int) -> Beginning:
    """At most so many rows of each file, and what comes of them; files are known by their names."""
    headers: dict[str, Header] = {}
    goes_on: dict[str, bool] = {}
    counts: dict[str, Counter[str | None]] = {}
    rows: list[tuple[str, FileRow]] = []
    for path in paths:
        header, its_rows = rows_of(path, source)
        headers[path.name], found = header, list(islice(its_rows, most + 1))
        goes_on[path.name], counts[path.name] = len(found) > most, Counter(row.encoding for row in found[:most])
        rows += [(header.resource, row) for row in found[:most]]
    export = Export(source, by_resource(rows), given)
    outcomes, met = list(export.outcomes()), Cleaning()
    for one in outcomes:
        met.note(one.row, one.read, source.resource(headers[one.row.file].resource))
    return Beginning(headers, outcomes, goes_on, counts, met)


def describe(beginning: Beginning, source: Source) -> list[str]:
    """What an import would read, in lines for people."""
    met = beginning.met
    lines = []
    for file, header in beginning.headers.items():
        missing, extent = (
            header.missing(source.resource(header.resource)),
            "the first" if beginning.goes_on[file] else "all",
        )
        lacks = f", without {', '.join(missing)}" if missing else ""
        unread = f", not read: {', '.join(header.unread)}" if header.unread else ""
        rows = beginning.rows[file]
        others = "".join(f", {count:,} of them in {name}" for name, count in rows.items() if name is not None)
        lines.append(f"{file}: {header.resource}, {extent} {rows.total():,} rows{others}{lacks}{unread}")
    lines += [
        f"{file}: joined to {', '.join(kinds)}, and no such file beside it"
        for file, kinds in missing_files(beginning.headers, source).items()
    ]
    instants = [event.occurred_at for one in beginning.outcomes for event in one.read.events]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(met.kinds.items())) or "none"
    lines.append(f"events: {kinds}")
    if instants:
        lines.append(f"from {format_instant(min(instants))} to {format_instant(max(instants))}")
    rejected: Counter[str] = Counter()
    for one in beginning.outcomes:
        if one.read.reason is not None:
            rejected[f"{one.read.reason} in {one.read.column}" if one.read.column else one.read.reason] += 1
    lines += [f"rejected: {count:,} {reason}" for reason, count in rejected.most_common()]
    lines += [f"left out: {count:,} {why}" for why, count in met.left_out.most_common()]
    lines += [f"cells that cannot be used: {count:,} of {column}" for column, count in met.odd.most_common()]
    lines += [
        f"{file}: {count:,} times in {column} read in the other order of day and month alone"
        for file, column, count in met.other_order
    ]
    lines += [said_doubt(*one) for one in met.doubtful]
    return lines
