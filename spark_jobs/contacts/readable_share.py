"""The readable share of each file: an export that is mostly unreadable is refused, not taken in part."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spark_jobs.contacts.export_format import DUPLICATE_ID


class RowCount(NamedTuple):
    """The number of rows of a file with one outcome; `reason` and `field` are None for contacts."""

    file: str
    reason: str | None
    field: str | None
    rows: int

    @property
    def readable(self) -> bool:
        """Whether the rows were readable; those of a repeated contact were."""
        return self.reason in (None, DUPLICATE_ID)


def explain_unreadable(counts: Sequence[RowCount], *, least_share: float) -> str:
    """Why the files cannot be imported: no row, or a file of which less than `least_share` is readable; else "".

    A file with a header alone is no reason while another file has rows.

    >>> rows = [RowCount("a.csv", None, None, 1), RowCount("a.csv", "bad_date", "answered", 3)]
    >>> explain_unreadable(rows, least_share=0.5)
    'a.csv: found 1 of 4 rows readable, expected at least 50%; 3 are rejected as bad_date in answered'
    >>> explain_unreadable(rows, least_share=0.25)
    ''
    """
    if not counts:
        return "found no row below the columns' names, expected at least one contact"
    refused = [
        file
        for file in sorted({count.file for count in counts})
        if _is_below(least_share, [count for count in counts if count.file == file])
    ]
    if refused:
        first = [count for count in counts if count.file == refused[0]]
        others = f"; {len(refused) - 1} more files are like it" if len(refused) > 1 else ""
        return f"{refused[0]}: {_describe(first)}, expected at least {least_share:.0%}; {_main_reason(first)}{others}"
    if not any(count.readable for count in counts):
        return f"{_describe(counts)}, expected at least one; {_main_reason(counts)}"
    return ""


def _is_below(least_share: float, counts: Sequence[RowCount]) -> bool:
    return _readable_rows(counts) / _rows(counts) < least_share


def _describe(counts: Sequence[RowCount]) -> str:
    return f"found {_readable_rows(counts)} of {_rows(counts)} rows readable"


def _main_reason(counts: Sequence[RowCount]) -> str:
    most = max((count for count in counts if not count.readable), key=lambda count: count.rows)
    column = f" in {most.field}" if most.field else ""
    return f"{most.rows} are rejected as {most.reason}{column}"


def _readable_rows(counts: Iterable[RowCount]) -> int:
    return sum(count.rows for count in counts if count.readable)


def _rows(counts: Iterable[RowCount]) -> int:
    return sum(count.rows for count in counts)
