"""The one JSON form of an alert, written and read: docs/alert.schema.json, whatever version of the code wrote it."""

import json
import re
from collections.abc import Container, Mapping
from itertools import islice

from service_quality.alerts.alert import ALERT_VERSION, UNKNOWN, Alert, AlertSubject
from service_quality.alerts.wording_messages import EVENT_VALUES
from service_quality.errors import UnreadableRowError
from service_quality.instants import DAY, LATEST_SECOND, SECOND, format_instant, parse_instant
from service_quality.message import LANGUAGES, NO_TEXT, Message
from service_quality.scoring.reasons import MOST_REASONS, Reason
from service_quality.tasks.declared_tasks import TASKS, scores_of

# Within these bounds a message stays far below the 256 KB of a topic, however its characters are escaped.
_LONGEST_NAME = 128
_LONGEST_ID = 1_024
_LONGEST_TEXT = 600
_MOST_EVIDENCE = 20
_LARGEST_NUMBER = 1e15  # beyond it neither JavaScript nor a mail shows the last digit
_LATEST_INSTANT = LATEST_SECOND * SECOND - DAY  # one that every zone can show

_SCORED_SUBJECTS = frozenset(task.unit for task in TASKS.values())

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_LAST_NUMBER = re.compile(r"-(\d{14}-\d{4,9})$", re.ASCII)


def encode_alert(alert: Alert) -> bytes:
    """The alert's JSON; equal alerts give equal bytes."""
    return json.dumps(alert_fields(alert), ensure_ascii=False, separators=(",", ":")).encode()


def decode_alert(data: bytes) -> Alert:
    """The alert in JSON; UnreadableRowError for a text that names no rule."""
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableRowError("malformed_json", found=type(error).__name__, expected="an alert in JSON") from None
    if not isinstance(stored, dict):
        raise UnreadableRowError("not_an_object", found=type(stored).__name__, expected="an object with an alert")
    return read_fields(stored)


def alert_fields(alert: Alert) -> dict[str, object]:
    """The fields of the JSON object, in the order of the schema."""
    return {
        "version": ALERT_VERSION,
        "alert_id": alert.alert_id,
        "message_id": alert.message_id,
        "sequence": alert.sequence,
        "kind": alert.kind,
        "rule_version": alert.rule_version,
        "title": alert.title._asdict(),
        "advice": alert.advice._asdict(),
        "audiences": list(alert.audiences),
        "state": alert.state,
        "severity": alert.severity,
        "shop_id": alert.shop_id,
        "subject": {"kind": alert.subject.kind, "id": alert.subject.id},
        "occurred_at": None if alert.occurred_at is None else format_instant(alert.occurred_at),
        "opened_at": None if alert.opened_at is None else format_instant(alert.opened_at),
        "time_zone": alert.time_zone,
        "currency": alert.currency,
        "repeats": alert.repeats,
        "event_id": alert.event_id,
        "evidence": dict(alert.evidence),
        "score": alert.score,
        "reasons": list(alert.reasons),
        "provisional": alert.provisional,
        "provisional_figures": list(alert.provisional_figures),
        "ended_by": alert.ended_by,
        "model_version": alert.model_version,
    }


