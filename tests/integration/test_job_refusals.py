"""The output of jobs that cannot go on: one line, an exit code, no stack trace."""

import gzip
import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from service_quality.commit.transactions import declaration
from service_quality.features.feature_set import FEATURES
from spark_jobs import (
    build_training_set,
    check_consistency,
    evaluate_scores,
    export_events,
    fold_archive,
    judge_candidate,
    materialize_histories,
    train_model,
)
from spark_jobs.command_line import run_job
from spark_jobs.lake.tables import EVENTS, NAMESPACE, TRAINING_SET_SCHEMA, replace_training_set
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark


def run_one_line(main, argv, capsys) -> tuple[int, str]:
    """The exit code, and the one line on the standard error."""
    code = run_job(main, [str(word) for word in argv])
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("WARNING: Using incubator")]
    assert len(said) == 1, said
    assert "Traceback" not in said[0]
    return code, said[0]


LATER = ["--as-of", "2025-03-17"]
TARGETS = [
    *("--archive", "nothing-archived", "--state-table", "state", "--alerts-table", "alerts"),
    *("--event-stream", "events"),
    *("--control-key-secret", "key"),
]


@pytest.mark.parametrize(
    ("main", "argv", "code", "said"),
    [
        (build_training_set.main, [], 2, "--as-of"),
        (build_training_set.main, ["--as-of", "tomorrow"], 2, "found 'tomorrow'"),
        (build_training_set.main, [*LATER, "--warm-up-days", "few"], 2, "--warm-up-days"),
        (build_training_set.main, [*LATER, "--source", "log", "--policy", "s", "p.json"], 2, "found --policy beside"),
        (build_training_set.main, [*LATER, "--policy", "s", "p.json"], 4, "found no file p.json, expected a policy"),
        (train_model.main, ["--output", "x", "--seed", "0"], 2, "--seed"),
        (train_model.main, [], 2, "--output"),
        (materialize_histories.main, LATER, 2, "--archive, --state-table"),
        (check_consistency.main, [], 4, "expected what fold_archive writes"),
        (build_training_set.main, [*LATER, "--source", "log"], 4, "expected what fold_archive writes"),
        (fold_archive.main, [], 2, "ARCHIVE"),
        (judge_candidate.main, ["--candidate", "v1"], 2, "--bucket, --table"),
        (export_events.main, ["--since", "2025-03-17"], 2, "--output"),
        (build_training_set.main, LATER, 4, "found no table lake.service.events"),
        (train_model.main, ["--output", "x"], 4, "expected what build_training_set writes"),
        (materialize_histories.main, [*LATER, *TARGETS], 4, "found no table lake.service.events"),
        (export_events.main, ["--since", "2025-03-17", "--output", "x"], 4, "found no table lake.service.events"),
        (check_consistency.main, ["nowhere/archive"], 4, "nowhere/archive"),
        (evaluate_scores.main, ["nowhere/archive"], 4, "nowhere/archive"),
    ],
)
def test_job_that_cannot_begin_says_why(main, argv, code, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    found, line = run_one_line(main, [*argv, "--lake", tmp_path / "lake"], capsys)

    assert found == code
    assert said in line
    assert not (tmp_path / "lake").exists()


def test_events_of_other_columns_are_named(tmp_path, capsys):
    spark = start_session("test", str(tmp_path / "lake"))
    spark.sql(f"CREATE NAMESPACE {NAMESPACE}")
    spark.sql(f"CREATE TABLE {EVENTS} (event_id STRING) USING iceberg")
    spark.sql(f"INSERT INTO {EVENTS} VALUES ('e1')")

    code, line = run_one_line(build_training_set.main, [*LATER, "--lake", tmp_path / "lake"], capsys)

    assert code == 3
    assert "received_at" in line


def test_events_of_later_days_only_are_no_training_set(learned, tmp_path, capsys):
    code, line = run_one_line(
        materialize_histories.main, ["--as-of", "2020-01-01", *TARGETS, "--lake", learned.lake], capsys
    )

    assert (code, "found no event before 2020-01-01" in line) == (3, True)


@pytest.mark.parametrize(
    ("fingerprint", "said"),
    [("other", f"found a training set of features other, expected {FEATURES.fingerprint}"), (None, "at least 200")],
    ids=["features of another declaration", "too few rows"],
)
def test_training_set_that_cannot_be_used_is_refused(fingerprint, said, tmp_path, capsys):
    spark = start_session("test", str(tmp_path / "lake"))
    vector = [0.0] * len(FEATURES.names)
    row = ("e1", "c1", "shop", "agent_message", pd.Timestamp("2025-03-03").to_pydatetime(), 1, vector, 1, 1.0)
    rows = spark.createDataFrame([row], TRAINING_SET_SCHEMA)
    replace_training_set(rows, properties={"fingerprint": fingerprint or FEATURES.fingerprint})

    argv = ["--output", tmp_path / "artefact", "--lake", tmp_path / "lake"]
    code, line = run_one_line(train_model.main, argv, capsys)

    assert (code, said in line) == (3, True), line
    assert not (tmp_path / "artefact").exists()


def keep_contacts(lake, dissatisfied) -> None:
    """A training set of 400 contacts, one row each, a minute apart; those of these numbers are dissatisfied."""
    spark = start_session("test", str(lake))
    random = np.random.default_rng(1)
    first = pd.Timestamp("2025-03-03").to_pydatetime()
    rows = [
        (
            f"e{number}",
            f"c{number}",
            "shop",
            "agent_message",
            first + timedelta(minutes=number),
            1,
            random.random(len(FEATURES.names)).tolist(),
            int(number in dissatisfied),
            1.0,
        )
        for number in range(400)
    ]
    replace_training_set(
        spark.createDataFrame(rows, TRAINING_SET_SCHEMA), properties={"fingerprint": FEATURES.fingerprint}
    )


@pytest.mark.parametrize(
    ("dissatisfied", "said"),
    [
        (range(372, 400), "0 of label 1 before 2025-03-03T03:59"),
        (range(28), "0 of label 1 from 2025-03-03T05:59"),
        (range(10, 400), "found 0 rows of label 0 and 41 of label 1 from 2025-03-03T05:59"),
    ],
    ids=["only in the last 7 %", "only in the first 7 %", "all but the first ten"],
)
def test_labels_that_cannot_be_learnt_or_judged_in_time_leave_the_last_model(dissatisfied, said, tmp_path, capsys):
    keep_contacts(tmp_path / "lake", dissatisfied)
    last = tmp_path / "last"
    last.mkdir()
    (last / "model.json").write_text("the last good one")

    code, line = run_one_line(train_model.main, ["--output", last, "--lake", tmp_path / "lake"], capsys)

    assert (code, "found" in line, said in line, "expected both" in line) == (3, True, True, True), line
    assert {path.name: path.read_text() for path in last.iterdir()} == {"model.json": "the last good one"}


@pytest.mark.slow
def test_days_without_the_dissatisfied_hinder_no_training(tmp_path, capsys):
    keep_contacts(tmp_path / "lake", [*range(0, 200, 5), *range(365, 400, 5)])

    argv = ["--output", tmp_path / "artefact", "--l2", "0.002", "--lake", tmp_path / "lake"]
    code = run_job(train_model.main, [str(word) for word in argv])

    said = capsys.readouterr()
    assert code == 0, said.err
    assert "AUC 0." in said.out
    model = json.loads((tmp_path / "artefact" / "model.json").read_text("utf-8"))
    figures = [model["intercept"], *model["coefficients"], *model["calibration"].values(), model["metrics"]["log_loss"]]
    assert np.isfinite(figures).all()


ROW = {"shop_id": "s", "follows": "", "last": "p1", "fold_version": "1", "fingerprint": FEATURES.fingerprint}
DECLARED = {"declared": declaration(FEATURES)}


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ([json.dumps({**ROW, "fingerprint": "other", "entries": [{"position": "p1", "duplicate": True}]})], 3, "other"),
        ([json.dumps({**ROW, **DECLARED, "entries": [{"position": "p1", "duplicate": True}]})], 3, "no scored event"),
        ([], 3, "found no scored event"),
        (["no JSON"], 3, "expected archive rows"),
        (['{"shop_id": "s"}'], 3, "found a line without follows, last"),
    ],
    ids=["features of another declaration", "nothing scored", "nothing at all", "text", "other JSON"],
)
def test_archive_that_cannot_be_checked_is_refused(lines, code, said, tmp_path, capsys):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a.jsonl.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))

    found, line = run_one_line(check_consistency.main, [tmp_path / "archive", "--lake", tmp_path / "lake"], capsys)

    assert (found, said in line) == (code, True), line


