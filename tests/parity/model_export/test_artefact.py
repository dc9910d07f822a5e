import json
from dataclasses import replace
from shutil import copytree

import joblib  # type: ignore[import-untyped]
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from model_export.artefact import read_artefact
from model_export.errors import ArtefactError, ModelRefusedError, NotThereError
from service_quality.features.feature_set import FEATURES
from tests.parity.model_export.artefacts import rewrite_model, write_artefact, write_sample


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_artefact(tmp_path_factory.mktemp("artefact"), rows=30)


@pytest.fixture
def made(original, tmp_path):
    """A copy that a test may spoil."""
    copytree(original.folder, tmp_path, dirs_exist_ok=True)
    return replace(original, folder=tmp_path)


def test_artefact_is_read_as_it_was_written(made):
    artefact = read_artefact(made.folder)

    model = artefact.model
    assert model.features == FEATURES.names
    assert [term.feature for term in model.terms] == [term["feature"] for term in made.document["terms"]]
    assert model.intercept == pytest.approx(0.93 * -0.7 - 0.04)
    assert (model.training.rows, model.training.details["events_snapshot"]) == (5000, "11")
    assert artefact.sample.vectors.dtype == np.float32
    np.testing.assert_array_equal(artefact.sample.vectors, made.vectors)
    assert artefact.challenger.metrics["auc"] == 0.704


def test_nulls_and_doubles_of_another_writer_are_the_same_vectors(made):
    lists = [[None if np.isnan(x) else float(x) for x in row] for row in made.vectors]
    table = pa.table({"features": lists, "probability": [0.5] * len(lists)})
    pq.write_table(table, made.folder / "sample.parquet", row_group_size=7)

    vectors = read_artefact(made.folder).sample.vectors

    np.testing.assert_array_equal(vectors, made.vectors)


@pytest.mark.parametrize("name", ["model.json", "sample.parquet", "challenger.joblib", "challenger.json"])
def test_missing_file_is_named_beside_what_is_there(made, name):
    (made.folder / name).unlink()

    with pytest.raises(NotThereError, match=rf"found nothing at .*{name}, expected a file there; beside it: .*\.json"):
        read_artefact(made.folder)


def test_missing_folder_says_so(tmp_path):
    with pytest.raises(NotThereError, match=r"found nothing at .*nowhere/model\.json, expected a file there$"):
        read_artefact(tmp_path / "nowhere")


@pytest.mark.parametrize("key", ["terms", "means", "calibration", "threshold", "training", "synthetic", "metrics"])
def test_missing_key_is_named(made, key):
    document = {name: value for name, value in made.document.items() if name != key}
    (made.folder / "model.json").write_text(json.dumps(document), "utf-8")

    with pytest.raises(ArtefactError, match=rf"model\.json: found no '{key}'"):
        read_artefact(made.folder)


