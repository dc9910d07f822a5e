"""One alert in one language, ready to be shown on the page or printed in the summary."""

from dataclasses import dataclass
from math import exp

from reports.proofs import Figures
from service_quality.alerts import wording_messages as messages
from service_quality.alerts.shipped_rules import shipped_texts, title_of
from service_quality.alerts.shop_settings import ShopSettings, instant_in_words
from service_quality.alerts.wording import name_in_words, value_in_words
from service_quality.alerts.wording_messages import MAIL, say

_LARGEST_EXPONENT = 20.0


@dataclass(frozen=True, slots=True)
class ShownReason:
    """A feature with its value, its contribution to the log-odds, and the effect on the odds."""

    name: str
    value: str
    contribution: float
    effect: str


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert as text. `severity_name` and `state_name` are the declared names, for colours."""

    title: str
    severity: str
    severity_name: str
    state: str
    subject: str
    subject_id: str
    shop: str
    since: str
    at: str
    risk: str | None
    evidence: tuple[tuple[str, str], ...]
    reasons: tuple[ShownReason, ...]
    measure: str


def show_alert(alert: Figures, language: str, shop: ShopSettings) -> ShownAlert:
    """The alert as a person of the shop reads it; an unknown rule has no measure, an unknown instant is empty."""
    shop = shop.of_alert(alert.get("time_zone"), alert.get("currency"))
    return ShownAlert(
        title=alert.get("title", {}).get(language) or title_of(alert["kind"], language),
        severity=say(messages.SEVERITIES, alert["severity"], language),
        severity_name=alert["severity"],
        state=say(messages.STATES, alert["state"], language),
        subject=say(messages.SUBJECTS, alert["subject"]["kind"], language),
        subject_id=alert["subject"]["id"],
        shop=shop.display_name or alert["shop_id"],
        since=_minute(alert["opened_at"], shop),
        at=_minute(alert["occurred_at"], shop),
        risk=None if alert["score"] is None else value_in_words("score", alert["score"], language),
        evidence=tuple(
            (name_in_words(name, language), _value(name, value, language, shop))
            for name, value in alert["evidence"].items()
            if name != "score" and value is not None
        ),
        reasons=tuple(_reason(reason, language, shop) for reason in alert["reasons"]),
        measure=_advice(alert, language),
    )


def _advice(alert: Figures, language: str) -> str:
    """What to do, as the alert says it; as the shipped rule says it in the alert of a release that did not."""
    _, shipped = shipped_texts(alert["kind"])
    said: str = alert.get("advice", {}).get(language, shipped.said(language))
    return said


def _reason(reason: Figures, language: str, shop: ShopSettings) -> ShownReason:
    name, contribution = reason["feature"], reason["contribution"]
    effect = MAIL["raises" if contribution > 0 else "lowers"].said(language)
    return ShownReason(
        name=name_in_words(name, language),
        value=_value(name, reason["value"], language, shop),
        contribution=contribution,
        effect=effect.format(exp(min(contribution, _LARGEST_EXPONENT))),
    )


def _value(name: str, value: float | None, language: str, shop: ShopSettings) -> str:
    return value_in_words(name, value, language, currency=shop.currency, zone=shop.hours_zone)


def _minute(instant: str | None, shop: ShopSettings) -> str:
    return instant_in_words(instant, shop.time_zone) if instant else ""
