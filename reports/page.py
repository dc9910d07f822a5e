"""Renders the page: one HTML file with both languages and its pictures, which loads nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reports import plots
from reports.environment import LANGUAGE_TAGS, environment, said
from reports.labels import LABELS, METRICS, STEPS
from reports.learning_labels import LEARNING_LABELS
from reports.live_minute import ShownConversation, live_ticks, show_live
from reports.proofs import Figures, read_proofs
from reports.shown_alert import ShownAlert, show_alert
from reports.telling import choose_telling
from service_quality.alerts import wording_messages as messages
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_state import OPENED, REPEATED, RESOLVED, WORSENED
from service_quality.alerts.shipped_rules import title_of
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.message import LANGUAGES
from service_quality.scoring.scores import ENGINES_DIFFER_AT_MOST

Shops = Mapping[str, ShopSettings]
NO_SETTINGS: Shops = {}
MOMENTS = ("answer", "opening")


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one moment's scores."""

    name: str
    roc: str
    auc: float | None
    calibration: plots.Calibration | None
    base_rate: float | None


@dataclass(frozen=True, slots=True)
class Pane:
    """The page in one language."""

    language: str
    tag: str
    other: str
    labels: Mapping[str, str]
    rules: Mapping[str, str]
    states: Mapping[str, str]
    steps: Mapping[str, str]
    telling: Sequence[ShownAlert]
    live: Sequence[ShownConversation]


def render_page(
    report: Figures, evaluation: Figures, alerts: Sequence[Alert], *, shops: Shops = NO_SETTINGS, lang: str = "en"
) -> str:
    """The page as HTML; `lang` is shown first, `#en` and `#zh` in the address show one of the two.

    `report` as in report.json, `evaluation` holds the curves of MOMENTS, `alerts` are those that were received; `shops`
    has the settings by which a shop's times and amounts are shown.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"found language {lang!r}, expected one of {', '.join(LANGUAGES)}")
    template = environment().get_template("page.html")
    telling = choose_telling(alerts)
    opened = [alert for alert in alerts if alert.state == OPENED]
    return template.render(
        lang=lang,
        # The language shown first comes last, so that CSS can hide it while another one is the address's target.
        panes=[_pane(language, report, telling, shops) for language in sorted(LANGUAGES, key=lambda one: one == lang)],
        mail={name: one._asdict() for name, one in messages.MAIL.items()},
        report=report,
        proofs=read_proofs(report),
        learning=report.get("learning"),
        parity_limit=ENGINES_DIFFER_AT_MOST,
        scores=_scores(report),
        metrics=METRICS,
        curves=_curves(report, evaluation),
        square=plots.SQUARE,
        wide=plots.WIDE,
        shares=plots.ticks_up_to(1.0),
        states=(OPENED, REPEATED, WORSENED, RESOLVED),
        kinds=plots.kinds_of(report["alerts"]["by_kind"]),
        quality=report["alerts"].get("quality"),
        hours=plots.plot_hours(opened, {shop: one.time_zone for shop, one in shops.items()}) if opened else None,
        most_contribution=max((abs(one["contribution"]) for alert in telling for one in alert.reasons), default=1.0),
        live=report.get("live"),
        live_ticks=live_ticks(report["live"]) if report.get("live") else [],
        seconds={step: time for step, time in report["seconds"].items() if step != "all"},
        base_rate=evaluation["answer"]["base_rate"],
    )


def _pane(language: str, report: Figures, telling: Sequence[Alert], shops: Shops) -> Pane:
    say = partial(said, language=language)
    return Pane(
        language=language,
        tag=LANGUAGE_TAGS[language],
        other=next(other for other in LANGUAGES if other != language),
        labels=say(LABELS | LEARNING_LABELS),
        rules={kind: title_of(kind, language) for kind in plots.kinds_of(report["alerts"]["by_kind"])},
        states=say(messages.STATES),
        steps={name: name for name in report["seconds"]} | say(STEPS),
        telling=[show_alert(alert, language, shops.get(alert.shop_id, ShopSettings())) for alert in telling],
        live=show_live(report["live"], language) if report.get("live") else [],
    )


def _scores(report: Figures) -> dict[str, Figures]:
    """The metrics to compare, by the label of their row."""
    return {
        "answer": report["model"],
        "opening": report["model_at_opening"],
        "stage": report["model_at_stage"],
        "challenger": report["challenger"],
    }


def _curves(report: Figures, evaluation: Figures) -> list[Curves]:
    """The curves of both moments, calibrations on the same axes."""
    metrics = _scores(report)
    top = plots.calibration_top([evaluation[moment]["calibration"] for moment in MOMENTS])
    return [
        Curves(
            name=moment,
            roc=plots.polyline(found["roc"]),
            auc=metrics[moment].get("auc"),
            calibration=plots.plot_calibration(found["calibration"], found["base_rate"], top)
            if found["calibration"]
            else None,
            base_rate=found["base_rate"],
        )
        for moment in MOMENTS
        for found in (evaluation[moment],)
    ]
