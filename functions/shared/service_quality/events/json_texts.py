"""JSON texts of others. What names a field twice is no JSON here: readers differ in which of the two they take."""

import json


class RepeatedFieldError(ValueError):
    """An object names a field twice (RFC 8259, section 4: the behaviour of whoever reads it is unpredictable)."""


def read_json(text: bytes | str) -> object:
    """The JSON value of a text; ValueError where it is none, RecursionError where it is nested too deep.

    >>> read_json('{"events": [1], "events": []}')
    Traceback (most recent call last):
    service_quality.events.json_texts.RepeatedFieldError
    """
    value: object = json.loads(text, object_pairs_hook=_each_once)
    return value


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise RepeatedFieldError
    return fields
