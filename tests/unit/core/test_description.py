"""A conversation in plain values, as a dry run prints it."""

from typing import Any

from service_quality.conversations.description import describe_conversation
from service_quality.instants import DAY, HOUR, MINUTE
from tests.unit.core.sample_events import NOON, conversation, event


def rounds_in(described: dict[str, object]) -> list[dict[str, Any]]:
    rounds = described["rounds"]
    assert isinstance(rounds, list)
    return rounds


def test_description_of_a_conversation_that_waits():
    described = describe_conversation(conversation(event("conversation_opened", 0), event("reopened", 60_000)))

    (only,) = rounds_in(described)
    assert described["waiting_since"] == only["waiting_since"] == only["opened_at"]
    assert (described["owner"], described["closed"], only["reopening"]) == (None, False, False)


def test_description_of_a_conversation_that_was_reopened_and_resolved_again():
    described = describe_conversation(
        conversation(
            event("conversation_opened", 0), event("assigned", 1, agent_id="ann"), event("assigned", 2, agent_id="bob"),
            event("agent_message", MINUTE, agent_id="bob"), event("resolved", HOUR),
            event("reopened", DAY), event("complaint_filed", DAY + 1), event("resolved", DAY + MINUTE),
        )
    )  # fmt: skip

    first, second = rounds_in(described)
    assert (described["waiting_since"], described["closed"], described["owner"]) == (None, True, "bob")
    assert (first["end"], first["end_is_derived"], first["resolved"]) == ("resolved", False, True)
    assert (first["resolution_ms"], first["transfers"]) == (HOUR, ["2023-08-31T12:00:00.002Z"])
    assert first["replies"][0]["shares"] == [
        {"agent_id": "ann", "waited_ms": 1}, {"agent_id": "bob", "waited_ms": MINUTE - 2},
    ]  # fmt: skip
    assert (second["reopening"], second["resolved"], second["resolution_ms"]) == (True, False, None)
    assert second["complaints"] == ["2023-09-01T12:00:00.001Z"]
    (ended,) = second["unanswered"]
    assert ended == {
        "at": "2023-09-01T12:01:00.000Z", "agent_id": "bob", "abandoned": False, "provisional": False,
    }  # fmt: skip


def test_description_ends_a_round_that_is_silent_at_the_end_of_the_log():
    asked = conversation(event("customer_message", 0))

    ((running,), (ended,)) = (
        rounds_in(describe_conversation(asked, until=NOON + until)) for until in (7 * DAY, 7 * DAY + 1)
    )

    assert (running["end"], running["waiting_since"]) == (None, "2023-08-31T12:00:00.000Z")
    assert (ended["end"], ended["ended_at"], ended["end_is_derived"]) == ("silence", "2023-09-07T12:00:00.000Z", True)
    assert (ended["waiting_since"], [turn["abandoned"] for turn in ended["unanswered"]]) == (None, [True])
