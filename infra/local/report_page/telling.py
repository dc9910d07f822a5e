"""Which alerts tell most of what the system does: a few to read out of hundreds."""

from collections.abc import Sequence

from infra.local.report_page.proofs import Figures
from service_quality.alerts.alert_life import RESOLVED
from service_quality.alerts.rules import SEVERITIES

MOST_TELLING = 3


def choose_telling(alerts: Sequence[Figures]) -> list[Figures]:
    """At most three alerts, the most telling first; the same for the same alerts in any order.

    Those that call for something and have reasons come before those that do not, different kinds before a second of
    one kind, the gravest and then the riskiest before others. Of one alert's messages at most one is chosen.
    """
    chosen: list[Figures] = []
    left = list(alerts)
    while left and len(chosen) < MOST_TELLING:
        kinds = {alert["kind"] for alert in chosen}
        best = min(left, key=lambda alert: (_says_little(alert), alert["kind"] in kinds, *_gravity(alert)))
        chosen.append(best)
        left = [alert for alert in left if alert["alert_id"] != best["alert_id"]]
    return chosen


def _says_little(alert: Figures) -> bool:
    """Nothing is asked of anybody any more, or nobody could say why."""
    return alert["state"] == RESOLVED or not alert["reasons"]


def _gravity(alert: Figures) -> tuple[int, float, str]:
    """Lowest for the gravest; the message's id decides between equals."""
    return -SEVERITIES.index(alert["severity"]), -(alert["score"] or 0.0), alert["message_id"]
