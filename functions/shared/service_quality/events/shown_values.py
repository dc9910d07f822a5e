"""The text that a message may hold about a value from outside: its type and size, never its content."""

from service_quality.events import kinds

_DECLARED = kinds.ALL | kinds.CONTROL | {"ms", "day"}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_JSON_TYPES = {dict: "object", list: "array", bool: "boolean", type(None): "null"}
_LONGEST_NAME = 40
_LONGEST_NUMBER = 6  # too short for a telephone


def shown(value: object) -> str:
    """A bad value as a rejection shows it: a string only if it is a declared name, a number only if it is short.

    >>> shown("rated"), shown("anna_meier"), shown(4.5), shown(13812345678), shown([1])
    ('rated', 'a string of 10 characters', 'the number 4.5', 'a number of more than 5 digits', 'a JSON array')
    """
    if isinstance(value, str):
        return value if value in _DECLARED else f"a string of {len(value)} characters"
    if isinstance(value, int | float) and not isinstance(value, bool):
        short = isinstance(value, float) or abs(value) < 10**5
        digits = str(value) if short else ""
        return f"the number {digits}" if 0 < len(digits) <= _LONGEST_NUMBER else "a number of more than 5 digits"
    return f"a JSON {_JSON_TYPES.get(type(value), 'value')}"


def shown_name(name: str) -> str:
    """A field's name as the caller's answer shows it; of a name that is not written like one, its length.

    >>> shown_name("custmer_id"), shown_name("13812345678"), shown_name("wo ist es")
    ('custmer_id', 'a name of 11 characters', 'a name of 9 characters')
    """
    plain = len(name) <= _LONGEST_NAME and name[:1].isalpha() and _NAME.issuperset(name)
    return name if plain else f"a name of {len(name)} characters"
