"""The benchmark of alerts: what it needs, and its figures from a demo's report."""

import pytest

from benchmarks.__main__ import usual_sections
from benchmarks.alerts import read_inputs, summarize
from benchmarks.claims import CLAIMS, missed
from benchmarks.errors import BenchmarkError
from tests.unit.reports.made_up_run import QUALITY, report

NAMED = {"CONTACTS": "contacts.csv", "SPLIT": "2023-08-24", "POLICY": "policy.json"}


def found(risk: dict) -> dict[str, float]:
    quality = {"high_risk": QUALITY | risk, "answer_due": QUALITY | {"before_answer": 1.0}}
    section = summarize(report(alerts={"quality": quality}, base_rate=0.2))
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
    assert usual_sections(NAMED) == list(CLAIMS)


def test_figures_are_those_of_risk_over_the_base_rate():
    figures = found({"contacts": 0.02, "precision": 0.56, "before_answer": 0.6})

    assert figures["risk_precision_over_base"] == pytest.approx(2.8)
    assert missed({"alerts": figures}) == []


def test_risk_on_too_many_contacts_misses_its_claim():
    (line,) = missed({"alerts": found({"contacts": 0.04, "precision": 0.56, "before_answer": 0.6})})

    assert line.startswith("alerts.risk_share_of_contacts missed")
