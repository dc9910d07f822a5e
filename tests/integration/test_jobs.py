"""From a synthetic world to a model that can be exported, on one Spark."""

import json

import joblib  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from model_export.command_line import main as model_export
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.basis import Term, basis_of
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, parse_instant
from spark_jobs import (
    build_training_set,
)
from spark_jobs.command_line import run_job
from spark_jobs.errors import InputError
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import (
    EVENTS,
    TRAINING_SET,
    TRAINING_SET_SCHEMA,
    table_properties,
)
from spark_jobs.learning.basis_columns import basis_columns
from spark_jobs.session.start import start_session
from tests.integration.conftest import SPLIT, WARM_UP_DAYS

pytestmark = pytest.mark.spark

SPLIT_AT = parse_instant(f"{SPLIT}T00:00:00Z")
START = SPLIT_AT - 14 * DAY


@pytest.fixture(scope="module")
def training_set(learned) -> pd.DataFrame:
    rows = start_session("test", str(learned.lake)).table(TRAINING_SET)
    found: pd.DataFrame = rows.withColumn("at", F.unix_millis("occurred_at")).orderBy("at", "event_id").toPandas()
    return found


@pytest.fixture(scope="module")
def model(learned) -> dict:
    read: dict = json.loads((learned.artefact / "model.json").read_text("utf-8"))
    return read


def test_training_set_says_what_it_was_made_from(learned):
    spark = start_session("test", str(learned.lake))

    properties = table_properties(spark, TRAINING_SET)

    assert properties["fingerprint"] == FEATURES.fingerprint
    assert properties["as_of"] == f"{SPLIT}T00:00:00.000Z"
    assert properties["events_snapshot"] == str(snapshot_of(spark, EVENTS))
    assert properties["code_version"] == str(CODE_VERSION)
    assert properties["synthetic"] == "true"
    assert spark.table(TRAINING_SET).schema == TRAINING_SET_SCHEMA


def test_training_set_holds_what_was_known_by_the_split(training_set, learned):
    rounds = training_set.groupby(["shop_id", "conversation_id", "round"])

    assert learned.summaries["build_training_set"]["rows"] == len(training_set)
    assert set(training_set["label"]) == {0, 1}
    assert training_set["at"].min() >= START + WARM_UP_DAYS * DAY
    assert training_set["at"].max() < SPLIT_AT
    assert (rounds["label"].nunique() == 1).all()
    assert rounds["weight"].sum().max() == pytest.approx(1)
    assert {len(vector) for vector in training_set["features"]} == {len(FEATURES.names)}
    assert not set(training_set["kind"]) & {"rated", "order_placed"}


def test_same_training_set_again_changes_nothing(learned, tmp_path):
    spark = start_session("test", str(learned.lake))
    before = snapshot_of(spark, TRAINING_SET)

    code = run_job(build_training_set.main, [*learned.training_set_argv(), "--json", str(tmp_path / "again.json")])

    again = json.loads((tmp_path / "again.json").read_text("utf-8"))
    first = learned.summaries["build_training_set"]
    assert (code, first["changed"], again["changed"]) == (0, True, False)
    assert {**again, "changed": True} == first
    assert snapshot_of(start_session("test", str(learned.lake)), TRAINING_SET) == before


def test_training_set_that_would_be_empty_replaces_none(learned, capsys):
    before = snapshot_of(start_session("test", str(learned.lake)), TRAINING_SET)

    code = run_job(build_training_set.main, ["--lake", str(learned.lake), "--as-of", "1999-01-01"])

    assert code == InputError.exit_code
    assert "found no rated conversation before 1999-01-01" in capsys.readouterr().err
    assert snapshot_of(start_session("test", str(learned.lake)), TRAINING_SET) == before


