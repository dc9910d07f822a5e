"""The model card: the model, its permitted uses and its metrics, for programs and for people."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from model_export.artefact import KIND, Artefact, LinearModel
from model_export.card_texts import texts_of
from model_export.learnt import is_learnt
from model_export.left_out import left_out, term_text
from model_export.parity import Parity
from service_quality.tasks.linear_reading import expectation_for

SYNTHETIC_LIMIT = "Trained on a synthetic world: its figures say nothing about real customers."

Sweeps = Mapping[str, Mapping[str, object]]


def build_card(
    artefact: Artefact, *, version: str, parity: Parity, challenger_parity: Parity, sweeps: Sweeps
) -> dict[str, object]:
    """The card as a document."""
    model, texts = artefact.model, texts_of(artefact.model.task)
    return {
        "version": version,
        "task": model.task.name,
        "kind": KIND,
        "synthetic": model.synthetic,
        "intended_use": texts.intended_use,
        "label": texts.label,
        "limits": [SYNTHETIC_LIMIT, *texts.limits] if model.synthetic else list(texts.limits),
        "fingerprint": model.fingerprint,
        "training": dict(model.training.details),
        "metrics": dict(model.metrics),
        "threshold": model.threshold,
        "l2": model.l2,
        "intercept": model.intercept,
        "support": {"total": model.support.total, "least": model.support.least},
        "never_seen": [name for name, found in zip(model.features, model.ranges, strict=True) if not is_learnt(found)],
        "terms_left_out": [asdict(line) for line in left_out(model)],
        "features": list(_features(model, sweeps)),
        "parity": parity.fields(),
        "challenger": {
            "kind": artefact.challenger.kind,
            "metrics": dict(artefact.challenger.metrics),
            "parity": challenger_parity.fields(),
        },
    }


def render_card(artefact: Artefact, card: Mapping[str, object]) -> str:
    """The same card in Markdown."""
    model, texts = artefact.model, texts_of(artefact.model.task)
    notice = ["", "> **Synthetic data.** " + SYNTHETIC_LIMIT] if model.synthetic else []
    lines = [
        f"# Model {card['version']}",
        *notice,
        "",
        texts.intended_use,
        "",
        f"**Label:** {texts.label}.",
        "",
        f"**Trained** on {model.training.rows:,} {texts.rows} of {model.training.units:,} {texts.unit}s, "
        f"{model.training.first} to {model.training.last}. Fingerprint of its features: `{model.fingerprint}`.",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in texts.limits),
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
        *_feature_section(card),
        "",
        *_never_seen(model, card),
    ]
    return "\n".join(lines) + "\n"


def _feature_section(card: Mapping[str, object]) -> list[str]:
    return [
        "## Features",
        "",
        "Values are held within the learnt range, live ones too. Known: the weight of rows where "
        "the feature is not missing. Weight: the sum of the absolute weights of its standardised terms, in log-odds. "
        "Step and contribution: the largest of each, in log-odds, while the feature moves over all plausible values.",
        "",
        *_table(
            ("feature", "terms", "direction", "known", "learnt range", "weight", "step", "contribution"),
            _feature_rows(card),
        ),
    ]


def _features(model: LinearModel, sweeps: Sweeps) -> Iterator[dict[str, object]]:
    for place, feature in enumerate(model.task.features.features):
        terms = [at for at, term in enumerate(model.terms) if term.feature == feature.name]
        learnt = model.ranges[place]
        yield {
            "name": feature.name,
            "read": bool(terms),
            "terms": [term_text(model.terms[at]) for at in terms if model.scales[at]],
            "direction": expectation_for(model.task, feature).direction.name.lower(),
            "known": model.support.known[place],
            "range": list(learnt) if learnt else None,
            "seen": is_learnt(learnt),
            "weight": sum(abs(model.calibration.slope * model.coefficients[at]) for at in terms),
            "sweep": sweeps[feature.name],
        }


def _feature_rows(card: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    features = card["features"]
    assert isinstance(features, list)
    for feature in features:
        yield (
            feature["name"],
            ", ".join(feature["terms"]) or ("no say" if feature["read"] else "not read by the model"),
            feature["direction"],
            f"{feature['known']:,.0f}",
            " to ".join(f"{end:.6g}" for end in feature["range"] or ()) or "never known",
            f"{feature['weight']:.4f}",
            f"{feature['sweep']['step']:.3f}",
            f"{feature['sweep']['contribution']:.3f}",
        )


def _never_seen(model: LinearModel, card: Mapping[str, object]) -> Iterator[str]:
    """The gaps of the training set: features with at most one value, and terms with too few rows."""
    unseen = card["never_seen"]
    assert isinstance(unseen, list)
    least = f"{model.support.least:,.0f} of {model.support.total:,.0f} {texts_of(model.task).weight}"
    yield "## Never seen in training"
    yield ""
    yield f"A value counts as seen if at least {least} reach it. Missing throughout, or of one value only:"
    yield f"{', '.join(f'`{name}`' for name in unseen) or 'no feature'}."
    yield ""
    yield "## Terms left out"
    yield ""
    yield f"They vary in fewer than {least} and have no say: the score does not move with them."
    yield ""
    rows = ((line.feature, line.term, f"{line.support:,.1f}") for line in left_out(model))
    yield from _table(("feature", "term", "support"), rows)


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
