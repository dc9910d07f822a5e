"""The values of an event's fields, as a mapping says where in a row they come from."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from service_quality.alerts.shop_settings import DIGITS
from service_quality.errors import RejectedEventError
from service_quality.events.declared_fields import IDENTIFIER, INSTANT
from service_quality.events.identifiers import one_spelling
from service_quality.events.interaction_event import DECLARED
from service_quality.instants import format_instant
from spark_jobs.sources.cells import Context, Instant, OddCellError
from spark_jobs.sources.mapping import ROW
from spark_jobs.sources.row_cells import RowCells, within

MISSING_VALUE = "missing_value"
#: The reason of the inlet for an id that no event can carry.
UNUSABLE = "out_of_range"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DIGEST = 24  # hexadecimal digits: two rows of a million million share it once in 10⁵


class Given(NamedTuple):
    """What the caller gives: the shop, the values that no column holds, and the context of the cells."""

    shop_id: str
    values: Mapping[str, str]
    context: Context


def field_of(row: RowCells, name: str, value: object, given: Given) -> object:
    """The value of an event's field, by what the mapping says of it."""
    if name == "amount_minor":
        return _amount(row, value)
    if name == "quantity":
        return _pieces(_found(row, value, given))
    found = _found(row, value, given, keeps_words=name == "rating")
    if isinstance(found, Decimal):
        return int(found) if found == found.to_integral_value() else str(found)
    if isinstance(found, Instant):
        return format_instant(found.at) if DECLARED[name].form == INSTANT else found.at
    return str(found) if isinstance(found, int) and DECLARED[name].form == IDENTIFIER else found


def _found(row: RowCells, value: object, given: Given, *, keeps_words: bool = False) -> object:
    """What a declared value says of a row; with `keeps_words` a word that is in no table is the value itself."""
    match value:
        case str():
            return row.value(value)
        case {"first": values}:
            found = (_found(row, one, given) for one in values)
            return next((one for one in found if one is not None), None)
        case {"template": template}:
            return filled(row, template)
        case {"columns": columns, "join": join}:
            parts = [text_of(row.value(column)) for column in columns]
            return join.join(part for part in parts if part is not None) or None
        case {"constant": constant}:
            return constant
        case {"given": name}:
            return given.values.get(name)
    assert isinstance(value, dict)
    return _in_cell(row, value, keeps_words=keeps_words)


def _amount(row: RowCells, value: object) -> int | None:
    """An amount in minor units of the currency, rounded half up; odd without whole numbers of them or below 0."""
    columns = value["product"] if isinstance(value, dict) and "product" in value else columns_in(value)
    numbers = [row.value(column) for column in columns]
    if any(not isinstance(number, Decimal | int) for number in numbers):
        return None
    product = Decimal(1)
    for number in numbers:
        product *= Decimal(number)  # type: ignore[arg-type]  # as tested above
    minor = (product * 10 ** DIGITS.get(row.context.currency or "", 2)).quantize(Decimal(1), ROUND_HALF_UP)
    return abs(int(minor)) if len(columns) > 1 else _not_negative(int(minor))


def _pieces(number: object) -> int | None:
    """How many pieces a number says, whatever its sign: what comes back is often written with a minus."""
    if isinstance(number, str):
        raise OddCellError
    if not isinstance(number, Decimal | int):
        return None
    if number != int(number):
        raise OddCellError
    return abs(int(number))


def _in_cell(row: RowCells, value: Mapping[str, Any], *, keeps_words: bool) -> object:  # JSON
    """What a declared value says that reads one cell in its own way."""
    match value:
        case {"column": column, "values": values}:
            return _meaning(row.word(column), values, row.cells[column].strip() if keeps_words else None)
        case {"column": column, "pattern": pattern}:
            found = re.fullmatch(pattern, row.cells[column].strip())
            return found[1] if found else None
        case {"column": column, "json": path}:
            text = row.value(column)
            return None if text is None else within(str(text), path)
    return row.value(value["column"])


def _not_negative(amount: int) -> int:
    if amount < 0:
        raise OddCellError
    return amount


def filled(row: RowCells, template: str) -> str:
    """A text with the values of columns in it; RejectedEventError where one of them says nothing."""
    parts: list[str] = []
    for name in _PLACEHOLDER.findall(template):
        part = digest_of(row.cells) if name == ROW else text_of(row.value(name))
        spelt = one_spelling(part or "")
        if not spelt:
            reason = MISSING_VALUE if spelt == "" else UNUSABLE
            raise RejectedEventError(reason, field=name, found="no usable value", expected="a part of an id")
        parts.append(spelt)
    values = iter(parts)
    return _PLACEHOLDER.sub(lambda _: next(values), template)


def _meaning(word: str, values: Mapping[str, object], kept: str | None) -> object:
    """What a word means by a table of words; None for a blank one, `kept` or OddCellError for one that is not in it."""
    if word == "":
        return None
    table = {key.casefold(): meaning for key, meaning in values.items()}
    if word in table:
        return table[word]
    if kept is None:
        raise OddCellError
    return kept


def text_of(value: object) -> str | None:
    """A value as part of an id: an instant by its milliseconds."""
    if value is None:
        return None
    return str(value.at) if isinstance(value, Instant) else str(value)


def columns_in(value: object) -> tuple[str, ...]:
    """The columns that a declared value reads."""
    match value:
        case str():
            return (value,)
        case {"column": column}:
            return (column,)
        case {"columns": columns} | {"product": columns}:
            return tuple(columns)
        case {"after": after, "add": add}:
            return (after, add)
        case {"dayOf": column}:
            return (column,)
        case {"first": values}:
            return tuple(column for one in values for column in columns_in(one))
        case {"template": template}:
            return tuple(name for name in _PLACEHOLDER.findall(template) if name != ROW)
    return ()


def digest_of(cells: Mapping[str, str]) -> str:
    """A digest of a row's cells, the same in every export of the row."""
    parts = "\x1f".join(f"{name}\x1e{cells[name].strip()}" for name in sorted(cells))
    return sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
