"""The figures of the live minute: which messages came, how late each, which are missing and which nobody needed."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infra.local.live_minute import PLAYS, RULE, SHOPS, TARGET_SECONDS, Minute, Play, events, name_of, policy_document
from infra.local.subscribers import Received
from service_quality.alerts.alert import AlertSubject
from service_quality.alerts.alert_json import encode_alert
from service_quality.instants import SECOND
from service_quality.policies.policy_document import parse_policy
from tests.unit.reports.made_up_run import alert

BEGUN = 1_795_165_200_000
LATE_MS = 1_400
IN_TIME = next(play for play in PLAYS if not play.expected)


def message(
    shop_id: str, play: Play, state: str, severity: str, second: float, *, number: int = 1, **fields: object
) -> Received:
    """A message about a conversation that came 1.4 s after a second of the minute."""
    about: dict[str, Any] = {
        "kind": RULE,
        "shop_id": shop_id,
        "subject": AlertSubject("conversation", name_of(shop_id, play)),
        "state": state,
        "severity": severity,
        "number": f"{BEGUN:014}-{number:04}",
        "occurred_at": BEGUN + int(second * SECOND),
    }
    told = replace(alert("a"), **(about | fields))
    at = BEGUN + int(second * SECOND) + LATE_MS
    return Received(f"{shop_id}-{play.name}-{number}", "", encode_alert(told).decode(), {}, at)


def every_message() -> list[Received]:
    return [
        message(shop_id, play, *want, number=number)
        for shop_id in SHOPS
        for play in PLAYS
        for number, want in enumerate(play.expected, 1)
    ]


def figures(received: Iterable[Received]) -> dict:
    return Minute(BEGUN, tuple(received), ()).figures()


def test_every_message_that_was_due_is_right_and_as_late_as_it_was():
    found = figures(every_message())

    assert (found["right"], found["others"]) == (found["expected"], 0)
    assert found["expected"] == len(SHOPS) * 6
    assert found["worst_late_seconds"] == LATE_MS / SECOND


def test_message_that_did_not_come_is_missing():
    found = figures(every_message()[1:])

    assert (found["expected"] - found["right"], found["others"]) == (1, 0)


def test_second_message_of_the_same_kind_and_one_about_who_was_answered_soon_are_others():
    again = replace(every_message()[0], message_id="again")
    needless = message("live-zh", IN_TIME, "opened", "info", 17)

    found = figures([*every_message(), again, needless])

    assert (found["right"], found["others"]) == (found["expected"], 2)


def test_message_of_another_rule_and_one_about_an_agent_are_others():
    late = PLAYS[0]
    risk = message("live-en", late, "opened", "warning", 5, kind="high_risk")
    agent = message(
        "live-zh", late, "opened", "warning", 5, kind="agent_risk", subject=AlertSubject("agent", "agent-1")
    )

    found = figures([*every_message(), risk, agent])

    assert (found["right"], found["others"]) == (found["expected"], 2)


def test_message_before_its_time_is_not_the_one_that_was_due():
    first, *rest = every_message()
    early = replace(first, received_at=first.received_at - LATE_MS - 1_000)

    found = figures([early, *rest])

    assert (found["expected"] - found["right"], found["others"]) == (1, 1)


def test_nothing_came():
    found = figures([])

    assert (found["right"], found["worst_late_seconds"]) == (0, None)


def test_policy_is_one_and_its_target_that_of_the_plays():
    policy = parse_policy(json.dumps(policy_document(BEGUN)).encode())

    assert {target.first_response_ms for target in policy.targets} == {TARGET_SECONDS * SECOND}


def test_both_shops_say_the_same_at_the_same_time():
    said = list(events(BEGUN))
    placed = {tuple((one.occurred_at, one.kind) for one in said if one.shop_id == shop_id) for shop_id in SHOPS}

    assert len(placed) == 1
    assert len({one.event_id for one in said}) == len(said)
