"""Terms that too few rows of the training set support."""

from dataclasses import dataclass

from model_export.artefact import LinearModel
from service_quality.features.basis import Term


@dataclass(frozen=True)
class LeftOut:
    """A term that was left out, and the weight that supported it."""

    feature: str
    term: str
    support: float


def left_out(model: LinearModel) -> list[LeftOut]:
    """The terms that were left out of the fit, in the order of the terms."""
    return [
        LeftOut(term.feature, term_text(term), model.support.of(at))
        for at, term in enumerate(model.terms)
        if not model.scales[at]
    ]


def term_text(term: Term) -> str:
    """A term as text for people: its operation, and its segment or value if it has one.

    >>> term_text(Term("waiting_ms", "log_ramp", 0.0, 12.5)), term_text(Term("price_minor", "missing"))
    ('log_ramp(0 to 12.5)', 'missing')
    """
    if "ramp" in term.operation:
        return f"{term.operation}({term.knot:g} to {term.upper:g})"
    return f"{term.operation}({term.knot:g})" if term.operation == "equals" else term.operation
