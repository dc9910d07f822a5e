"""Alerts about a conversation: each round has its own, and a late event is judged by the conversation as it is."""

from dataclasses import replace

import pytest

from service_quality.alerts.alert_json import decode_alert
from service_quality.alerts.conditions import AtLeast, Below
from service_quality.alerts.rules import Rule
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SERVICE
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.instants import DAY
from tests.properties.feature_sets import SMALL
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event

#: Calls while anybody waits, whatever the score.
WAITS = Rule(
    name="waits",
    version=1,
    subject="conversation",
    kinds=SERVICE,
    tiers=(("warning", AtLeast("waiting", 1)),),
    resolved_when=Below("waiting", 1),
    cooldown_ms=DAY,
)


FIRST, SECOND, THIRD = range(3)


def told(store: MemoryStore) -> list[tuple[int, str]]:
    """The alert and the change of every message, in their order; alerts by number in the order of their openings."""
    alerts = [decode_alert(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    ids = list(dict.fromkeys(alert.alert_id for alert in alerts))
    return [(ids.index(alert.alert_id), alert.state) for alert in alerts]


def fold_alerts(*events: InteractionEvent) -> MemoryStore:
    store = MemoryStore()
    for number, one in enumerate(events):
        record = LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), one.received_at)
        OnlineCommit(store, FixedScorer, SMALL, (WAITS,)).advance_shop("shop", [record])
    return store


def test_alert_of_a_round_that_silence_ended_is_resolved_when_the_next_round_opens_its_own():
    store = fold_alerts(event("customer_message", 0), event("customer_message", 8 * DAY))

    states = [row for row in store.rows.values() if row.row_kind == "state"]
    assert told(store) == [(FIRST, "opened"), (FIRST, "resolved"), (SECOND, "opened")]
    assert [(row.open, decode_alert(row.body).state) for row in states] == [(False, "resolved"), (True, "opened")]


@pytest.mark.parametrize(
    ("ends", "ending"),
    [
        ([event("agent_message", 5)], "answered"),
        ([event("resolved", 5)], "closed_unanswered"),
        ([event("customer_message", 8 * DAY)], "given_up"),
        ([event("status_changed", 5, merged_into="other")], "merged"),
    ],
)
def test_message_says_how_the_wait_ended(ends, ending):
    store = fold_alerts(event("customer_message", 0), *ends)

    alerts = [decode_alert(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    assert [alert.ended_by for alert in alerts if alert.state == "resolved"] == [ending]


def test_alert_of_a_round_is_resolved_once_where_a_resolution_ended_it():
    store = fold_alerts(event("customer_message", 0), event("resolved", 5), event("reopened", 9))

    assert told(store) == [(FIRST, "opened"), (FIRST, "resolved"), (SECOND, "opened")]


def test_alert_of_the_next_round_is_resolved_by_its_own_answer():
    asked_again = event("customer_message", 8 * DAY)

    store = fold_alerts(event("customer_message", 0), asked_again, event("agent_message", 8 * DAY + 1))

    assert told(store)[2:] == [(SECOND, "opened"), (SECOND, "resolved")]


def test_late_event_is_judged_by_the_conversation_as_it_is():
    answered = [event("customer_message", 0), event("agent_message", 9)]

    assert told(fold_alerts(*answered, event("internal_note", 5))) == [(FIRST, "opened"), (FIRST, "resolved")]
    assert told(fold_alerts(answered[1], answered[0])) == []


def test_late_event_of_an_earlier_round_says_nothing_of_the_alert_of_the_running_one():
    asked_twice = [event("customer_message", 0), event("customer_message", 8 * DAY)]

    store = fold_alerts(*asked_twice, event("internal_note", 5))

    assert told(store) == told(fold_alerts(*asked_twice))


def test_rounds_that_late_events_part_and_join_again_at_one_arrival_lose_no_message():
    late = [event("reopened", 5), event("conversation_opened", 3)]
    at_once = [replace(one, received_at=NOON + 8 * DAY) for one in late]

    store = fold_alerts(event("complaint_filed", 0), event("reopened", 8 * DAY), *at_once)

    assert told(store) == [
        (FIRST, "opened"), (FIRST, "resolved"), (SECOND, "opened"), (SECOND, "resolved"), (THIRD, "opened"),
    ]  # fmt: skip
