"""Cells into values: texts, numbers, instants and durations as the mapping declares them; nothing is guessed.

A reader returns None for a cell that says nothing and raises OddCellError for one that it cannot use.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from service_quality.events.declared_fields import EARLIEST
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from spark_jobs.sources.mapping import Field

_GUARDED = re.compile(r'="(.*)"', re.DOTALL)
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+][0-9]+")
_WHOLE = re.compile(r"([+-]?[0-9]+)(?:\.0+)?")
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])")
#: Signs and names of currencies beside a number, each with the currencies that it may mean.
CURRENCY_SIGNS = {
    "¥": ("CNY", "JPY"), "￥": ("CNY", "JPY"), "元": ("CNY",), "円": ("JPY",), "$": ("USD", "AUD", "CAD", "HKD", "SGD"),
    "us$": ("USD",), "r$": ("BRL",), "€": ("EUR",), "£": ("GBP",), "₹": ("INR",), "rs": ("INR",), "rs.": ("INR",),
    "rmb": ("CNY",),
}  # fmt: skip
_SIGNS = "|".join(sorted(map(re.escape, CURRENCY_SIGNS), key=len, reverse=True))
_MONEY = re.compile(
    rf"(?P<minus>-?)\s*(?P<before>{_SIGNS}|[a-z]{{3}})?\s*(?P<number>-?[0-9.,' ]+?)\s*(?P<after>{_SIGNS}|[a-z]{{3}})?"
)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " ")


#: Why an instant that can be read is odd: as another unit of time would give it, or a clock that is ahead.
UNIT, AHEAD = "unit", "ahead"
_MOST_AHEAD = 366 * DAY  # of a clock; beyond it the unit is another one


class OddCellError(ValueError):
    """A cell that its column's type cannot read; it says nothing of the cell. `cause` is UNIT, AHEAD or ""."""

    def __init__(self, cause: str = "") -> None:
        super().__init__(cause)
        self.cause = cause


class Instant(NamedTuple):
    """An instant in epoch milliseconds; `is_day` where only the day is known, which is then its last millisecond."""

    at: int
    is_day: bool = False


class Context(NamedTuple):
    """What the caller gives: the zone of instants without one, the currency of amounts, the latest instant."""

    zone: str | None
    currency: str | None
    until: int


def read_text(cell: str, field: Field) -> str | None:
    """The text of a cell without the guards that spreadsheets put around it; None where it says nothing.

    An id that a spreadsheet has turned into a power of ten is odd: its digits are lost.
    """
    text = cell.strip().strip("\ufeff").strip()
    if text in field.missing:
        return None
    guarded = _GUARDED.fullmatch(text)
    if guarded:
        text = guarded[1].strip()
    elif text.startswith("'") and text[1:2].isalnum():
        text = text[1:]
    if _SCIENTIFIC.fullmatch(text):
        raise OddCellError
    return (without_zero_decimals(text) if field.drops_zero_decimals else text) or None


def without_zero_decimals(text: str) -> str:
    """An id that a table program has written as a number with decimals, as one without.

    >>> without_zero_decimals("9001.0"), without_zero_decimals("9001.5"), without_zero_decimals("v9001.0")
    ('9001', '9001.5', 'v9001.0')
    """
    whole, point, decimals = text.partition(".")
    return whole if point and decimals and not decimals.strip("0") and whole.isascii() and whole.isdigit() else text


def read_number(cell: str, field: Field, context: Context) -> Decimal | None:
    """The number of a cell in the declared spelling, exactly.

    >>> plain = Field("price", "number", ("price",), group=",", is_bare=False)
    >>> context = Context(None, "CNY", 0)
    >>> (
    ...     read_number("1,299.00", plain, context),
    ...     read_number("￥299", plain, context),
    ...     read_number("299元", plain, context),
    ... )
    (Decimal('1299.00'), Decimal('299'), Decimal('299'))
    """
    text = read_text(cell, field)
    if text is None:
        return None
    text = text.translate(_SPACES)
    if not field.is_bare:
        text = _without_currency(text, context.currency)
    return _decimal(text, field)


def _without_currency(text: str, currency: str | None) -> str:
    found = _MONEY.fullmatch(unicodedata.normalize("NFKC", text).casefold())
    if found is None:
        raise OddCellError
    for sign in (found["before"], found["after"]):
        if sign is not None and currency is not None and currency not in CURRENCY_SIGNS.get(sign, (sign.upper(),)):
            raise OddCellError
    return f"{found['minus']}{found['number']}"


def _decimal(text: str, field: Field) -> Decimal:
    whole, point, decimals = text.partition(field.decimal)
    if field.group is not None and field.group in whole:
        first, *groups = whole.lstrip("+-").split(field.group)
        if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
            raise OddCellError
        whole = whole.replace(field.group, "")
    if not re.fullmatch(r"[+-]?[0-9]+", whole, re.ASCII) or (point and not re.fullmatch(r"[0-9]+", decimals, re.ASCII)):
        raise OddCellError
    try:
        return Decimal(f"{whole}.{decimals}" if point else whole)
    except InvalidOperation:
        raise OddCellError from None


