"""The model card: what the model is, what it may be used for, how it was judged; for programs and for people."""

from collections.abc import Iterator, Mapping

from model_export.artefact import KIND, Artefact, LinearModel
from model_export.parity import Parity
from service_quality.facts.conversation_facts import DISSATISFIED_AT_MOST

LABEL = f"the conversation is rated {DISSATISFIED_AT_MOST} or lower of 5; unrated conversations train nothing"
INTENDED_USE = (
    "Ranks running customer conversations by the risk that they end dissatisfied, so that people can act while the "
    "outcome can still be changed, and gives the reasons of each score."
)
LIMITS = (
    "It knows only rated conversations; customers who rate are not all customers.",
    "A contribution says what moved the score, not what caused the outcome.",
    "It judges conversations. A person must not be assessed, paid or dismissed by it.",
    "Its histories are those of the shops it was trained on; a new shop starts from the declared priors.",
    "It ages: judge it again when prices, staff or the catalogue change, and retrain by time, never at random.",
)
SYNTHETIC_LIMIT = "Trained on synthetic conversations: its figures say nothing about real customers."


def build_card(artefact: Artefact, *, version: str, parity: Parity, challenger_parity: Parity) -> dict[str, object]:
    """The card as a document."""
    model = artefact.model
    return {
        "version": version,
        "kind": KIND,
        "synthetic": model.synthetic,
        "intended_use": INTENDED_USE,
        "label": LABEL,
        "limits": [SYNTHETIC_LIMIT, *LIMITS] if model.synthetic else list(LIMITS),
        "fingerprint": model.fingerprint,
        "training": dict(model.training.details),
        "metrics": dict(model.metrics),
        "threshold": model.threshold,
        "regularization": model.regularization,
        "intercept": model.intercept,
        "features": list(_features(model)),
        "parity": parity.fields(),
        "challenger": {
            "kind": artefact.challenger.kind,
            "metrics": dict(artefact.challenger.metrics),
            "parity": challenger_parity.fields(),
        },
    }


def render_card(artefact: Artefact, card: Mapping[str, object]) -> str:
    """The same card in Markdown."""
    model = artefact.model
    notice = ["", "> **Synthetic data.** " + SYNTHETIC_LIMIT] if model.synthetic else []
    lines = [
        f"# Model {card['version']}",
        *notice,
        "",
        INTENDED_USE,
        "",
        f"**Label:** {LABEL}.",
        "",
        f"**Trained** on {model.training.rows:,} scored events of {model.training.conversations:,} conversations, "
        f"{model.training.first} to {model.training.last}. Fingerprint of its features: `{model.fingerprint}`.",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
        "",
        "## Metrics",
        "",
        "Each model on later rows that it had not seen; compare them only where `rows` agree.",
        "",
        *_table(("metric", "champion", "challenger"), _metric_rows(model.metrics, artefact.challenger.metrics)),
        "",
        "## Parity of trainer, scikit-learn and ONNX",
        "",
        *_table(("figure", "found"), ((name, _shown(value)) for name, value in _flat(card["parity"]))),
        "",
        "## Features",
        "",
        "Weight: the sum of the absolute weights of a feature's standardised terms, in log-odds.",
        "",
        *_table(("feature", "terms", "weight"), _feature_rows(model)),
    ]
    return "\n".join(lines) + "\n"


def _features(model: LinearModel) -> Iterator[dict[str, object]]:
    for name in model.features:
        terms = [at for at, term in enumerate(model.terms) if term.feature == name]
        yield {
            "name": name,
            "terms": [_term_text(model, at) for at in terms],
            "weight": sum(abs(model.calibration.slope * model.coefficients[at]) for at in terms),
        }


def _term_text(model: LinearModel, at: int) -> str:
    term = model.terms[at]
    return (
        f"{term.operation}({term.knot:g})"
        if "hinge" in term.operation or term.operation == "equals"
        else term.operation
    )


def _feature_rows(model: LinearModel) -> Iterator[tuple[str, str, str]]:
    for feature in _features(model):
        terms = feature["terms"]
        assert isinstance(terms, list)
        yield str(feature["name"]), ", ".join(terms) or "not read by the model", f"{feature['weight']:.4f}"


def _metric_rows(champion: Mapping[str, object], challenger: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    left, right = dict(_flat(champion)), dict(_flat(challenger))
    for name in [*left, *(name for name in right if name not in left)]:
        yield name, _shown(left.get(name)), _shown(right.get(name))


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of nested objects, named by their path."""
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, part in value.items():
        yield from _flat(part, f"{prefix}.{key}" if prefix else str(key))


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, tuple("---" for _ in head), *rows)]
