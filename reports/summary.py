"""The results of a run, as some forty lines of plain text for the terminal."""

import unicodedata
from collections.abc import Iterator, Sequence

from reports.figures import (
    count_in_words,
    metric_in_words,
    number_in_words,
    seconds_in_words,
    share_in_words,
    source_in_words,
)
from reports.labels import METRICS, label
from reports.page import NO_SETTINGS, Shops
from reports.plots import kinds_of
from reports.proofs import Figures, Proof, read_proofs
from reports.shown_alert import ShownAlert, show_alert
from reports.telling import choose_telling
from service_quality.alerts import wording_messages as messages
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_state import OPENED, REPEATED, RESOLVED, WORSENED
from service_quality.alerts.shipped_rules import title_of
from service_quality.alerts.shop_settings import ShopSettings

MOST_REASONS = 3
JUDGED = ("precision", "recall")
MOST_DETAILS = 5
_WIDTH = 110
_BETWEEN = " · "
_GAP = 2
_WIDE = "WF"


def render_summary(
    report: Figures, alerts: Sequence[Alert], language: str = "en", *, shops: Shops = NO_SETTINGS
) -> str:
    """At most forty lines: the inputs, the proofs, the scores, the alerts, and some of them with their reasons."""
    lines, telling = [_title(report, language)], choose_telling(alerts)
    for section in (_inputs, _proofs, _scores, _alerts):
        lines += section(report, language)
    lines += _chapter("telling", language) if telling else []
    for place, alert in enumerate(telling, 1):
        lines += _shown(place, show_alert(alert, language, shops.get(alert.shop_id, ShopSettings())), language)
    return "\n".join(_printable(line).rstrip() for line in lines) + "\n"


def _title(report: Figures, language: str) -> str:
    """The source and the duration, in capitals for synthetic data."""
    parts = [label("title", language), _printable(source_in_words(report, language))]
    if report["synthetic"]:
        parts.insert(1, label("synthetic_banner", language).upper())
    if "all" in report["seconds"]:
        parts.append(seconds_in_words(report["seconds"]["all"], language))
    return " · ".join(parts)


def _chapter(name: str, language: str) -> list[str]:
    return [f"── {label(name, language)}"]


def _inputs(report: Figures, language: str) -> list[str]:
    """Counts of the inputs, in two rows."""
    names = ("events", "conversations", "rejected", "training_rows", "replayed_events")
    shown = [f"{count_in_words(report[name])} {label(name, language)}" for name in names]
    shown += [f"{label(name, language)} {report[name]}" for name in ("split", "model_version")]
    return [*_chapter("in", language), *_packed(shown, indent=2)]


def _proofs(report: Figures, language: str) -> list[str]:
    """One line a proof."""
    rows = [
        [
            f"{'✓' if proof.held else '✗'} {label('held' if proof.held else 'failed', language)}",
            label(proof.name, language),
            _found(proof, language),
        ]
        for proof in read_proofs(report)
    ]
    return [*_chapter("proofs", language), *_aligned(rows, left=3)]


def _found(proof: Proof, language: str) -> str:
    """A proof's figures, each with its label."""
    return ", ".join(f"{label(name, language)} {_figure(value, language)}" for name, value in proof.found.items())


def _figure(value: int | float | str | None, language: str) -> str:
    match value:
        case str():
            return label(value, language)
        case float():
            return f"{value:.1e}"
    return count_in_words(value)


def _scores(report: Figures, language: str) -> list[str]:
    """Metrics in columns, one line a moment."""
    head = ["", *(label(one.name, language) for one in METRICS), label("rows", language)]
    moments = {
        "answer": "model",
        "opening": "model_at_opening",
        "stage": "model_at_stage",
        "challenger": "challenger",
    }
    rows = [
        [
            label(moment, language),
            *(metric_in_words(report[name].get(one.name)) for one in METRICS),
            count_in_words(report[name].get("rows")),
        ]
        for moment, name in moments.items()
    ]
    return [*_chapter("scores", language), *_aligned([head, *rows], left=1)]


def _alerts(report: Figures, language: str) -> list[str]:
    """Messages by kind and state."""
    by_kind, states = report["alerts"]["by_kind"], (OPENED, REPEATED, WORSENED, RESOLVED)
    if not by_kind:
        return [*_chapter("alerts", language), "  " + label("no_alerts", language)]
    quality = report["alerts"].get("quality", {})
    head = ["", *(messages.STATES[state].said(language) for state in states), label("per_day", language)]
    head += [label(name, language) for name in JUDGED]
    rows = [
        [
            title_of(kind, language),
            *(count_in_words(by_kind[kind].get(state, 0)) for state in states),
            number_in_words(quality.get(kind, {}).get("per_day")),
            *(share_in_words(quality.get(kind, {}).get(name)) for name in JUDGED),
        ]
        for kind in kinds_of(by_kind)
    ]
    return [*_chapter("alerts", language), *_aligned([head, *rows], left=1)]


def _shown(place: int, alert: ShownAlert, language: str) -> Iterator[str]:
    """One alert: rule, subject, evidence, and as many of its heaviest reasons as there is room for."""
    said = messages.MAIL["line"].said(language)
    risk = [f"{label('risk', language)} {alert.risk}"] if alert.risk else []
    yield f"  {place}. {alert.title} [{alert.severity}, {alert.state}]"
    about = [f"{alert.subject} {alert.subject_id}", alert.shop, alert.at, *risk]
    yield from _packed(about, indent=5)
    seen = _packed([said.format(name, value) for name, value in alert.evidence], indent=5)
    yield from seen
    for reason in alert.reasons[: min(MOST_REASONS, MOST_DETAILS - len(seen))]:
        shown = messages.MAIL["reason"].said(language).format(said.format(reason.name, reason.value), reason.effect)
        yield f"     {'+' if reason.contribution > 0 else '−'} {shown}"


def _packed(parts: Sequence[str], *, indent: int) -> list[str]:
    """As many parts to a line as fit, at least one.

    >>> _packed(["short", "also short", "long " * 20], indent=2)[0]
    '  short · also short'
    """
    lines: list[str] = []
    for part in parts:
        if lines and _columns(lines[-1] + _BETWEEN + part) <= _WIDTH:
            lines[-1] += _BETWEEN + part
        else:
            lines.append(" " * indent + part)
    return lines


def _aligned(rows: Sequence[Sequence[str]], *, left: int) -> list[str]:
    """Rows as columns: the first `left` of them to the left, the others, which are numbers, to the right."""
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + (" " * _GAP).join(
            cell + " " * (width - _columns(cell)) if place < left else " " * (width - _columns(cell)) + cell
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _columns(text: str) -> int:
    """The columns of a terminal that a text takes; Chinese characters take two.

    >>> _columns("score"), _columns("评分")
    (5, 4)
    """
    return sum(2 if unicodedata.east_asian_width(character) in _WIDE else 1 for character in text)


def _printable(text: str) -> str:
    """The text with question marks for what would move a terminal's cursor or hide text.

    >>> _printable("shop\\x1b[2J")
    'shop?[2J'
    """
    return "".join(character if character.isprintable() else "?" for character in text)