def test_other_fingerprint_is_refused_with_found_and_expected(made):
    rewrite_model(made.folder, fingerprint="0123456789abcdef")

    with pytest.raises(ArtefactError, match=f"found '0123456789abcdef', expected {FEATURES.fingerprint}"):
        read_artefact(made.folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "forest"}, "kind: found 'forest', expected logistic_regression"),
        ({"features": ["answered"]}, "declared features in declared order"),
        ({"means": [0.0]}, r"means: found 1, expected \d+ numbers, one a term"),
        ({"threshold": 1.0}, r"threshold: found 1\.0, expected a probability"),
        ({"intercept": "0.1"}, "intercept: found '0.1', expected a finite number"),
        ({"training": {"first": 1}}, "first: found 1, expected a string"),
        ({"synthetic": 1}, "synthetic: found 1, expected true or false"),
        ({"terms": [{"feature": "nobody", "operation": "log", "knot": 0, "upper": 0}]}, "feature: found 'nobody'"),
        (
            {"terms": [{"feature": FEATURES.names[0], "operation": "sqrt", "knot": 0, "upper": 0}]},
            "operation: found 'sqrt', expected one",
        ),
        (
            {"terms": [{"feature": FEATURES.names[0], "operation": "ramp", "knot": 2, "upper": 2}]},
            "upper: found 2.0, expected more than the knot 2",
        ),
        ({"ranges": [[0, 1]]}, r"ranges: found 1, expected \d+ ranges, one a feature"),
        ({"ranges": [[1, 0]] + [None] * (len(FEATURES.names) - 1)}, r"ranges\[0\]: found \(1.0, 0.0\), expected a low"),
        ({"ranges": [["a", 0]] + [None] * (len(FEATURES.names) - 1)}, "found 'a', expected a finite number"),
        ({"support": {"total": 10, "least": 0}}, r"least: found 0\.0, expected more than 0"),
        ({"known": [1.0]}, r"known: found 1, expected \d+ weights"),
        ({"active": [1.0]}, r"active: found 1, expected \d+ weights"),
        ({"terms": [3]}, r"terms\[0\]: found 3, expected an object"),
        ({"metrics": {"auc": float("nan")}}, "found no JSON .*NaN"),
    ],
)
def test_wrong_value_is_refused_with_found_and_expected(made, changes, message):
    rewrite_model(made.folder, **changes)

    with pytest.raises(ArtefactError, match=message):
        read_artefact(made.folder)


def test_model_that_orders_the_wrong_way_round_is_refused_as_a_model(made):
    rewrite_model(made.folder, calibration={"slope": -1, "offset": 0})

    with pytest.raises(ModelRefusedError, match="found a slope of -1, expected more than 0"):
        read_artefact(made.folder)


def test_term_that_never_varied_must_have_no_weight(made):
    scales = [0.0] + made.document["scales"][1:]
    rewrite_model(made.folder, scales=scales)

    with pytest.raises(ArtefactError, match=r"scales\[0\]: found 0\.0, expected a positive scale"):
        read_artefact(made.folder)


def test_term_below_the_least_support_must_have_no_weight(made):
    rewrite_model(made.folder, inactive=[29.0] + made.document["inactive"][1:])

    with pytest.raises(ArtefactError, match=r"coefficients\[0\]: found .* support 29.*0 below the least support of 30"):
        read_artefact(made.folder)


def test_ranges_and_support_are_read_as_they_were_written(made):
    ranges = [None, *made.document["ranges"][1:]]
    rewrite_model(made.folder, ranges=ranges)

    model = read_artefact(made.folder).model

    assert model.ranges == (None, *(tuple(learnt) for learnt in ranges[1:]))
    assert (model.support.total, model.support.least, model.support.of(0)) == (1700.0, 30.0, 600.0)


def test_vectors_of_another_width_are_refused(made):
    write_sample(made.folder, made.vectors[:, :5], [0.5] * len(made.vectors))

    with pytest.raises(ArtefactError, match=r"found vectors of length \{5\}, expected"):
        read_artefact(made.folder)


def test_number_that_is_no_probability_is_refused(made):
    write_sample(made.folder, made.vectors[:2], [0.5, float("nan")])

    with pytest.raises(ArtefactError, match="probability outside 0 to 1 or none"):
        read_artefact(made.folder)


def test_sample_without_rows_is_refused(made):
    write_sample(made.folder, made.vectors[:0], [])

    with pytest.raises(ArtefactError, match="found 0 rows"):
        read_artefact(made.folder)


def test_damaged_files_are_refused_by_name(made):
    for name in ("sample.parquet", "challenger.joblib", "model.json"):
        kept = (made.folder / name).read_bytes()
        (made.folder / name).write_bytes(b"\x00 not this")

        with pytest.raises(ArtefactError, match=name):
            read_artefact(made.folder)

        (made.folder / name).write_bytes(kept)


def test_challenger_of_other_features_is_refused(made):
    classifier = HistGradientBoostingClassifier(max_iter=2).fit(made.vectors[:, :3], np.arange(len(made.vectors)) % 2)
    joblib.dump(classifier, made.folder / "challenger.joblib")

    with pytest.raises(ArtefactError, match="found 3 features"):
        read_artefact(made.folder)
