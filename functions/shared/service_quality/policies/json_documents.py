"""Documents of settings: a JSON object of at most 64 KB in which no key is repeated."""

import json
from collections.abc import Callable, Mapping

from service_quality.policies.document_values import JsonObject, shown

MAX_DOCUMENT_BYTES = 64 * 1024


def read_json_object(document: bytes, add_problem: Callable[[str, str, str], None]) -> JsonObject | None:
    """The JSON object of a document; None, and a problem (path, found, expected), for any other text."""
    if len(document) > MAX_DOCUMENT_BYTES:
        add_problem("document", f"{len(document):,} bytes", f"at most {MAX_DOCUMENT_BYTES:,}")
        return None
    try:
        value: object = json.loads(document, object_pairs_hook=_each_once)
    except KeyError as repeated:
        add_problem("document", f"the key {shown(repeated.args[0])} twice in one object", "each key once")
        return None
    except (ValueError, RecursionError):
        add_problem("document", "a text that is not JSON, or nested too deeply", "a JSON object in UTF-8")
        return None
    if not isinstance(value, dict):
        add_problem("document", shown(value), "a JSON object")
        return None
    return value


def _each_once(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise KeyError(key)
        fields[key] = value
    return fields
