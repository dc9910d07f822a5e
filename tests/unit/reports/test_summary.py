"""The summary on the terminal: short, aligned in both languages, and unable to move the cursor."""

import unicodedata

import pytest

from reports.summary import render_summary
from service_quality.message import LANGUAGES
from tests.unit.reports import made_up_run as made_up


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_fullest_summary_has_at_most_forty_lines(language):
    risky = {
        "kind": "agent_risk_above_team",
        "subject": {"kind": "agent", "id": "0" * 24},
        "evidence": {
            "agent_dissatisfied_rate_30d": 0.312,
            "supervisor_dissatisfied_rate_30d": 0.184,
            "agent_ratings_30d": 31,
        },
        "reasons": 5 * list(made_up.alert("a").reasons[:1]),
    }
    report = made_up.report(synthetic=True)
    report["alerts"]["by_kind"]["agent_risk_above_team"] = {"opened": 4}

    lines = render_summary(report, [made_up.alert(name, **risky) for name in "abc"], language).splitlines()

    assert len(lines) <= 40
    assert max(map(width, lines)) <= 125


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_are_aligned(language):
    lines = render_summary(made_up.report(), [], language).splitlines()

    metrics = [line for line in lines if "ROC AUC" in line or "0.391" in line]
    assert len(metrics) == 5
    assert len({width(line) for line in metrics}) == 1


def test_summary_says_what_was_found():
    text = render_summary(made_up.report(), made_up.alerts())

    assert text.startswith("Contacts in, alerts out · contacts.csv.gz · 3 min 5 s\n")
    assert "74,918 interaction events · 5,241 conversations · 12 rows rejected" in text
    assert "compared 331,704, mismatched 0, missing 0, extra 0, archive chain whole" in text
    assert "✓ holds" in text
    assert "✗" not in text
    assert "published 3, received by queue 3, received by web 3" in text
    assert "1. Conversation is likely to end dissatisfied [critical, got worse]" in text
    assert "+ dissatisfaction rate of the agent in the last 30 days: 31.0 % (raises the risk: odds × 1.50)" in text
    assert "− orders of the customer in the last 90 days: 4 (lowers the risk: odds × 0.90)" in text
    assert "the customer has been waiting for: 2 h 15 min" in text


def test_failed_proof_stands_out():
    broken = {"compared": 9, "mismatched": 2, "missing": 0, "extra": 0, "chain": "broken"}

    text = render_summary(made_up.report(consistency=broken), [], "zh")

    assert "✗ 未通过" in text
    assert "不一致 2" in text
    assert "归档链 断裂" in text


def test_synthetic_data_is_named_in_the_first_line():
    assert "SYNTHETIC DATA" in render_summary(made_up.report(synthetic=True), []).splitlines()[0]
    assert "合成数据" in render_summary(made_up.report(synthetic=True), [], "zh").splitlines()[0]
    assert "SYNTHETIC" not in render_summary(made_up.report(), [])


def test_run_without_alerts_and_ratings_has_dashes():
    report = made_up.report(
        model={"kind": "logistic_regression", "rows": 0},
        alerts={"published": 0, "received": 0, "received_http": 0, "by_kind": {}},
    )

    text = render_summary(report, [])

    assert "No alert was received." in text
    assert "None" not in text


def test_hostile_strings_cannot_steer_the_terminal():
    hostile = "shop\x1b[2J\n\u202efake"

    text = render_summary(made_up.report(source=hostile), [made_up.alert("a", shop_id=hostile)])

    assert all(line.isprintable() for line in text.splitlines())
    assert text.count("shop?[2J??fake") == 2
