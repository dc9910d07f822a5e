"""What a mapping's schema forbids, in words."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from service_quality.policies.document_values import Problem, nearest, shown

SCHEMA_FILE = files("spark_jobs.sources") / "mapping.schema.json"


def schema_problems(document: object) -> list[Problem]:
    """Everything that the schema forbids of a mapping."""
    return [problem for error in _validator().iter_errors(document) for problem in _of_schema(error)]


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _of_schema(error: Any) -> Iterator[Problem]:  # a ValidationError, of JSON
    """An error of the schema in words; of alternatives the one that comes nearest."""
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path).lstrip(".")
    if error.validator == "anyOf":
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
        meant = nearest(error.instance, words) if isinstance(error.instance, str) else None
        yield Problem(path, shown(error.instance), f"one of {', '.join(map(repr, words))}", meant)
    elif error.validator in ("minProperties", "maxProperties") and "is" in error.schema.get("properties", {}):
        yield Problem(path, shown(error.instance), "a column and one of is, isNot, matches, matchesNot, sameAs, blank")
    else:
        yield Problem(path or "mapping", shown(error.instance), _expected(error))


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