def read_fields(stored: Mapping[str, object]) -> Alert:
    """The alert of the fields of a JSON object; UnreadableRowError for fields that name no rule.

    Fields that are missing are "unknown", None or empty, but a title or an advice that is missing is that of the
    shipped rule. Fields that today's code does not know are left out, since they may name a person. An alert about
    anything but a conversation carries no value of one, and no score or reasons unless a model scores such subjects,
    whatever its fields hold.
    """
    kind = clean_text(stored.get("kind"))
    if not kind:
        raise UnreadableRowError("missing_field", found="no text as kind", expected="the name of a rule")
    title, advice = _texts(stored, kind)
    subject = stored.get("subject")
    named: Mapping[str, object] = subject if isinstance(subject, dict) else {}
    subject_kind = clean_text(named.get("kind")) or UNKNOWN
    about_conversation = subject_kind == "conversation"
    left_out = () if about_conversation else _of_others(subject_kind)
    scored: Mapping[str, object] = stored if subject_kind in _SCORED_SUBJECTS else {}
    number = _LAST_NUMBER.search(clean_text(stored.get("message_id")))
    return Alert(
        alert_id=clean_text(stored.get("alert_id")) or UNKNOWN,
        number=number[1] if number else "",
        kind=kind,
        rule_version=_whole(stored.get("rule_version")),
        title=title,
        audiences=_audiences(stored),
        state=clean_text(stored.get("state")) or UNKNOWN,
        severity=clean_text(stored.get("severity")) or UNKNOWN,
        shop_id=clean_text(stored.get("shop_id")) or UNKNOWN,
        subject=AlertSubject(subject_kind, clean_text(named.get("id"), _LONGEST_ID) or UNKNOWN),
        occurred_at=_instant(stored.get("occurred_at")),
        opened_at=_instant(stored.get("opened_at")),
        repeats=_whole(stored.get("repeats")) or 0,
        event_id=clean_text(stored.get("event_id"), _LONGEST_ID) or UNKNOWN,
        evidence=_evidence(stored.get("evidence"), left_out=left_out),
        advice=advice,
        time_zone=clean_text(stored.get("time_zone")) or None,
        currency=clean_text(stored.get("currency")) or None,
        score=_share(scored.get("score")),
        reasons=tuple(_reasons(scored.get("reasons"), left_out=left_out)),
        provisional=stored.get("provisional") is True,
        provisional_figures=_names(stored.get("provisional_figures"), left_out=left_out),
        ended_by=clean_text(stored.get("ended_by")) or None,
        model_version=clean_text(scored.get("model_version")) or None,
    )


def _of_others(subject_kind: str) -> frozenset[str]:
    """The values that no alert about such a subject shows: those of conversations, and the scores of other subjects."""
    return frozenset(EVENT_VALUES.keys() - set(scores_of(subject_kind)))


def clean_text(value: object, longest: int = _LONGEST_NAME) -> str:
    """Text that any subscriber can show: without control characters or halves of characters, cut at a length."""
    if not isinstance(value, str):
        return ""
    return "".join(one if one.isprintable() else "?" for one in value[:longest])


def _texts(stored: Mapping[str, object], kind: str) -> tuple[Message, Message]:
    """Title and advice; where a release did not store them those of the shipped rule, or the rule's name."""
    title, advice = _text(stored.get("title")), _text(stored.get("advice"))
    if title is not None and all(title) and advice is not None:
        return title, advice
    from service_quality.alerts.shipped_rules import shipped_texts  # noqa: PLC0415  # for old rows alone

    shipped = shipped_texts(kind)
    return title if title is not None and all(title) else shipped[0], shipped[1] if advice is None else advice


def _text(value: object) -> Message | None:
    """A text in each language, empty where one of them is; None where nothing is stored."""
    if not isinstance(value, dict):
        return None
    said = Message(*(clean_text(value.get(language), _LONGEST_TEXT) for language in LANGUAGES))
    return said if all(said) else NO_TEXT


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


def _instant(value: object) -> int | None:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        instant = parse_instant(value)
    except ValueError:  # the 30th of February
        return None
    return instant if 0 <= instant <= _LATEST_INSTANT else None


def _evidence(value: object, *, left_out: Container[str]) -> dict[str, float | int | None]:
    found = value.items() if isinstance(value, dict) else ()
    named = ((clean_text(name), _number(one)) for name, one in found)
    return dict(islice(((name, one) for name, one in named if name and name not in left_out), _MOST_EVIDENCE))


def _names(value: object, *, left_out: Container[str]) -> tuple[str, ...]:
    """Names of figures, each once."""
    cleaned = map(clean_text, value if isinstance(value, list) else ())
    named = dict.fromkeys(name for name in cleaned if name and name not in left_out)
    return tuple(islice(named, _MOST_EVIDENCE + MOST_REASONS))


def _audiences(stored: Mapping[str, object]) -> tuple[str, ...]:
    """Who is called; a release before this one stored a single audience."""
    given = stored.get("audiences", [stored.get("audience")])
    return tuple(dict.fromkeys(filter(None, map(clean_text, given if isinstance(given, list) else ())))) or (UNKNOWN,)


def _reasons(value: object, *, left_out: Container[str]) -> list[Reason]:
    reasons: list[Reason] = []
    for one in value[:MOST_REASONS] if isinstance(value, list) else []:
        if not isinstance(one, dict):
            continue
        feature, contribution = clean_text(one.get("feature")), _number(one.get("contribution"))
        if feature and feature not in left_out and contribution is not None:
            reasons.append({"feature": feature, "value": _number(one.get("value")), "contribution": contribution})
    return reasons