def read_integer(cell: str, field: Field) -> int | None:
    """A whole number; one with zeros as decimals counts as one."""
    text = read_text(cell, field)
    if text is None:
        return None
    found = _WHOLE.fullmatch(text.replace(field.group, "") if field.group else text)
    if found is None:
        raise OddCellError
    return int(found[1])


def read_duration(cell: str, field: Field) -> int | None:
    """Milliseconds of a cell in the first declared form that reads it; a clock without seconds is odd.

    >>> field = Field("took", "duration", ("took",), formats=("clock", "h"))
    >>> read_duration("26:05:00", field), read_duration("1.5", field)
    (93900000, 5400000)
    """
    text = read_text(cell, field)
    if text is None:
        return None
    for form in field.formats:
        found = _clock(text) if form == "clock" else _units(text, field, {"h": HOUR, "min": MINUTE, "s": SECOND}[form])
        if found is not None:
            return found
    raise OddCellError


def _clock(text: str) -> int | None:
    found = _CLOCK.fullmatch(text)
    return None if found is None else int(found[1]) * HOUR + int(found[2]) * MINUTE + int(found[3]) * SECOND


def _units(text: str, field: Field, unit: int) -> int | None:
    try:
        number = _decimal(text, field)
    except OddCellError:
        return None
    return int(number * unit) if number >= 0 else None


def read_instant(cell: str, field: Field, context: Context) -> Instant | None:
    """The instant of a cell, or its day's end; odd before EARLIEST and after `until`, as in other units of time."""
    text = read_text(cell, field)
    if text is None:
        return None
    zone = field.zone or context.zone
    for form in field.formats:
        found = _in_format(text, form, zone, field.type == "date")
        if found is not None:
            start = found.at - DAY + 1 if found.is_day else found.at
            if start > context.until:
                raise OddCellError(AHEAD if start <= context.until + _MOST_AHEAD else UNIT)
            if start < EARLIEST:
                raise OddCellError(UNIT)
            return found
    raise OddCellError


@lru_cache(maxsize=65_536)
def _in_format(text: str, form: str, zone: str | None, is_date: bool) -> Instant | None:
    try:
        if form in ("epoch_s", "epoch_ms"):
            return Instant(int(Decimal(text) * (SECOND if form == "epoch_s" else 1)))
        local = _local(text, form)
    except (ValueError, ArithmeticError):
        return None
    if isinstance(local, date) and not isinstance(local, datetime):
        return _end_of_day(local, zone)
    if is_date:
        return _end_of_day(local.date(), zone)
    return _at(local, zone)


def _local(text: str, form: str) -> datetime | date:
    """The time that a text says; a day alone where it says no more."""
    if form == "default":
        return date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else datetime.fromisoformat(text)
    return _strict(text, form)


def _strict(text: str, form: str) -> datetime | date:
    """The time by a pattern; a year of two digits is none of four."""
    if form.endswith(" %Z"):  # the name of a zone: UTC and GMT alone are the same everywhere
        plain, _, name = text.rpartition(" ")
        if name not in ("UTC", "GMT", "Z"):
            raise ValueError("another zone")
        return datetime.strptime(plain, form.removesuffix(" %Z")).replace(tzinfo=UTC)
    moment = datetime.strptime(text, form)
    return moment if any(sign in form for sign in ("%H", "%I", "%s")) else moment.date()


def _end_of_day(day: date, zone: str | None) -> Instant:
    if zone is None:
        raise OddCellError
    start_of_next = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return Instant(round(start_of_next.timestamp() * 1000) - 1, is_day=True)


def _at(local: datetime, zone: str | None) -> Instant:
    if local.tzinfo is None:
        if zone is None:
            raise OddCellError
        local = local.replace(tzinfo=ZoneInfo(zone))
    return Instant(_milliseconds(local))


def _milliseconds(moment: datetime) -> int:
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


def is_midnight(instant: Instant, field: Field, context: Context) -> bool:
    """Whether it is 00:00:00 of a day in the column's zone."""
    local = datetime.fromtimestamp(instant.at / 1000, ZoneInfo(field.zone or context.zone or "UTC"))
    return not instant.is_day and (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


def end_of_its_day(instant: Instant, field: Field, context: Context) -> Instant:
    """The last millisecond of an instant's day in the column's zone."""
    zone = field.zone or context.zone or "UTC"
    return _end_of_day(datetime.fromtimestamp(instant.at / 1000, ZoneInfo(zone)).date(), zone)


def reader_of(field: Field, context: Context) -> Callable[[str], object]:
    """The reader of a column's cells."""
    match field.type:
        case "number":
            return lambda cell: read_number(cell, field, context)
        case "integer":
            return lambda cell: read_integer(cell, field)
        case "duration":
            return lambda cell: read_duration(cell, field)
        case "datetime" | "date":
            return lambda cell: read_instant(cell, field, context)
    return lambda cell: read_text(cell, field)


def swapped(form: str) -> str | None:
    """A pattern with day and month in the other order; None for one in which they cannot be mistaken.

    >>> swapped("%d/%m/%Y %H:%M"), swapped("%d-%b-%y")
    ('%m/%d/%Y %H:%M', None)
    """
    if "%d" not in form or "%m" not in form or form.startswith("%Y"):
        return None
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
