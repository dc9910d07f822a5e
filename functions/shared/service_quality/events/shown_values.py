"""What a message may say of a value that was written by somebody else: its type and size, never its words."""

from service_quality.events import kinds

_DECLARED = kinds.ALL | kinds.CONTROL | {"ms", "day"}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_JSON_TYPES = {dict: "object", list: "array", bool: "boolean", type(None): "null"}
_LONGEST_NAME = 40
_LONGEST_NUMBER = 6  # too short for a telephone


def shown(value: object) -> str:
    """A bad value as a refusal names it: a string only where it is a declared name, a number only where it is short.

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
    """A field's name as the caller who wrote it is told of it; a name that is not written like one is counted only.

    >>> shown_name("custmer_id"), shown_name("13812345678"), shown_name("wo ist es")
    ('custmer_id', 'a name of 11 characters', 'a name of 9 characters')
    """
    plain = len(name) <= _LONGEST_NAME and name[:1].isalpha() and _NAME.issuperset(name)
    return name if plain else f"a name of {len(name)} characters"
