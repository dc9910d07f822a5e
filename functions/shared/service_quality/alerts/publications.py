"""Publications of alerts: ids plain or hashed, in a shop's language, with attributes to filter by."""

from dataclasses import dataclass, replace

from service_quality.alerts.alert import UNKNOWN, Alert
from service_quality.alerts.alert_json import encode_alert
from service_quality.alerts.alert_state import public_id
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.alerts.wording import render_email


@dataclass(frozen=True, slots=True)
class Publication:
    """One message of an alert: `body` is JSON, `text` for mailboxes, `subject` below 100 characters.

    `attributes` are texts, `numbers` numbers and `lists` several texts by which subscribers filter.
    """

    alert_id: str
    body: str
    subject: str
    text: str
    attributes: dict[str, str]
    numbers: dict[str, float | int]
    lists: dict[str, tuple[str, ...]]


def publication_of(row: AlertRow, settings: ShopSettings, *, salt: bytes) -> Publication:
    """The publication of an alert row; equal rows give equal publications. UnreadableRowError for a row without one."""
    alert = as_published(read_alert(row), settings, salt)
    subject, text = render_email(alert, settings)
    numbers = {"sequence": alert.sequence, "score": alert.score}
    return Publication(
        alert_id=alert.alert_id,
        body=encode_alert(alert).decode(),
        subject=subject,
        text=text,
        attributes={
            "kind": alert.kind,
            "severity": alert.severity,
            "state": alert.state,
            "shop_id": alert.shop_id,
        },
        lists={"audience": alert.audiences},
        numbers={name: value for name, value in numbers.items() if value is not None},
    )


def as_published(alert: Alert, settings: ShopSettings, salt: bytes) -> Alert:
    """The alert with salted hashes for ids, which still distinguish subjects, or with plain ids.

    In either case an alert about anything but a conversation hides the id of the event that led to it. The alert's own
    id names nobody and stays as it is.
    """
    plain = settings.ids == "plain"
    if not (plain and alert.subject.kind == "conversation"):
        alert = replace(alert, event_id=_hash(alert.event_id, salt))
    return alert if plain else replace(alert, subject=alert.subject._replace(id=_hash(alert.subject.id, salt)))


def _hash(name: str, salt: bytes) -> str:
    """The salted hash of an id; "unknown" stays "unknown"."""
    return name if name == UNKNOWN else public_id(name, salt=salt)
