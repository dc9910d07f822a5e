"""The outcome of learning as a few lines of plain text for the terminal."""

from collections.abc import Mapping
from typing import Any

from reports.figures import count_in_words
from reports.labels import METRICS, label
from reports.learning_labels import LEARNING_LABELS

_DIGITS = 4  # a thousandth decides


def render_learning(outcome: Mapping[str, Any], language: str = "en") -> str:
    """The verdict, the figures of champion and candidate, and why; at most six lines."""
    lines = [f"── {_label('learning', language)}: {_label(outcome['verdict'], language)} {outcome['version']}".rstrip()]
    judged = outcome["judgement"]
    if judged:
        lines += [_figures(name, judged[name], language) for name in ("champion", "candidate")]
        counts = {name: count_in_words(judged[name]) for name in ("conversations", "dissatisfied")}
        lines.append("  " + _label("judged_on", language).format(**counts, since=judged["since"][:10]))
    lines.append(f"  {outcome['why']}")
    return "\n".join(lines) + "\n"


def _figures(name: str, model: Mapping[str, Any], language: str) -> str:
    values = ((label(one.name, language), model.get(one.name)) for one in METRICS)
    shown = " · ".join(f"{title} {'—' if value is None else f'{value:.{_DIGITS}f}'}" for title, value in values)
    return f"  {_label(name, language)} {model['version']}: {shown}"


def _label(name: str, language: str) -> str:
    return LEARNING_LABELS[name].said(language)
