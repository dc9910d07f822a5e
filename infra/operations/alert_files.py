"""Alerts of a file with one message a line, as a demo writes it, checked against docs/alert.schema.json."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from cli.arguments import shown
from cli.paths import ROOT
from infra.operations.errors import ArgumentsError, NotThereError
from service_quality.alerts.alert_messages import AlertBody, texts_of
from service_quality.alerts.shipped_rules import shipped_texts
from service_quality.instants import parse_instant

SCHEMA = ROOT / "docs" / "alert.schema.json"
_LARGEST_WHOLE = 2**53  # beyond it a reader of JSON sees another number
_INSTANTS = ("occurred_at", "opened_at")


def read_alert_file(path: Path) -> list[AlertBody]:
    """The alerts of a file; NotThereError without one, ArgumentsError with line and field for another form."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise NotThereError(f"found nothing at {path}, expected a file there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentsError(f"{path}: found {type(error).__name__}, expected a file of text in UTF-8") from None
    schema = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    return [_alert(f"{path}: line {number}", line, schema) for number, line in enumerate(lines, 1) if line.strip()]


def _alert(where: str, line: str, schema: Draft202012Validator) -> AlertBody:
    try:
        found = json.loads(line, parse_float=_finite, parse_int=_whole, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ArgumentsError(f"{where}: found no JSON with numbers in range, expected an alert in JSON") from None
    for trouble in _troubles(found, schema):
        raise ArgumentsError(f"{where}: {trouble}, as docs/alert.schema.json says")
    title, advice = map(texts_of, shipped_texts(found["kind"]))
    of_any_release = {"title": title, "advice": advice, "ended_by": None, **found}
    return cast("AlertBody", of_any_release)


def _troubles(alert: Any, schema: Draft202012Validator) -> Iterator[str]:
    errors = sorted(schema.iter_errors(alert), key=relevance, reverse=True)  # the one nearest to the root first
    yield from map(_said, errors)
    for name in () if errors else _INSTANTS:
        try:
            if alert[name] is not None:
                parse_instant(alert[name])
        except (ValueError, OverflowError):
            yield f"{name}: found {shown(alert[name])}, expected an instant"


def _said(error: ValidationError) -> str:
    """One rule that an alert breaks, by the field's path."""
    field = ".".join(map(str, error.absolute_path))
    where = f"{field}: " if field else ""
    rule, value, found = str(error.validator), cast("Any", error.validator_value), cast("Any", error.instance)
    if rule == "required":
        missing = [name for name in value if name not in found]
        return f"{where}found no {', '.join(missing)}, expected each"
    if rule == "type":
        wanted = value if isinstance(value, str) else " or ".join(value)
        return f"{where}found {type(found).__name__}, expected {wanted}"
    return f"{where}found {shown(json.dumps(found))}, expected {rule} {value}"


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) <= _LARGEST_WHOLE else _refuse(text)


def _whole(text: str) -> int:
    return int(text) if abs(float(text)) <= _LARGEST_WHOLE else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{len(text)} characters of a number out of range")
