"""The outcome of learning on the terminal, and the command's verdict."""

import pytest

from infra.local.learn import describe
from infra.local.learning import PROMOTED, REFUSED, Outcome, judged_from
from reports.learning_summary import render_learning
from service_quality.message import LANGUAGES
from tests.unit.reports import made_up_run as made_up


def test_summary_shows_the_verdict_both_figures_and_why():
    lines = render_learning(made_up.learning(PROMOTED)).splitlines()

    assert lines[0] == "── What was learnt from what was served: promoted v-candidate"
    assert lines[1].startswith("  champion v-champion: ROC AUC 0.7093")
    assert "log loss 0.3921" in lines[1]
    assert lines[2].startswith("  candidate v-candidate: ")
    assert "log loss 0.3912" in lines[2]
    assert lines[3] == "  80 rounds since 2026-02-03, 15 of them dissatisfied"
    assert lines[4] == "  log loss of the candidate minus the champion's: −0.0009; at most +0.001 is allowed"
    assert lines[5] == "  log loss 0.3912 beside 0.3921 of champion v-champion"


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_before_any_judgement_says_why(language):
    outcome = Outcome(REFUSED, "found a model that leaps")

    lines = render_learning(outcome.fields(), language).splitlines()

    assert len(lines) == 3
    assert lines[2] == "  found a model that leaps"


def test_verdict_is_one_line():
    assert describe(Outcome(PROMOTED, "not worse", "v2")) == "promoted: v2; not worse"
    assert describe(Outcome(REFUSED, "it leaps")) == "refused: the candidate; it leaps"


@pytest.mark.parametrize(("days", "first"), [(1, "2026-03-01"), (3, "2026-02-27")])
def test_judged_days_end_with_the_day_of_the_latest_arrival(days, first):
    assert judged_from("2026-03-01T23:59:59.999Z", days) == first
