"""What a mapping's schema forbids, in words."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from service_quality.policies.document_values import Problem, nearest, shown

#: The type of a column whose own one is forbidden: nothing is wrong with what reads it.
UNKNOWN = "unknown"
SCHEMA_FILE = files("spark_jobs.sources") / "mapping.schema.json"


def schema_problems(document: object) -> list[Problem]:
    """Everything that the schema forbids of a mapping."""
    return [problem for error in _validator().iter_errors(document) for problem in _of_schema(error)]


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))


class Rest(NamedTuple):
    """A mapping without what its schema forbids, and the places of what stands in for that."""

    document: dict[str, Any]  # JSON
    places: frozenset[str]

    def stands_in(self, path: str) -> bool:
        """Whether a place is one of a stand-in, or within or around one."""
        inner = f"{path}."
        return any(inner.startswith((f"{place}.", f"{place}[")) or place.startswith(inner) for place in self.places)


def without_forbidden(document: object) -> Rest | None:
    """A mapping whose forbidden parts are replaced, in their places, by some that its schema allows.

    A column of a forbidden type has the type UNKNOWN. None where no other part could be judged by what is left.
    """
    if not isinstance(document, dict):
        return None
    rest: dict[str, Any] = {"name": "unnamed", "title": {"en": "-", "zh": "-"}, **deepcopy(document)}
    columns: list[dict[str, Any]] = []
    places = set()
    for error in _validator().iter_errors(rest):
        keys = list(error.absolute_path)
        if error.validator == "additionalProperties":
            place = _within(rest, keys)
            for key in [key for key in place if key not in error.schema.get("properties", ())]:
                del place[key]
            continue
        at = next((depth for depth, key in enumerate(keys) if key in _STAND_INS and depth + 1 < len(keys)), None)
        if at is None:
            above, key = _within(rest, keys[:-1]), keys[-1] if keys else None
            if isinstance(above, dict) and key in above:
                del above[key]
            continue
        parts, number = _within(rest, keys[: at + 1]), keys[at + 1]
        places.add(_path(keys[: at + 2]))
        stand_in = deepcopy(_STAND_INS[keys[at]])
        if keys[at] == "fields" and isinstance(parts, list):
            stand_in["name"] = parts[number].get("name") if isinstance(parts[number], dict) else None
            columns.append(stand_in)
        parts[number] = stand_in
    if not _validator().is_valid(rest):
        return None
    for column in columns:
        column["type"] = UNKNOWN
    return Rest(rest, frozenset(places))


#: What stands in for a forbidden part of these lists; a column keeps its name.
_STAND_INS: Mapping[object, dict[str, Any]] = {
    "fields": {"name": None, "type": "string"},
    "events": {"kind": "-", "id": "-", "at": "-", "fields": {}},
    "leaveOut": {"when": [{"column": "-", "blank": True}], "why": "nothing"},
}


def _within(document: Any, keys: Sequence[Any]) -> Any:  # of JSON
    for key in keys:
        document = document[key]
    return document


def _path(keys: Iterable[object]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _of_schema(error: Any) -> Iterator[Problem]:  # a ValidationError, of JSON
    """An error of the schema in words; of alternatives the one that comes nearest."""
    path = _path(error.absolute_path)
    if error.validator == "anyOf" and (words := _words_in(error)):
        yield Problem(
            path, shown(error.instance), f"one of {', '.join(map(repr, words))}", _meant(error.instance, words)
        )
    elif error.validator == "anyOf":
        likely = [one for one in error.context or () if one.validator != "type" or len(one.absolute_path) > 0]
        nested = [one for one in likely if one.validator == "additionalProperties"]
        yield Problem(path, shown(error.instance), _forms(error, nested))
    elif error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield Problem(path or "mapping", f"no {', '.join(missing)}", f"{', '.join(error.validator_value)}")
    elif error.validator == "additionalProperties":
        known = tuple(error.schema.get("properties", ()))
        for key in (key for key in error.instance if key not in known):
            where = f"{path}.{key}" if path else key
            yield Problem(where, "an unknown key", f"one of {', '.join(known)}", nearest(key, known))
    elif error.validator == "enum":
        words = tuple(map(str, error.validator_value))
        yield Problem(
            path, shown(error.instance), f"one of {', '.join(map(repr, words))}", _meant(error.instance, words)
        )
    elif error.validator in ("minProperties", "maxProperties") and "is" in error.schema.get("properties", {}):
        yield Problem(path, shown(error.instance), "a column and one of is, isNot, matches, matchesNot, sameAs, blank")
    else:
        yield Problem(path or "mapping", shown(error.instance), _expected(error))


def _words_in(error: Any) -> tuple[str, ...]:
    """The words that one of the alternatives allows, where the value is a word."""
    words = [one.validator_value for one in error.context or () if one.validator == "enum"]
    return tuple(words[0]) if words and isinstance(error.instance, str) else ()


def _meant(value: object, words: tuple[str, ...]) -> str | None:
    return nearest(value, words) if isinstance(value, str) else None


def _forms(error: Any, nested: list[Any]) -> str:
    known = sorted({name for one in nested for name in one.schema.get("properties", ())})
    described = error.schema.get("description")
    return f"a column or an object of {', '.join(known)}" if known else described or "a column, or a list of columns"


def _expected(error: Any) -> str:
    """What the schema expects, in words."""
    value = error.validator_value
    described = {
        "type": f"a JSON {value}",
        "pattern": f"a text like {value}",
        "format": f"a {value}",
        "minimum": f"at least {value}",
        "maximum": f"at most {value}",
        "minItems": f"at least {value} entries",
        "maxItems": f"at most {value} entries",
        "minLength": "a text that is not empty",
        "maxLength": f"at most {value} characters",
        "minProperties": f"at least {value} keys",
        "maxProperties": f"at most {value} keys",
        "const": json.dumps(value),
    }
    return described.get(str(error.validator), str(value))
