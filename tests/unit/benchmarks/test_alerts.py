"""The benchmark of alerts: what it needs, and its figures from a demo's report."""

import json

import pytest

from benchmarks.__main__ import usual_sections
from benchmarks.alert_runs.breaches import Compared
from benchmarks.alerts import compare_breaches, read_inputs, summarize
from benchmarks.claims import CLAIMS, missed
from benchmarks.errors import BenchmarkError
from service_quality.instants import parse_instant
from tests.unit.reports.made_up_run import QUALITY, report

NAMED = {"CONTACTS": "contacts.csv", "SPLIT": "2023-08-24", "POLICY": "policy.json"}


ALL_ALERTED = Compared(40, 40, 0, 1)


def found(risk: dict, waits: Compared = ALL_ALERTED) -> dict[str, float]:
    quality = {"high_risk": QUALITY | risk, "answer_due": QUALITY | {"before_answer": 1.0}}
    section = summarize(report(alerts={"quality": quality}, base_rate=0.2), waits)
    return dict(section.figures)


@pytest.mark.parametrize("name", NAMED)
def test_missing_input_is_named(name):
    with pytest.raises(BenchmarkError, match=f"found no {name}, expected all of them"):
        read_inputs(NAMED | {name: ""})


def test_files_are_absolute_since_the_demo_runs_elsewhere():
    contacts, split, policy = read_inputs(NAMED)

    assert contacts.startswith("/")
    assert policy.startswith("/")
    assert split == "2023-08-24"


def test_all_sections_leave_out_alerts_without_contacts():
    assert "alerts" not in usual_sections({})
    assert usual_sections(NAMED | {"UCI": "a.csv"}) == list(CLAIMS)


def test_figures_are_those_of_risk_over_the_base_rate():
    figures = found({"contacts": 0.02, "precision": 0.56, "before_answer": 0.6})

    assert figures["risk_precision_over_base"] == pytest.approx(2.8)
    assert missed({"alerts": figures}) == []


def test_breach_without_an_alert_and_alert_without_a_breach_miss_their_claims():
    risk = {"contacts": 0.02, "precision": 0.56, "before_answer": 0.6}

    lines = missed({"alerts": found(risk, Compared(40, 39, 2, 0))})

    assert [line.split()[0] for line in lines] == ["alerts.breaches_alerted", "alerts.needless_breaches"]


def test_breaches_are_read_from_the_export_and_the_alerts_from_the_folder_of_the_demo(tmp_path):
    (tmp_path / "contacts.csv").write_text(
        "Unique id,Issue_reported at,issue_responded\na,24/08/2023 10:00,26/08/2023 10:00\n"
    )
    policy = {"zone": "Asia/Kolkata", "targets": [{"first_response": "P1D"}]}
    evidence = {"answer_due_at": parse_instant("2023-08-25T10:00:00+05:30")}
    alert = {"kind": "answer_due", "severity": "critical", "state": "worsened", "evidence": evidence}
    (tmp_path / "alerts.jsonl").write_text(json.dumps(alert) + "\n")
    (tmp_path / "replay.jsonl").write_text('{"received_at": "2023-08-28T00:00:00Z"}\n{"kind": "time_reached"}\n')

    waits = compare_breaches(tmp_path / "contacts.csv", policy, "2023-08-24", demo=tmp_path)

    assert waits == Compared(1, 1, 0, 0)


def test_risk_on_too_many_contacts_misses_its_claim():
    (line,) = missed({"alerts": found({"contacts": 0.04, "precision": 0.56, "before_answer": 0.6})})

    assert line.startswith("alerts.risk_share_of_contacts missed")
