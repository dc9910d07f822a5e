"""The rule of promotion: not worse than the champion, on enough rounds that neither has seen."""

import json
from pathlib import Path

import pytest

from model_export.errors import ArtefactError, ModelRefusedError, RegistryConflictError
from model_export.judgement import LEAST_ROUNDS, Judgement, read_judgement


def judgement(tmp_path: Path, *, candidate: float = 0.4, champion: float = 0.4, **changed: object) -> Judgement:
    document = {
        "since": "2026-02-02T00:00:00.000Z",
        "rounds": 80,
        "dissatisfied": 15,
        "champion": {"version": "old", "log_loss": champion},
        "candidate": {"version": "new", "log_loss": candidate},
        **changed,
    }
    path = tmp_path / "judgement.json"
    path.write_text(json.dumps(document), "utf-8")
    return read_judgement(path)


@pytest.mark.parametrize("candidate", [0.3, 0.4, 0.401])
def test_candidate_that_is_at_most_a_thousandth_worse_may_replace_the_champion(tmp_path, candidate):
    judgement(tmp_path, candidate=candidate).require("new", champion="old")


def test_worse_candidate_is_refused_with_both_figures(tmp_path):
    worse = judgement(tmp_path, candidate=0.4012)

    with pytest.raises(ModelRefusedError) as refused:
        worse.require("new", champion="old")

    assert "version new: found log loss 0.4012 beside 0.4000 of champion old, on 80 rounds" in str(refused.value)
    assert "expected at most 0.001 above the champion's" in str(refused.value)


@pytest.mark.parametrize(("rounds", "dissatisfied"), [(LEAST_ROUNDS - 1, 10), (80, 0), (80, 80), (0, 0)])
def test_too_few_rounds_or_one_outcome_alone_refuse(tmp_path, rounds, dissatisfied):
    found = judgement(tmp_path, candidate=0.1, rounds=rounds, dissatisfied=dissatisfied)

    with pytest.raises(ModelRefusedError, match=f"found {rounds} rounds since .*, {dissatisfied} of them"):
        found.require("new", champion="old")


def test_judgement_beside_another_champion_is_none_for_the_present_one(tmp_path):
    with pytest.raises(RegistryConflictError, match="beside old, expected one beside the champion newest"):
        judgement(tmp_path).require("new", champion="newest")


def test_judgement_of_another_candidate_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="found a judgement of new, expected one of other"):
        judgement(tmp_path).require("other", champion="old")


@pytest.mark.parametrize("loss", [float("nan"), "0.4", None])
def test_loss_that_is_no_number_is_refused(tmp_path, loss):
    with pytest.raises(ArtefactError):
        judgement(tmp_path, candidate=loss)


def test_judgement_of_churn_counts_customers(tmp_path):
    found = judgement(tmp_path, task="churn", customers=20, churned=5)

    assert found.found.endswith("on 20 customers since 2026-02-02T00:00:00.000Z")
    with pytest.raises(
        ModelRefusedError, match=r"found 20 customers since .*, 5 of them churned, expected at least 30"
    ):
        found.require("new", champion="old")
