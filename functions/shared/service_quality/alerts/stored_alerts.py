"""Stored alert rows: today's body from any row that names a rule, whatever version of the code wrote it."""

import json
import re
from collections.abc import Container, Mapping
from itertools import islice
from typing import NamedTuple

from service_quality.alerts.alert_messages import BODY_VERSION, AlertBody, Texts, message_sequence, texts_of
from service_quality.alerts.message import LANGUAGES, Message
from service_quality.alerts.wording_messages import EVENT_VALUES
from service_quality.errors import UnreadableRowError
from service_quality.scoring.reasons import MOST_REASONS, Reason

UNKNOWN = "unknown"

# Within these bounds a message stays far below the 256 KB of a topic, however its characters are escaped.
_LONGEST_NAME = 128
_LONGEST_ID = 1_024
_LONGEST_TEXT = 600
_MOST_EVIDENCE = 20
_LARGEST_NUMBER = 1e15  # beyond it neither JavaScript nor a mail shows the last digit

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_MESSAGE_NUMBER = re.compile(r"(\d{14})-(\d{4,9})", re.ASCII)


class AlertRow(NamedTuple):
    """A row of the outbox that announces an alert: its key in the table, its shop and its bytes."""

    stream_key: str
    sequence: str
    shop_id: str
    body: bytes


def read_alert(row: AlertRow) -> AlertBody:
    """The alert in a row, in today's format; UnreadableRowError for a body that names no rule.

    The row's key identifies alert and message. Fields that the body lacks are "unknown", null or empty; fields that
    today's code does not know are left out, since they may name a person. An alert about anything
    but a conversation carries no score, no reasons and no value of a conversation, whatever its row holds.
    """
    stored = _parse(row.body)
    kind = _text(stored.get("kind"), _LONGEST_NAME)
    if not kind:
        raise UnreadableRowError("missing_field", found="no text as kind", expected="the name of a rule")
    title, advice = _texts(stored.get("title")), _texts(stored.get("advice"))
    subject = stored.get("subject")
    named: Mapping[str, object] = subject if isinstance(subject, dict) else {}
    subject_kind = _text(named.get("kind"), _LONGEST_NAME) or UNKNOWN
    about_conversation = subject_kind == "conversation"
    scored: Mapping[str, object] = stored if about_conversation else {}
    alert_id = _text(row.stream_key.rpartition("\x1f")[2], _LONGEST_NAME) or UNKNOWN
    return {
        "version": BODY_VERSION,
        "alert_id": alert_id,
        "message_id": f"{alert_id}-{_text(row.sequence, _LONGEST_NAME)}",
        "sequence": _sequence(row.sequence),
        "kind": kind,
        "rule_version": _whole(stored.get("rule_version")),
        "title": title or texts_of(_shipped(kind)[0]),
        "advice": advice or texts_of(_shipped(kind)[1]),
        "state": _text(stored.get("state"), _LONGEST_NAME) or UNKNOWN,
        "severity": _text(stored.get("severity"), _LONGEST_NAME) or UNKNOWN,
        "shop_id": _text(row.shop_id, _LONGEST_NAME) or UNKNOWN,
        "subject": {"kind": subject_kind, "id": _text(named.get("id"), _LONGEST_ID) or UNKNOWN},
        "occurred_at": _instant(stored.get("occurred_at")),
        "opened_at": _instant(stored.get("opened_at")),
        "time_zone": _text(stored.get("time_zone"), _LONGEST_NAME) or None,
        "currency": _text(stored.get("currency"), _LONGEST_NAME) or None,
        "repeats": _whole(stored.get("repeats")) or 0,
        "event_id": _text(stored.get("event_id"), _LONGEST_ID) or UNKNOWN,
        "evidence": _evidence(stored.get("evidence"), left_out=() if about_conversation else EVENT_VALUES),
        "score": _share(scored.get("score")),
        "reasons": _reasons(scored.get("reasons")),
        "provisional": stored.get("provisional") is True,
        "ended_by": _text(stored.get("ended_by"), _LONGEST_NAME) or None,
        "model_version": _text(scored.get("model_version"), _LONGEST_NAME) or None,
    }


def _parse(body: bytes) -> Mapping[str, object]:
    try:
        stored = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableRowError("malformed_json", found=type(error).__name__, expected="an alert in JSON") from None
    if not isinstance(stored, dict):
        raise UnreadableRowError("not_an_object", found=type(stored).__name__, expected="an object with an alert")
    return stored


def _text(value: object, longest: int) -> str:
    """Text that any subscriber can show: without control characters or halves of characters, cut at a length."""
    if not isinstance(value, str):
        return ""
    return "".join(one if one.isprintable() else "?" for one in value[:longest])


def _texts(value: object) -> Texts | None:
    """A text in every language; None where one is missing."""
    found = value if isinstance(value, dict) else {}
    said = Message(*(_text(found.get(language), _LONGEST_TEXT) for language in LANGUAGES))
    return texts_of(said) if all(said) else None


def _shipped(kind: str) -> tuple[Message, Message]:
    """Title and advice in a row of a release whose rows do not hold them."""
    from service_quality.alerts.shipped_rules import shipped_texts  # noqa: PLC0415  # for old rows alone

    return shipped_texts(kind)


def _number(value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _LARGEST_NUMBER else None  # None for NaN, too


def _whole(value: object) -> int | None:
    number = _number(value)
    return number if isinstance(number, int) and number >= 0 else None


def _share(value: object) -> float | None:
    number = _number(value)
    return float(number) if number is not None and 0 <= number <= 1 else None


def _instant(value: object) -> str | None:
    return value if isinstance(value, str) and _INSTANT.fullmatch(value) else None


def _sequence(message_number: str) -> int | None:
    found = _MESSAGE_NUMBER.fullmatch(message_number)
    return message_sequence(int(found[1]), int(found[2])) if found else None


def _evidence(value: object, *, left_out: Container[str]) -> dict[str, float | int | None]:
    found = value.items() if isinstance(value, dict) else ()
    named = ((_text(name, _LONGEST_NAME), _number(one)) for name, one in found)
    return dict(islice(((name, one) for name, one in named if name and name not in left_out), _MOST_EVIDENCE))


def _reasons(value: object) -> list[Reason]:
    reasons: list[Reason] = []
    for one in value[:MOST_REASONS] if isinstance(value, list) else []:
        if not isinstance(one, dict):
            continue
        feature, contribution = _text(one.get("feature"), _LONGEST_NAME), _number(one.get("contribution"))
        if feature and contribution is not None:
            reasons.append({"feature": feature, "value": _number(one.get("value")), "contribution": contribution})
    return reasons
