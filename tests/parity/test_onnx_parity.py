"""One model in three engines: a plain loop, scikit-learn, ONNX."""

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

from model_export.artefact import Artefact, Challenger, Sample, read_artefact
from model_export.conversion import convert_challenger, convert_pipeline
from model_export.edge_rows import edge_rows
from model_export.errors import ModelRefusedError
from model_export.pipeline import build_pipeline
from model_export.session import open_session
from model_export.verify import verify_challenger, verify_model
from service_quality.features.basis import OPERATIONS, Term
from service_quality.features.feature_set import FEATURES
from tests.parity.model_export.artefacts import (
    made_up_terms,
    oracle_log_odds,
    oracle_probability,
    write_artefact,
)

ONE_OF_EACH = tuple(
    Term(name, operation, 1.0, 3.0) for name, operation in zip(FEATURES.names, OPERATIONS, strict=False)
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_artefact(tmp_path_factory.mktemp("artefact"), rows=600)


@pytest.fixture(scope="module")
def artefact(made) -> Artefact:
    return read_artefact(made.folder)


@pytest.fixture(scope="module")
def model(artefact) -> bytes:
    return convert_pipeline(build_pipeline(artefact.model), artefact.model)


def altered(data: bytes, change) -> bytes:
    """The model with its constants changed in place where `change` gives other ones."""
    proto = onnx.load_from_string(data)
    for constant in proto.graph.initializer:
        values = change(numpy_helper.to_array(constant).copy())
        constant.CopyFrom(numpy_helper.from_array(values, constant.name))
    return proto.SerializeToString()


def weights(values) -> bool:
    """Whether a constant is the matrix of weights: terms by features."""
    return values.ndim == 2 and values.shape[1] == len(FEATURES.names)


def test_onnx_equals_the_plain_loop_on_the_sample_and_on_edge_rows(made, artefact, model):
    vectors = np.concatenate([made.vectors, edge_rows(artefact.model, made.vectors)])

    found = open_session(model).probabilities(vectors)

    expected = [oracle_probability(made.document, row) for row in vectors.tolist()]
    assert np.abs(found - expected).max() <= 1e-7


def test_contributions_add_up_to_the_log_odds(made, artefact, model):
    found = open_session(model).contributions(made.vectors).astype(np.float64)

    expected = [oracle_log_odds(made.document, row) for row in made.vectors.tolist()]
    assert np.abs(found.sum(axis=1) + artefact.model.intercept - expected).max() <= 1e-5


def test_contribution_is_what_is_lost_with_its_feature(made, artefact, model):
    """Against the loop: the log-odds without the weights of one feature."""
    name, _ = Counter(term["feature"] for term in made.document["terms"]).most_common(1)[0]
    keep = [0.0 if term["feature"] == name else 1.0 for term in made.document["terms"]]
    coefficients = np.multiply(made.document["coefficients"], keep).tolist()
    without = {**made.document, "coefficients": coefficients}

    found = open_session(model).contributions(made.vectors)[:, FEATURES.names.index(name)]

    expected = [oracle_log_odds(made.document, row) - oracle_log_odds(without, row) for row in made.vectors.tolist()]
    assert np.abs(found - expected).max() <= 1e-5


@pytest.mark.parametrize("seed", range(8))
def test_any_terms_in_any_order_are_exported_alike(tmp_path, seed):
    random = np.random.default_rng(seed)
    terms = made_up_terms(random, int(random.integers(1, 60)))
    made = write_artefact(tmp_path, seed=seed, rows=60, terms=terms)
    artefact = read_artefact(made.folder)
    pipeline = build_pipeline(artefact.model)

    parity = verify_model(convert_pipeline(pipeline, artefact.model), pipeline, artefact)

    assert parity.max_abs_diff <= 1e-6


@pytest.mark.parametrize("term", ONE_OF_EACH, ids=OPERATIONS)
def test_single_operation_is_exported_alone(tmp_path, term):
    never_varied = Term(FEATURES.names[0], term.operation, 2.0, 3.0)
    made = write_artefact(tmp_path, rows=40, terms=(term, never_varied))
    artefact = read_artefact(made.folder)
    pipeline = build_pipeline(artefact.model)

    parity = verify_model(convert_pipeline(pipeline, artefact.model), pipeline, artefact)

    assert parity.rows == 40
    assert parity.flipped == 0


def test_verification_passes_on_what_was_exported(artefact, model):
    parity = verify_model(model, build_pipeline(artefact.model), artefact)

    assert parity.max_abs_diff <= 1e-6
    assert parity.contributions_max_abs_diff is not None
    assert parity.contributions_max_abs_diff <= 1e-5
    assert parity.rows == 600
    assert parity.edge_rows > 5 * len(FEATURES.names)


def test_coefficient_altered_after_export_is_refused_with_the_figures(artefact, model):
    def change(values):
        if weights(values):
            values[values != 0] *= 1.001
        return values

    with pytest.raises(ModelRefusedError, match=r"max_abs_diff: found .*, expected at most 1e-06"):
        verify_model(altered(model, change), build_pipeline(artefact.model), artefact)


def test_contributions_of_swapped_features_are_refused_though_they_add_up(artefact, model):
    def change(values):
        return values[:, ::-1].copy() if weights(values) else values

    with pytest.raises(ModelRefusedError, match=r"refused on .* rows: contributions_max_relative_diff"):
        verify_model(altered(model, change), build_pipeline(artefact.model), artefact)


def test_trainer_that_computes_otherwise_is_refused(artefact, model):
    other = artefact.sample.probabilities.copy()
    other[3] += 2e-6
    moved = replace(artefact, sample=replace(artefact.sample, probabilities=other))

    with pytest.raises(ModelRefusedError, match="max_abs_diff: found 2"):
        verify_model(model, build_pipeline(artefact.model), moved)


def test_model_of_other_features_is_refused(artefact, model):
    proto = onnx.load_from_string(model)
    next(prop for prop in proto.metadata_props if prop.key == "fingerprint").value = "other"

    with pytest.raises(ModelRefusedError, match="metadata fingerprint: found other, expected"):
        verify_model(proto.SerializeToString(), build_pipeline(artefact.model), artefact)


def test_bytes_that_are_no_model_are_refused(artefact):
    with pytest.raises(ModelRefusedError, match="no model that onnxruntime loads"):
        verify_model(b"\x08nothing", build_pipeline(artefact.model), artefact)


def test_challenger_equals_scikit_learn(artefact):
    data = convert_challenger(artefact.challenger, artefact.model)

    parity = verify_challenger(data, artefact)

    assert parity.max_abs_diff <= 1e-6
    assert [port.name for port in open_session(data).onnx.get_outputs()] == ["probability"]


def test_challenger_altered_after_export_is_refused(artefact):
    proto = onnx.load_from_string(convert_challenger(artefact.challenger, artefact.model))
    trees = next(node for node in proto.graph.node if node.op_type.startswith("TreeEnsembleRegressor"))
    leaves = next(attribute for attribute in trees.attribute if attribute.name == "target_weights")
    leaves.floats[0] += 0.01

    with pytest.raises(ModelRefusedError, match="challenger refused"):
        verify_challenger(proto.SerializeToString(), artefact)


def test_challenger_decides_alike_between_neighbouring_numbers(artefact):
    """A split is between two neighbouring floats, where rounding it to float32 would move it onto one."""
    lower, upper = np.float32(1 + 2**-23), np.float32(1 + 2**-22)
    vectors = np.zeros((200, len(FEATURES.names)), dtype=np.float32)
    vectors[:, 0] = np.where(np.arange(200) % 2, upper, lower)
    classifier = HistGradientBoostingClassifier(max_iter=3).fit(vectors, vectors[:, 0] == upper)
    split = replace(
        artefact,
        sample=Sample(vectors, classifier.predict_proba(vectors)[:, 1]),
        challenger=Challenger("hist_gradient_boosting", classifier, {}),
    )

    parity = verify_challenger(convert_challenger(split.challenger, split.model), split)

    assert parity.max_abs_diff <= 1e-6
    assert np.ptp(split.sample.probabilities) > 0.1
