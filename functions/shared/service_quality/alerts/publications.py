"""Publications of alerts: ids plain or hashed, in a shop's language, with attributes to filter by."""

import hashlib
import hmac
import json
from dataclasses import dataclass

from service_quality.alerts.alert_messages import AlertBody
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import UNKNOWN, AlertRow, read_alert
from service_quality.alerts.wording import render_email

_HASH_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Publication:
    """One message of an alert: `body` is JSON, `text` for mailboxes, `subject` ASCII below 100 characters.

    `attributes` are texts and `numbers` numbers by which subscribers filter.
    """

    alert_id: str
    body: str
    subject: str
    text: str
    attributes: dict[str, str]
    numbers: dict[str, float | int]


def publication_of(row: AlertRow, settings: ShopSettings, *, salt: bytes) -> Publication:
    """The publication of an alert row; equal rows give equal publications. UnreadableRowError for a row without one."""
    alert = _with_shown_ids(read_alert(row), settings, salt)
    subject, text = render_email(alert, settings)
    attributes = {"kind": alert["kind"], "severity": alert["severity"], "state": alert["state"]}
    numbers = {"sequence": alert["sequence"], "score": alert["score"]}
    return Publication(
        alert_id=alert["alert_id"],
        body=json.dumps(alert, ensure_ascii=False, separators=(",", ":")),
        subject=subject,
        text=text,
        attributes={**attributes, "shop_id": alert["shop_id"]},
        numbers={name: value for name, value in numbers.items() if value is not None},
    )


def _with_shown_ids(alert: AlertBody, settings: ShopSettings, salt: bytes) -> AlertBody:
    """The alert with salted hashes for ids, which still distinguish subjects, or with plain ids.

    In either case an alert about anything but a conversation hides the id of the event that led to it.
    """
    plain = settings.ids == "plain"
    if not (plain and alert["subject"]["kind"] == "conversation"):
        alert = {**alert, "event_id": _hash(alert["event_id"], salt)}
    if plain:
        return alert
    alert_id = _hash(alert["alert_id"], salt)
    return {
        **alert,
        "alert_id": alert_id,
        "message_id": alert_id + alert["message_id"].removeprefix(alert["alert_id"]),
        "subject": {**alert["subject"], "id": _hash(alert["subject"]["id"], salt)},
    }


def _hash(name: str, salt: bytes) -> str:
    """The salted hash of an id; "unknown" stays "unknown"."""
    return name if name == UNKNOWN else hmac.new(salt, name.encode(), hashlib.sha256).hexdigest()[:_HASH_LENGTH]