def test_features_carry_what_was_planted(training_set, model):
    """Trained on the earlier part by another library, judged on the later, one row a conversation."""
    vectors = np.array(training_set["features"].tolist(), dtype=np.float32)
    columns = basis_columns(vectors, FEATURES.names, basis_of(FEATURES), model["ranges"])
    basis = np.nan_to_num(StandardScaler().fit_transform(columns))
    cut = int(0.7 * len(basis))
    fitted = LogisticRegression(C=0.01, max_iter=500).fit(basis[:cut], training_set["label"][:cut])

    later = training_set.iloc[cut:].assign(score=fitted.predict_proba(basis[cut:])[:, 1])
    judged = later.groupby(["shop_id", "conversation_id"]).last()

    assert roc_auc_score(judged["label"], judged["score"]) > 0.6


def test_artefact_says_where_the_model_comes_from(model, learned):
    spark = start_session("test", str(learned.lake))

    assert (model["kind"], model["synthetic"]) == ("logistic_regression", True)
    assert (tuple(model["features"]), model["fingerprint"]) == (FEATURES.names, FEATURES.fingerprint)
    width = len(basis_of(FEATURES))
    assert {len(model[name]) for name in ("terms", "means", "scales", "coefficients")} == {width}
    assert tuple(Term(**term) for term in model["terms"]) == basis_of(FEATURES)
    training = model["training"]
    assert training["rows"] == learned.summaries["build_training_set"]["rows"]
    assert training["conversations"] == learned.summaries["build_training_set"]["conversations"]
    assert training["as_of"] == f"{SPLIT}T00:00:00.000Z"
    assert training["first"] < training["last"] < training["as_of"]
    assert training["events_snapshot"] == str(snapshot_of(spark, EVENTS))
    assert training["training_snapshot"] == str(snapshot_of(spark, TRAINING_SET))
    assert set(model["metrics"]) >= {"auc", "average_precision", "log_loss", "brier", "ece", "rows"}


def test_training_says_what_was_never_seen_and_what_was_left_out(model, learned):
    summary = learned.summaries["train_model"]
    ranges = dict(zip(model["features"], model["ranges"], strict=True))

    assert summary["never_seen"] == [name for name, ends in ranges.items() if ends is None or ends[0] == ends[1]]
    assert len(summary["terms_left_out"]) == model["scales"].count(0.0) > 0
    for at, scale in enumerate(model["scales"]):
        supported = min(model["active"][at], model["inactive"][at]) >= model["support"]["least"]
        assert supported or scale == model["coefficients"][at] == 0


def test_sample_holds_the_probabilities_that_the_figures_of_the_model_give(model, learned):
    sample = pd.read_parquet(learned.artefact / "sample.parquet")
    vectors = np.array(sample["features"].tolist(), dtype=np.float32)

    basis = basis_columns(vectors, FEATURES.names, [Term(**term) for term in model["terms"]], model["ranges"])
    scales = np.array(model["scales"])
    away = np.where(np.isnan(basis), 0, basis - model["means"])
    standardised = np.where(scales > 0, away / np.where(scales > 0, scales, 1), 0)
    log_odds = standardised @ np.array(model["coefficients"]) + model["intercept"]
    expected = 1 / (1 + np.exp(-(model["calibration"]["slope"] * log_odds + model["calibration"]["offset"])))

    assert len(sample) == model["training"]["rows"]
    assert np.abs(sample["probability"] - expected).max() < 1e-9
    assert np.ptp(expected) > 0.05


def test_challenger_knows_both_classes(learned):
    challenger = joblib.load(learned.artefact / "challenger.joblib")

    assert challenger.classes_.tolist() == [0, 1]
    assert challenger.n_features_in_ == len(FEATURES.names)
    described = json.loads((learned.artefact / "challenger.json").read_text("utf-8"))
    assert described["metrics"]["rows"] > 0


def test_export_accepts_what_was_trained(learned, tmp_path):
    argv = ["--artefact", str(learned.artefact), "--output", str(tmp_path / "model")]

    assert model_export(["export", *argv]) == 0

    parity = json.loads((tmp_path / "model" / "parity.json").read_text("utf-8"))
    assert parity["max_abs_diff"] <= 1e-6
    assert parity["flipped"] == 0
