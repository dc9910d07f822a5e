"""JSON texts from outside. A text that names a field twice is rejected: readers differ in which one they take."""

import json


class RepeatedFieldError(ValueError):
    """An object names a field twice (RFC 8259, section 4: the behaviour of readers is unpredictable)."""


def read_json(text: bytes | str) -> object:
    """The JSON value of a text; ValueError for a text that is not JSON, RecursionError for a too deeply nested one.

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
