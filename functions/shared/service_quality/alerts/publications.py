"""How an alert leaves: whose ids are shown, in which language, with which attributes."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from service_quality.alerts.wording import render_email
from service_quality.alerts.words import LANGUAGES

_HASH_LENGTH = 24
_ATTRIBUTES = ("kind", "severity", "state", "shop_id")


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How a shop wants to be told. `ids` is "hashed", or "plain" where it may show who is meant."""

    language: str = "en"
    ids: str = "hashed"
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One message of an alert: `body` is JSON, `text` for mailboxes, `subject` ASCII of at most 100 characters."""

    alert_id: str
    body: str
    subject: str
    text: str
    attributes: dict[str, str]
    score: float | None


def shop_settings(stored: Mapping[str, str | None]) -> ShopSettings:
    """Settings as stored; what is missing or unknown is the default, so ids stay hashed unless "plain" is said."""
    language = stored.get("language") or ""
    return ShopSettings(
        language=language if language in LANGUAGES else ShopSettings().language,
        ids="plain" if stored.get("ids") == "plain" else "hashed",
        display_name=stored.get("display_name"),
    )


def publication_of(body: bytes, settings: ShopSettings, *, salt: bytes) -> Publication:
    """The publication of an alert row's body; equal rows give equal publications."""
    alert = json.loads(body)
    if settings.ids == "hashed":
        alert = hash_ids(alert, salt)
    subject, text = render_email(alert, settings.language, shop_name=settings.display_name)
    return Publication(
        alert_id=alert["alert_id"],
        body=json.dumps(alert, ensure_ascii=False, separators=(",", ":")),
        subject=subject,
        text=text,
        attributes={name: alert[name] for name in _ATTRIBUTES},
        score=alert["score"],
    )


def hash_ids(alert: dict[str, object], salt: bytes) -> dict[str, object]:
    """The alert with salted hashes for ids: stable, so they still tell one subject from another."""
    alert_id, subject = str(alert["alert_id"]), alert["subject"]
    assert isinstance(subject, dict)
    hashed = _hash(alert_id, salt)
    return {
        **alert,
        "alert_id": hashed,
        "message_id": hashed + str(alert["message_id"]).removeprefix(alert_id),
        "event_id": _hash(str(alert["event_id"]), salt),
        "subject": {**subject, "id": _hash(str(subject["id"]), salt)},
    }


def _hash(name: str, salt: bytes) -> str:
    return hmac.new(salt, name.encode(), hashlib.sha256).hexdigest()[:_HASH_LENGTH]
