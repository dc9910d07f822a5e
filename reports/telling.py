"""The alerts that show most of what the system does: a few to read out of hundreds."""

from collections.abc import Sequence

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_state import RESOLVED
from service_quality.alerts.rules import SEVERITIES

MOST_TELLING = 3


def choose_telling(alerts: Sequence[Alert]) -> list[Alert]:
    """At most three alerts, the most interesting first; the same for the same alerts in any order.

    Open alerts with reasons come before others, different kinds before a second of one kind, the gravest and then the
    riskiest before others. Of the alerts about one subject at most one is chosen.
    """
    chosen: list[Alert] = []
    left = list(alerts)
    while left and len(chosen) < MOST_TELLING:
        kinds = {alert.kind for alert in chosen}
        best = min(left, key=lambda alert: (_says_little(alert), alert.kind in kinds, *_gravity(alert)))
        chosen.append(best)
        left = [alert for alert in left if _about(alert) != _about(best)]
    return chosen


def _about(alert: Alert) -> tuple[str, str, str]:
    return alert.shop_id, alert.subject.kind, alert.subject.id


def _says_little(alert: Alert) -> bool:
    """Whether the alert is resolved or has no reasons."""
    return alert.state == RESOLVED or not alert.reasons


def _gravity(alert: Alert) -> tuple[int, float, str]:
    """Lowest for the gravest; the message's id decides between equals."""
    return -SEVERITIES.index(alert.severity), -(alert.score or 0.0), alert.message_id or ""