SCORED = {
    "shop_id": "s", "position": "p1", "event_id": "e1", "conversation_id": "c1", "kind": "agent_message",
    "occurred_at": 1_750_000_000_000, "served_score": 0.5, "model_version": "v1", "rating": None, "rejected": None,
    "duplicate": False,
}  # fmt: skip
SCORED_DDL = (
    "shop_id string, position string, event_id string, conversation_id string, kind string, occurred_at long, "
    "served_score double, model_version string, rating long, rejected string, duplicate boolean"
)


def break_judging(patch: pytest.MonkeyPatch) -> None:
    """The archive holds a score, and judging it fails."""
    patch.setattr(evaluate_scores, "read_entries", lambda spark, _: spark.createDataFrame([SCORED], SCORED_DDL))
    patch.setattr(evaluate_scores, "judge", lambda *_: 1 / 0)


def break_export(patch: pytest.MonkeyPatch) -> None:
    """The second event cannot be written."""
    lines = [b"{}"]
    patch.setattr(export_events, "event_to_json", lambda _: lines.pop())


def break_sample(patch: pytest.MonkeyPatch) -> None:
    """The model is written, the sample beside it is not."""
    patch.setattr(train_model, "write_sample", lambda *_: 1 / 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("main", "argv", "breaks"),
    [
        (evaluate_scores.main, ["archive", "--scores", "last/model.json"], break_judging),
        (export_events.main, ["--since", "2025-03-17", "--output", "last/model.json"], break_export),
        (export_events.main, ["--since", "2999-01-01", "--output", "last/model.json"], lambda _: None),
        (train_model.main, ["--output", "last", "--l2", "0.002"], break_sample),
    ],
    ids=["scores", "events", "no events", "model"],
)
def test_job_that_fails_leaves_the_last_results_alone(main, argv, breaks, learned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last").mkdir()
    for name in ("model.json", "summary.json"):
        (tmp_path / "last" / name).write_text("the last good one")
    breaks(monkeypatch)

    code, _ = run_one_line(main, [*argv, "--lake", learned.lake, "--json", "last/summary.json"], capsys)

    assert code != 0
    left = {path.name: path.read_text() for path in (tmp_path / "last").iterdir()}
    assert left == {"model.json": "the last good one", "summary.json": "the last good one"}
