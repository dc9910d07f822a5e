"""Optional fields of an event: a value of another type or out of bounds is left out, and its field named."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from service_quality.events.declared_fields import (
    FLAG,
    IDENTIFIER,
    INSTANT,
    INTEGER,
    TEXT,
    TEXT_LENGTH,
    EventField,
)
from service_quality.events.fields import instant_in
from service_quality.events.identifiers import fold_case, names_nobody, one_spelling
from service_quality.events.interaction_event import DECLARED, INPUT_FIELDS, OPTIONAL_FIELDS
from service_quality.events.ratings import read_rating

_SURROGATES = re.compile("[\ud800-\udfff]")


class OddValueError(ValueError):
    """A value that its field cannot hold; it says nothing of the value."""


class OptionalValues(NamedTuple):
    """The usable values of an event's optional fields by name, and the fields whose values were not usable."""

    values: dict[str, str | int | None]
    odd: tuple[str, ...]


def read_optional_values(raw: Mapping[str, object]) -> OptionalValues:
    """The optional fields of a record; a field that is null or blank is absent."""
    values: dict[str, str | int | None] = {}
    odd: list[str] = []
    for name, value in raw.items():
        read = _READERS.get(name)
        if read is None or value is None:
            continue
        try:
            values[name] = read(value)
        except OddValueError:
            odd.append(name)
    if raw.get("rating") is not None:
        values["rating"], values["rating_given"] = read_rating(raw["rating"])
        if values["rating"] is None:
            odd.append("rating")
    return OptionalValues(values, tuple(odd))


def read_identifier(field: str, value: object) -> str | None:
    """The value of an event's identifier; None for a blank one and for a name of nobody, OddValueError for an odd one.

    >>> read_identifier("agent_id", " Cy"), read_identifier("agent_id", "N/A"), read_identifier("sku", "aB 3 ")
    ('cy', None, 'aB 3')
    """
    return _identifier(DECLARED[field], value)


def _identifier(declared: EventField, value: object) -> str | None:
    if not isinstance(value, str):
        raise OddValueError
    return _read_name(value, declared.names_person, declared.folds_case)


@lru_cache(maxsize=2_048)
def _read_name(value: str, names_person: bool, folds_case: bool) -> str | None:
    """A name as `read_identifier` gives it; most names of a shop come again and again."""
    spelt = one_spelling(value)
    if spelt is None:
        raise OddValueError
    if not spelt or (names_person and names_nobody(spelt)):
        return None
    folded = fold_case(spelt) if folds_case else spelt
    if folded is None:
        raise OddValueError
    return folded


def cut_text(text: str, *, longest: int = TEXT_LENGTH) -> str:
    """The first characters of a text; what is no character is replaced by U+FFFD.

    >>> cut_text("where is it?", longest=5), cut_text("a\\ud800b")
    ('where', 'a�b')
    """
    return _SURROGATES.sub("\ufffd", text[:longest])


def _text(declared: EventField, value: object) -> str:
    if not isinstance(value, str):
        raise OddValueError
    return cut_text(value, longest=declared.highest)


def _integer(declared: EventField, value: object) -> int:
    """A whole number within bounds; a float without a fraction counts as one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not declared.lowest <= value <= declared.highest:
        raise OddValueError
    return value


def _flag(declared: EventField, value: object) -> int:
    """1 for true and 0 for false, which may stand for them."""
    if not isinstance(value, int | float) or value not in (0, 1):
        raise OddValueError
    return int(value)


def _instant(declared: EventField, value: object) -> int:
    instant = instant_in(value) if isinstance(value, str) else None
    if instant is None:
        raise OddValueError
    return instant


_BY_FORM: dict[str, Callable[[EventField, object], str | int | None]] = {
    IDENTIFIER: _identifier,
    TEXT: _text,
    INTEGER: _integer,
    INSTANT: _instant,
    FLAG: _flag,
}
_READERS = {
    name: partial(_BY_FORM[DECLARED[name].form], DECLARED[name])
    for name in INPUT_FIELDS
    if name in OPTIONAL_FIELDS and name != "rating"
}
