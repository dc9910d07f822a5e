"""Alert rows with any body, and what a topic requires of the messages that they become."""

import json

from service_quality.adapters.alert_topic import AlertTopic
from service_quality.alerts.publications import Publication, publication_of
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import AlertRow
from tests.stand_ins.aws_services import SNS

ALERT_ID = "0916fcf48cfe840d369013c8"
MOST_BYTES = 262_144

BODY = {
    "version": 5,
    "alert_id": ALERT_ID,
    "message_id": f"{ALERT_ID}-01795165140000-0001",
    "kind": "high_risk",
    "rule_version": 1,
    "title": {"en": "Conversation is likely to end dissatisfied", "zh": "会话很可能以顾客不满意告终"},
    "advice": {"en": "Read the conversation.", "zh": "请查看会话。"},
    "audiences": ["operations"],
    "state": "opened",
    "severity": "critical",
    "shop_id": "shop-1",
    "subject": {"kind": "conversation", "id": "contact-1"},
    "occurred_at": "2026-11-20T08:59:00.000Z",
    "opened_at": "2026-11-20T08:59:00.000Z",
    "repeats": 0,
    "event_id": "contact-1-answered",
    "evidence": {"score": 0.73},
    "score": 0.73106,
    "reasons": [{"feature": "answered", "value": 1, "contribution": 1.5}],
    "model_version": "v1",
}


def row(body: object) -> AlertRow:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AlertRow(f"shop-1\x1falert\x1f{ALERT_ID}", "01795165140000-0001", "shop-1", data)


def publication(body: object, *, language: str = "en", ids: str = "hashed") -> Publication:
    return publication_of(row(body), ShopSettings(language=language, ids=ids), salt=b"salt")


def require_sendable(made: Publication) -> None:
    """As the topic requires it: at most ten attributes, none empty, a short line as subject, 256 KB in all."""
    topic = SNS("arn")
    assert not AlertTopic(topic, "arn").publish([made])  # type: ignore[arg-type]  # a stand-in of the client
    (entry,) = topic.published
    attributes = [one["StringValue"] for one in entry["MessageAttributes"].values()]
    size = len(entry["Message"].encode()) + sum(len(value.encode()) for value in attributes)
    assert size < MOST_BYTES / 2
    assert len(attributes) <= 10
    assert all(value and value.isprintable() for value in attributes)
    assert made.subject.isprintable()
    assert 0 < len(made.subject) < 100
