"""The form of an event field's declaration: its type and bound, the kinds that carry it, and its meaning in words."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.events.identifiers import ID_LENGTH

IDENTIFIER, TEXT, INTEGER, INSTANT, WORD, FLAG = "identifier", "text", "integer", "instant", "word", "flag"
#: Whom a field describes: the contact that names entities by it, or the agent of its event.
CONTACT, AGENT = "contact", "agent"

EARLIEST = 946_684_800_000  # 2000-01-01: anything before is a broken clock, not an event
TEXT_LENGTH = 8_000
_KEY = "event_field"


class EventField(NamedTuple):
    """One field of an interaction event.

    `kinds` are those on which it means something; on any other kind it is archived and changes nothing. `lowest` and
    `highest` bound an integer, or the length of a text or an identifier in characters. `words` are all values of a
    WORD; a FLAG is true or false, inside 1 or 0. `example` is a value as a source sends it. A `derived` field is found
    out by us; input that claims it is not read. `names_person` says of an identifier that it may name nobody (`N/A`),
    `folds_case` that it is in lower case.
    """

    form: str
    says: str
    kinds: frozenset[str]
    example: str | int
    lowest: int = 0
    highest: int = 0
    words: tuple[str, ...] = ()
    describes: str = ""
    derived: bool = False
    names_person: bool = False
    folds_case: bool = False


def an_id(says: str, kinds: frozenset[str], example: str, *, describes: str = "") -> dict[str, EventField]:
    """The metadata of a field that holds an identifier or a short name."""
    return _declared(EventField(IDENTIFIER, says, kinds, example, 1, ID_LENGTH, describes=describes))


def a_customer(says: str, kinds: frozenset[str], example: str, *, describes: str = "") -> dict[str, EventField]:
    """The metadata of a field that holds the id of a customer."""
    field = EventField(IDENTIFIER, says, kinds, example, 1, ID_LENGTH, describes=describes, names_person=True)
    return _declared(field)


def an_employee(says: str, kinds: frozenset[str], example: str, *, describes: str = "") -> dict[str, EventField]:
    """The metadata of a field that holds the id or name of one of the staff, whatever its case."""
    field = EventField(
        IDENTIFIER, says, kinds, example, 1, ID_LENGTH, describes=describes, names_person=True, folds_case=True
    )
    return _declared(field)


def a_text(says: str, kinds: frozenset[str], example: str) -> dict[str, EventField]:
    """The metadata of a field that holds what somebody wrote."""
    return _declared(EventField(TEXT, says, kinds, example, 0, TEXT_LENGTH))


def an_integer(says: str, kinds: frozenset[str], example: int, *, lowest: int, highest: int) -> dict[str, EventField]:
    """The metadata of a field that holds a whole number."""
    return _declared(EventField(INTEGER, says, kinds, example, lowest, highest))


def a_flag(says: str, kinds: frozenset[str]) -> dict[str, EventField]:
    """The metadata of a field that is true or false."""
    return _declared(EventField(FLAG, says, kinds, example=True))


def an_instant(says: str, kinds: frozenset[str], example: str) -> dict[str, EventField]:
    """The metadata of a field that holds an instant."""
    return _declared(EventField(INSTANT, says, kinds, example, EARLIEST))


def a_word(says: str, kinds: frozenset[str], words: tuple[str, ...]) -> dict[str, EventField]:
    """The metadata of a field that holds one of a few words; the first is what its absence means."""
    return _declared(EventField(WORD, says, kinds, words[0], words=words))


def derived(metadata: Mapping[str, EventField]) -> dict[str, EventField]:
    """The metadata of a field that is found out by us."""
    return _declared(declaration_in(metadata)._replace(derived=True))


def _declared(field: EventField) -> dict[str, EventField]:
    return {_KEY: field}


def declaration_in(metadata: Mapping[str, EventField]) -> EventField:
    """The declaration in the metadata of a field."""
    return metadata[_KEY]
