"""Stored alert rows: the alert of any row that names a rule, whatever version of the code wrote it."""

from dataclasses import replace
from typing import NamedTuple

from service_quality.alerts.alert import UNKNOWN, Alert
from service_quality.alerts.alert_json import clean_text, decode_alert
from service_quality.events.identifiers import SEPARATOR

#: The place of an alert's present state among the rows of the alert, and the kind of that row.
STATE = "state"


class AlertRow(NamedTuple):
    """A row of an alert: its key in the table, its shop and its bytes.

    `sequence` is the number of a message, or STATE for the row that holds what the alert is now.
    """

    stream_key: str
    sequence: str
    shop_id: str
    body: bytes


def alert_stream_key(shop_id: str, alert_id: str) -> str:
    """The key under which all rows of an alert are stored, by which whoever knows its id finds them."""
    return SEPARATOR.join((shop_id, "alert", alert_id))


def read_alert(row: AlertRow) -> Alert:
    """The alert in a row; UnreadableRowError for a body that names no rule.

    The row's key identifies alert and message, whatever the body says.
    """
    alert = decode_alert(row.body)
    return replace(
        alert,
        alert_id=clean_text(row.stream_key.rpartition(SEPARATOR)[2]) or UNKNOWN,
        number=alert.number if row.sequence == STATE else clean_text(row.sequence),
        shop_id=clean_text(row.shop_id) or UNKNOWN,
    )
