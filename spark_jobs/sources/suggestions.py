"""A first mapping of a file, from its columns' names and cells, with what is doubtful about each said beside it.

What a name says is looked up in a table of words, English and Chinese; what cells are is tried. A doubt is a reason to
look: two columns for one role, a name that several systems use for different things, times of which day and month
could be swapped. Nothing is imported by a suggestion until somebody has read it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from spark_jobs.sources.cells import swapped
from spark_jobs.sources.cleaning import DECLARED, order_of
from spark_jobs.sources.column_roles import (
    ANSWERED,
    HAPPENED,
    HINTS,
    INSTANTS,
    OPENED,
    OTHER_TIMES,
    RATED,
    RESOLVED,
    role_of,
)
from spark_jobs.sources.file_forms import look_at
from spark_jobs.sources.mapping import Resource, header_name

NO_DURATION = "its name says a duration, its cells have no form that is known (h, min, s, or clock as HH:MM:SS)"
#: The rows that are looked at.
MOST_ROWS = 2_000
_PATTERNS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S %Z", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M", "%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p",
    "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S", "%b %d, %Y %H:%M", "%d %b %Y %H:%M",
)  # fmt: skip
_DAY_PATTERNS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%y", "%d-%b-%Y", "%Y年%m月%d日", "%d %b %Y",
)  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+(?:\.0+)?")
_CLOCK = re.compile(r"[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]")
_STARS = re.compile(r"[1-5](?:\.0+)?")
_ZEROS_FIRST = re.compile(r"0[0-9]")
_SPELT = re.compile(
    r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]+|[0-9]+(?:[.,][0-9]+)?)"
)
_COMMA_LAST = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+")
_EITHER = re.compile(r"-?[0-9]{1,3},[0-9]{3}")
_READ_AS = 0.75  # the share of cells that a type must read; below it the column is text


class Suggested(NamedTuple):
    """A column: its type and format, its role ("" for none), what is doubtful about it, and what else it may tell.

    `spelling` are keys of a mapping that say how its numbers are written.
    """

    name: str
    type: str
    format: str | None
    role: str
    doubts: tuple[str, ...] = ()
    hint: str | None = None
    spelling: Mapping[str, str] = MappingProxyType({})


class Suggestion(NamedTuple):
    """How a file is written, and what its columns may be."""

    resource: Resource
    columns: tuple[Suggested, ...]
    rows: int
    doubts: tuple[str, ...]


def suggest(path: Path) -> Suggestion:
    """A first mapping of a local file; InputError for one that names no columns."""
    table = look_at(path, most=MOST_ROWS)
    columns = [_column(name, [row[at].strip() for row in table.rows]) for at, name in enumerate(table.names)]
    return Suggestion(table.resource, tuple(_compared(columns)), len(table.rows), tuple(table.doubts))


def _column(name: str, cells: Sequence[str]) -> Suggested:
    """A column by its own name and cells."""
    said = [cell for cell in cells if cell]
    kind, form, doubts = _type_of(said)
    role, is_doubtful = role_of(name)
    if role in (*INSTANTS, *OTHER_TIMES) and kind not in ("datetime", "date"):
        role, is_doubtful = role_of(name, without=INSTANTS)
        doubts = [*doubts, "its name says a time, its cells do not"] if said else doubts
    elif kind in ("datetime", "date") and role not in (*INSTANTS, *OTHER_TIMES, ""):
        role, doubts = HAPPENED, [*doubts, "its cells are times, its name does not say of what"]
    if is_doubtful and role not in HINTS:
        doubts = [*doubts, f"by its name alone it may be {role}: look at its cells"]
    doubts = [*doubts, *_doubts_of_role(role, kind, said)]
    if not said:
        doubts = [*doubts, f"all cells of the first {len(cells):,} rows are blank"]
    return Suggested(name, kind, form, role, tuple(doubts), spelling=_spelling(said) if kind == "number" else {})


def _doubts_of_role(role: str, kind: str, cells: Sequence[str]) -> list[str]:
    """What is doubtful about cells by what their column is to say."""
    if role == "rating" and any(not _STARS.fullmatch(cell) for cell in cells):
        return ["not all of its cells are 1 to 5: say by `values` what each means, or the policy's scale"]
    if role.startswith("duration") and cells and kind not in ("duration", "number", "integer"):
        return [NO_DURATION]
    return []


def _spelling(cells: Sequence[str]) -> dict[str, str]:
    """How most numbers are written, where a comma has a part in it."""
    with_comma = [cell for cell in cells if "," in cell]
    if not with_comma or _share(cells, lambda cell: _NUMBER.fullmatch(cell) is not None) >= _READ_AS:
        return {}
    telling = [cell for cell in with_comma if not _EITHER.fullmatch(cell)]
    is_decimal = sum(_COMMA_LAST.fullmatch(cell) is not None for cell in telling) * 2 > len(telling)
    signs = {"decimalChar": ",", "groupChar": "."} if is_decimal else {"groupChar": ","}
    return {key: sign for key, sign in signs.items() if any(sign in cell for cell in cells)}


def _type_of(cells: Sequence[str]) -> tuple[str, str | None, list[str]]:
    """The type and format that read the cells, and what is doubtful about them."""
    if not cells:
        return "string", None, []
    for kind, patterns in (("datetime", _PATTERNS), ("date", _DAY_PATTERNS)):
        best = max(patterns, key=lambda pattern: sum(_is_time(cell, pattern) for cell in cells))
        share = sum(_is_time(cell, best) for cell in cells) / len(cells)
        if share >= _READ_AS:
            return kind, best, _doubts_of_time(cells, best, share)
    if _share(cells, _is_iso) >= _READ_AS and not all(_WHOLE.fullmatch(cell) for cell in cells):
        return "datetime", "default", []
    if (of_number := _number_type(cells)) is not None:
        return of_number
    if _share(cells, lambda cell: _CLOCK.fullmatch(cell) is not None) >= _READ_AS:
        return "duration", "clock", []
    return "string", None, []


def _number_type(cells: Sequence[str]) -> tuple[str, None, list[str]] | None:
    """The type of cells that are numbers, with their doubts; None where they are none."""
    if _share(cells, lambda cell: _WHOLE.fullmatch(cell) is not None) >= _READ_AS:
        if any(_ZEROS_FIRST.match(cell) for cell in cells):
            return "string", None, ["some of its numbers begin with a zero, which a number would lose"]
        is_epoch = _share(cells, lambda cell: cell.isdecimal() and len(cell) in (10, 13)) == 1
        return "integer", None, ["its numbers may be seconds or milliseconds since 1970"] if is_epoch else []
    if _share(cells, lambda cell: _NUMBER.fullmatch(cell) is not None) >= _READ_AS:
        return "number", None, []
    if _share(cells, lambda cell: _SPELT.fullmatch(cell) is not None) >= _READ_AS:
        either = all(_EITHER.fullmatch(cell) for cell in cells if "," in cell)
        return "number", None, ["its commas may part thousands or decimals"] if either else []
    return None


def _doubts_of_time(cells: Sequence[str], pattern: str, share: float) -> list[str]:
    doubts = []
    if swapped(pattern) is not None and not any(order_of(cell, (pattern,)) == DECLARED for cell in cells):
        doubts.append("day and month could be swapped: no cell has a day above 12")
    if share < 1:
        doubts.append(f"{1 - share:.1%} of its cells are no such times")
    return doubts


def _share(cells: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(holds(cell) for cell in cells) / len(cells)


def _is_time(cell: str, pattern: str) -> bool:
    text = cell.removesuffix(" UTC").removesuffix(" GMT") if pattern.endswith(" %Z") else cell
    if pattern.endswith(" %Z") and text == cell:
        return False
    try:
        datetime.strptime(text, pattern.removesuffix(" %Z"))
    except ValueError:
        return False
    return True


def _is_iso(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _compared(columns: Sequence[Suggested]) -> Iterator[Suggested]:
    """Columns as the others let them be read: of two for one role each is doubtful, as is what a file of its kind has.

    An order's time in a file of contacts is not read; a message or a rating happens at its creation; a type is a
    contact's category where nobody writes.
    """
    roles = Counter(column.role for column in columns if column.role)
    of_contacts = any(roles[role] for role in (OPENED, ANSWERED, RESOLVED, RATED))
    writes = roles["author"] > 0 or roles["author_role"] > 0
    is_of_ratings = roles["rating"] > 0 and not any(roles[one] for one in ("agent_id", "channel", "priority", RATED))
    for column in columns:
        role, doubts = column.role, list(column.doubts)
        if role == "order_date" and of_contacts:
            role, doubts = "", [*doubts, "a time of an order in a file of contacts"]
        if role == OPENED and (writes or is_of_ratings):
            role, doubts = HAPPENED, [*doubts, "when a message or a rating was made, or a conversation was opened?"]
        if role == "category" and writes and header_name(column.name) == "type":
            role = "kind"
        rivals = [other.name for other in columns if other.role == column.role and other.name != column.name]
        if role and rivals:
            doubts.append(f"{', '.join(rivals)} may be {role}, too")
        hint = role if role in HINTS else None
        if hint is not None:
            role, doubts = "", [HINTS[hint], *(one for one in doubts if one == NO_DURATION)]
        yield column._replace(role=role, doubts=tuple(doubts), hint=hint)
