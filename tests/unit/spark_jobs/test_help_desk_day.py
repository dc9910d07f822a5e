"""A help desk's day of twenty odd conversations gives the figures that were worked out by hand (README beside them)."""

import json
from typing import Any

import pytest

from cli.paths import ROOT
from service_quality.instants import MINUTE
from spark_jobs.backtest_rules import main
from spark_jobs.entry.endings import run_job

DAY = ROOT / "tests" / "fixtures" / "help_desk_day"
BY_HAND: dict[str, list[dict[str, Any]]] = json.loads((DAY / "expected.json").read_text("utf-8"))
OPTIONS = ["--policy", str(DAY / "policy.json"), "--conversations", "--json"]


@pytest.fixture
def described(capsys) -> dict[str, dict[str, Any]]:
    """The conversations as the dry run describes them, by id."""
    code = run_job(main, ["--events", str(DAY / "events.jsonl"), *OPTIONS])
    printed = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert code == 0
    return {one["conversation_id"]: one for one in printed if one["type"] == "conversation"}


def minutes(duration: int | None) -> float | None:
    return None if duration is None else duration / MINUTE


def figures(one: dict[str, Any]) -> dict[str, Any]:
    """What a team lead reads of a round."""
    return {
        "waited_minutes": [minutes(reply["waited_ms"]) for reply in one["replies"]],
        "on_time": [reply["on_time"] for reply in one["replies"]],
        "abandoned": [turn["abandoned"] for turn in one["unanswered"]],
        "resolution_minutes": minutes(one["resolution_ms"]),
        "rating": one["rating"],
        "messages": [one[f"{who}_messages"] for who in ("customer", "agent", "bot")],
        "end": one["end"],
        "owner": one["owner"],
    }


def test_figures_of_the_day_are_those_worked_out_by_hand(described):
    found = {name: [figures(one) for one in described[name]["rounds"]] for name in BY_HAND}

    assert len(BY_HAND) == 20
    assert found == BY_HAND


def test_first_response_is_the_first_wait_of_each_round(described):
    for name, rounds in BY_HAND.items():
        firsts = [minutes(one["first_response_ms"]) for one in described[name]["rounds"]]
        assert firsts == [one["waited_minutes"][0] if one["waited_minutes"] else None for one in rounds], name


def test_open_hours_of_the_mails_leave_out_night_lunch_and_closed_days(described):
    replies = {name: described[name]["rounds"][0]["replies"][0] for name in ("16", "17", "18")}

    assert {name: minutes(one["business_ms"]) for name, one in replies.items()} == {"16": 60, "17": 90, "18": 60}
    assert {one["judged_by"] for one in replies.values()} == {"business"}


def test_each_agent_is_charged_for_the_time_in_which_the_conversation_was_theirs(described):
    (only,) = described["06"]["rounds"]
    (reply,) = only["replies"]

    assert len(only["transfers"]) == 1
    assert reply["shares"] == [
        {"agent_id": "ann", "waited_ms": 9.5 * MINUTE},
        {"agent_id": "bob", "waited_ms": 2 * MINUTE},
    ]


def test_conversation_that_its_source_never_closes_ends_after_seven_days_that_are_open(described):
    (only,) = described["19"]["rounds"]

    assert (only["ended_at"], only["end_is_derived"]) == ("2026-03-12T01:01:00.000Z", True)


def test_rating_is_of_the_agent_who_answered_and_two_of_five_is_dissatisfied(described):
    rated = {name: described[name]["rounds"][0] for name in ("01", "05")}

    assert {name: (one["rated_agent"], one["dissatisfied"]) for name, one in rated.items()} == {
        "01": ("ann", True), "05": ("bob", False),
    }  # fmt: skip


def test_merged_conversation_is_void(described):
    assert [name for name, one in described.items() if one["merged"]] == ["12"]
