"""The outcome of learning in words, and as a few lines of plain text for the terminal."""

from collections.abc import Mapping
from typing import Any

from reports.figures import count_in_words, signed_in_words
from reports.labels import METRICS, label
from reports.learning_labels import LEARNING_LABELS, MOST_DIFFERENCE

_DIGITS = 4


def render_learning(outcome: Mapping[str, Any], language: str = "en") -> str:
    """The verdict, the figures of champion and candidate, and why; at most seven lines."""
    lines = [f"── {_label('learning', language)}: {_label(outcome['verdict'], language)} {outcome['version']}".rstrip()]
    judged = outcome["judgement"]
    if judged:
        lines += [_figures(name, judged[name], language) for name in ("champion", "candidate")]
    lines += [f"  {line}" for line in explain_learning(outcome, language)]
    return "\n".join(lines) + "\n"


def explain_learning(outcome: Mapping[str, Any], language: str) -> list[str]:
    """What was judged and what decided, a sentence each.

    The reason that the registry stores is English; another language has it only where the figures do not say it.
    """
    judged = outcome["judgement"]
    if not judged:
        return [_label("not_judged", language), outcome["why"]]
    counts = {name: count_in_words(judged[name]) for name in ("rounds", "dissatisfied")}
    difference = judged["candidate"]["log_loss"] - judged["champion"]["log_loss"]
    lines = [
        _label("judged_on", language).format(**counts, since=judged["since"][:10]),
        _label("difference", language).format(difference=signed_in_words(difference, _DIGITS)),
    ]
    decided = (outcome["verdict"] == "promoted") == (difference <= MOST_DIFFERENCE)
    return lines if decided and language != "en" else [*lines, outcome["why"]]


def _figures(name: str, model: Mapping[str, Any], language: str) -> str:
    values = ((label(one.name, language), model.get(one.name)) for one in METRICS)
    shown = " · ".join(f"{title} {'—' if value is None else f'{value:.{_DIGITS}f}'}" for title, value in values)
    return f"  {_label(name, language)} {model['version']}: {shown}"


def _label(name: str, language: str) -> str:
    return LEARNING_LABELS[name].said(language)
