"""The daily sweep of customers: scores by the functions' own scorer, and what is reported of whom."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.events.control_parsing import parse_control
from service_quality.events.control_signatures import sign_control
from service_quality.events.finding_reported import FindingReported
from service_quality.features.vectors import to_vector
from service_quality.instants import DAY, format_instant
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs import judge_candidate, score_customers
from spark_jobs.command_line import run_job
from spark_jobs.errors import ArgumentError, InputError
from spark_jobs.judge_candidate import judge_customers
from spark_jobs.lake.tables import CUSTOMER_SCORES, write_events
from spark_jobs.learning.customer_scores import FINDING_HOLDS, called_before, with_reported
from spark_jobs.learning.judged_models import read_model
from spark_jobs.session.start import start_session
from tests.parity.test_customer_rows import MONDAY, lake_of, orders
from tests.stand_ins.control import KEY
from tests.stand_ins.tiny_churn import tiny_churn
from tests.stand_ins.tiny_model import tiny_model

pytestmark = pytest.mark.spark

SCORED = "shop_id string, customer_id string, score double"
WEEK = 7 * DAY


@pytest.fixture
def spark(tmp_path: Path) -> SparkSession:
    return start_session("test", str(tmp_path / "lake"))


def scored(spark: SparkSession, *rows: tuple[str, float], shop: str = "shop") -> DataFrame:
    return spark.createDataFrame([(shop, *row) for row in rows], SCORED)


def called(spark: SparkSession, *customers: str) -> DataFrame:
    return spark.createDataFrame([("shop", one) for one in customers], "shop_id string, customer_id string")


def reported(found: DataFrame) -> dict[str, tuple[bool, bool]]:
    return {row["customer_id"]: (row["due"], row["reported"]) for row in found.collect()}


def test_finding_is_due_from_the_threshold_on_and_once_below_it(spark):
    rows = scored(spark, ("at", 0.5), ("below", 0.499), ("over", 0.1), ("still", 0.9))

    found = reported(with_reported(rows, called(spark, "over", "still", "gone"), 0.5))

    assert found == {
        "at": (True, True), "below": (False, False), "over": (True, True), "still": (True, True),
    }  # fmt: skip


def test_of_too_many_findings_of_a_shop_the_highest_scores_are_reported(spark):
    rows = scored(spark, ("a", 0.7), ("b", 0.9), ("c", 0.7), ("d", 0.1)).unionAll(
        scored(spark, ("e", 0.6), shop="other")
    )

    found = reported(with_reported(rows, called(spark), 0.5, most=2))

    assert {name for name, (_, is_reported) in found.items() if is_reported} == {"a", "b", "e"}
    assert found["c"] == (True, False)
    assert found["d"] == (False, False)


def test_run_before_is_the_shops_last_before_the_instant(spark):
    rows = [
        ("shop", "old", MONDAY - 2 * DAY, 0.9, True),
        ("shop", "high", MONDAY - DAY, 0.9, True),
        ("shop", "over", MONDAY - DAY, 0.2, True),
        ("shop", "left out", MONDAY - DAY, 0.6, False),
        ("shop", "now", MONDAY, 0.9, True),
        ("other", "elsewhere", MONDAY - 5 * DAY, 0.5, True),
    ]
    stored = spark.createDataFrame(rows, "shop_id string, customer_id string, ms long, score double, reported boolean")

    found = called_before(stored.selectExpr("*", "timestamp_millis(ms) as as_of"), MONDAY, 0.5).collect()

    assert {row["customer_id"] for row in found} == {"high", "elsewhere"}


def run(tmp_path: Path, as_of: int, *more: str) -> list[dict]:
    """The findings of a run of the job; its summary is in summary.json."""
    (tmp_path / "model.onnx").write_bytes(tiny_churn())
    argv = ["--as-of", format_instant(as_of), "--model", str(tmp_path / "model.onnx"), "--lake", str(tmp_path / "lake")]
    written = ["--findings", str(tmp_path / "findings.jsonl"), "--json", str(tmp_path / "summary.json")]
    assert run_job(score_customers.main, [*argv, *written, *more]) == 0
    return [json.loads(line) for line in (tmp_path / "findings.jsonl").read_text("utf-8").splitlines()]


def rows_of(spark: SparkSession, as_of: int) -> dict[str, Row]:
    spark.catalog.refreshTable(CUSTOMER_SCORES)
    found = spark.table(CUSTOMER_SCORES).where(f"as_of = timestamp_millis({as_of})").collect()
    return {row["customer_id"]: row for row in found}


def test_sweep_scores_who_ordered_and_reports_who_may_leave_and_who_no_longer(spark, tmp_path):
    twice = [("busy", MONDAY - 89 * DAY), ("busy", MONDAY - 80 * DAY)]
    write_events(lake_of(spark, orders(*twice, ("idle", MONDAY - 91 * DAY), ("ahead", MONDAY), ("busy", MONDAY + DAY))))

    first = run(tmp_path, MONDAY)
    again = run(tmp_path, MONDAY)
    stored = rows_of(spark, MONDAY)
    later = run(tmp_path, MONDAY + 5 * DAY)

    # sigmoid(−0.5 + 1.5 × orders): busy has 2 orders at first; 5 days later 1 has left the 90 days, one came
    (found,) = first
    assert first == again
    assert (found["finding"], found["subject_kind"], found["subject_id"]) == ("churn", "customer", "busy")
    assert found["score"] == found["values"]["churn_score"] == pytest.approx(0.924142, abs=1e-6)
    assert found["values"]["customer_orders_90d"] == 2
    assert found["values"]["customer_complaints_90d"] == 0
    assert found["reasons"] == [["customer_orders_90d", 2.0, 3.0]]
    assert (found["as_of"], found["valid_until"]) == (format_instant(MONDAY), format_instant(MONDAY + FINDING_HOLDS))
    assert found["model_version"].startswith("20250303T000000Z-")
    assert set(stored) == {"busy"}
    scorer = OnnxScorer(tiny_churn(), "v1", CHURN)
    assert stored["busy"]["score"] == scorer.score(to_vector(stored["busy"]["features"])).probability
    assert {one["subject_id"] for one in later} == {"ahead", "busy"}
    assert len(rows_of(spark, MONDAY)) == 1  # a later run leaves it


def test_customer_whose_score_fell_below_is_reported_once_more(spark, tmp_path, monkeypatch):
    write_events(lake_of(spark, orders(("a", MONDAY - DAY))))
    (first,) = run(tmp_path, MONDAY)
    weaker = tiny_churn(bias=-3.0)
    monkeypatch.setattr("tests.parity.test_score_customers.tiny_churn", lambda: weaker)

    (second,) = run(tmp_path, MONDAY + DAY)
    third = run(tmp_path, MONDAY + 2 * DAY)

    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert first["score"] > 0.5 > second["score"] == second["values"]["churn_score"]
    assert third == []
    assert (summary["customers"], summary["findings"], summary["no_longer"], summary["left_out"]) == (1, 0, 0, 0)


def test_findings_are_put_signed_on_the_stream(spark, tmp_path, monkeypatch):
    write_events(lake_of(spark, orders(("a", MONDAY - DAY), ("b", MONDAY - DAY))))
    taken: list[bytes] = []

    def put(stream: str, records: Sequence, key: bytes) -> None:
        assert stream == "events"
        taken.extend(sign_control(one, key, issued_at=MONDAY) for one in records)

    monkeypatch.setattr(score_customers, "put_many_control_records", put)
    monkeypatch.setattr(score_customers, "read_control_key", lambda secret: KEY)

    written = run(tmp_path, MONDAY, "--event-stream", "events", "--control-key-secret", "key")

    read = [parse_control(json.loads(data), arrived_at=MONDAY, key=lambda: KEY) for data in taken]
    found = [one for one in read if isinstance(one, FindingReported)]
    assert [one.event_id for one in found] == [f"churn/customer/{name}/{format_instant(MONDAY)}" for name in "ab"]
    assert [one.subject_id for one in found] == [one["subject_id"] for one in written]


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        ([], 2, "found none of --model, --bucket and --table"),
        (["--model", "m", "--bucket", "b"], 2, "found --model and --bucket of"),
        (["--model", "m", "--event-stream", "s"], 2, "found one of --event-stream and --control-key-secret"),
        (["--model", "nowhere"], 4, "found no file nowhere"),
        (["--model", "other"], 3, "found a model of task dissatisfaction, expected one of churn"),
        (["--model", "text"], 3, "found a file that does not load, expected ONNX"),
        (["--model", "nobody"], 3, "found no customer with an order in the 90 days before 2025-03-03"),
    ],
)
def test_what_cannot_be_scored_is_said(argv, code, said, spark, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_events(lake_of(spark, orders(("a", MONDAY))))
    for name, data in (("other", tiny_model()), ("text", b"text"), ("nobody", tiny_churn())):
        Path(name).write_bytes(data)

    given = ["--as-of", format_instant(MONDAY), "--lake", str(tmp_path / "lake"), *argv]
    found = run_job(score_customers.main, given)

    assert (found, said in capsys.readouterr().err) == (code, True)


def test_models_of_churn_are_judged_on_cutoffs_that_neither_has_seen(spark):
    placed = orders(
        ("first", MONDAY - 100 * DAY), ("leaves", MONDAY - 84 * DAY),
        ("stays", MONDAY - DAY), ("stays", MONDAY + 80 * DAY), ("stays", MONDAY + 150 * DAY),
    )  # fmt: skip
    ends = (MONDAY - 30 * DAY, MONDAY)
    made = (
        tiny_churn(bias=bias, training={"as_of": format_instant(end)})
        for bias, end in zip((-0.5, -1.5), ends, strict=True)
    )
    champion, candidate = (read_model(name, data) for name, data in zip(("old", "new"), made, strict=True))

    found = judge_customers(lake_of(spark, placed), MONDAY + 90 * DAY, champion, candidate)

    # at MONDAY alone, with one order in 90 days each: sigmoid(−0.5 + 1.5) and sigmoid(−1.5 + 1.5)
    assert (found["task"], found["rows"], found["customers"], found["churned"]) == ("churn", 2, 2, 1)
    assert (found["since"], found["until"]) == (format_instant(MONDAY), format_instant(MONDAY))
    assert found["champion"]["log_loss"] == pytest.approx((1.313262 + 0.313262) / 2, abs=1e-5)
    assert found["candidate"]["log_loss"] == pytest.approx(0.693147, abs=1e-5)


def test_weeks_that_have_not_closed_cannot_be_judged(spark):
    model = read_model("v", tiny_churn(training={"as_of": format_instant(MONDAY)}))

    with pytest.raises(InputError, match="found no week from 2025-03-03"):
        judge_customers(lake_of(spark, orders(("a", MONDAY - DAY))), MONDAY + 30 * DAY, model, model)


def test_judgement_of_churn_needs_the_instant_by_which_labels_had_closed():
    argv = ["--task", "churn", "--candidate", "v", "--bucket", "b", "--table", "t"]

    with pytest.raises(ArgumentError, match="found --task churn without --as-of"):
        judge_candidate.read_options(argv)
