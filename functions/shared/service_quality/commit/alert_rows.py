"""The rows of the outbox by which an alert leaves, and is listed."""

from collections.abc import Iterator

from service_quality.alerts.alert_json import encode_alert
from service_quality.alerts.decisions import Decision
from service_quality.alerts.stored_alerts import STATE, alert_stream_key
from service_quality.commit.outbox_rows import OutboxRow


def alert_rows(shop_id: str, decision: Decision) -> Iterator[OutboxRow]:
    """The message that leaves, and the row of the alert's present state, by which open alerts are listed."""
    alert, message = decision.alert, decision.message
    stream_key = alert_stream_key(shop_id, alert.alert_id)
    if message is not None:
        yield OutboxRow(stream_key, message.number, "alert", encode_alert(message), shop_id)
    yield OutboxRow(stream_key, STATE, STATE, encode_alert(alert), shop_id, open=decision.state.open)
