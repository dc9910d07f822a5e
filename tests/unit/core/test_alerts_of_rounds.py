"""Alerts about a conversation: each round has its own, and a late event is judged by the conversation as it is."""

from dataclasses import replace

import pytest

from service_quality.alerts.alert_json import decode_alert
from service_quality.alerts.conditions import AllOf, AnyOf, AtLeast, Below
from service_quality.alerts.rules import Rule
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SERVICE
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.instants import DAY, HOUR
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
#: Ends as the shipped rules about waits do, and sends every message.
LONG_WAIT = replace(
    WAITS,
    kinds=SERVICE | {"rated"},
    resolved_when=AnyOf((AtLeast("closed", 1), Below("waiting", 1))),
    cooldown_ms=0,
)
#: Is about the conversation and no wait in it.
RISK = replace(LONG_WAIT, tiers=(("warning", Below("closed", 1)),), resolved_when=AtLeast("closed", 1))
ASKED, ANSWERED, RATED = event("customer_message", 0), event("agent_message", 9), event("rated", 5, rating=2)


FIRST, SECOND, THIRD = range(3)


def told(store: MemoryStore) -> list[tuple[int, str]]:
    """The alert and the change of every message, in their order; alerts by number in the order of their openings."""
    alerts = [decode_alert(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    ids = list(dict.fromkeys(alert.alert_id for alert in alerts))
    return [(ids.index(alert.alert_id), alert.state) for alert in alerts]


def fold_alerts(*events: InteractionEvent, rules: tuple[Rule, ...] = (WAITS,)) -> MemoryStore:
    store = MemoryStore()
    for number, one in enumerate(events):
        record = LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), one.received_at)
        OnlineCommit(store, FixedScorer, SMALL, rules).advance_shop("shop", [record])
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


def endings(*events: InteractionEvent, rule: Rule) -> list[str | None]:
    """What ended each alert of a rule, in order."""
    rows = fold_alerts(*events, rules=(rule,)).rows.values()
    alerts = [decode_alert(row.body) for row in rows if row.row_kind == "alert"]
    return [alert.ended_by for alert in alerts if alert.state == "resolved"]


@pytest.mark.parametrize(
    ("events", "of_wait", "of_risk"),
    [
        ([ASKED, RATED, ANSWERED], "answered", "rated"),
        ([ASKED, RATED, event("agent_message", 3)], "answered", "rated"),
        ([ASKED, ANSWERED, event("rated", 10, rating=2)], "answered", "rated"),
        ([ASKED, RATED, event("assigned", 6, agent_id="bob"), event("agent_message", 9, agent_id="bob")],
         "answered", "rated"),
        ([ASKED, RATED, event("resolved", 9)], "closed_unanswered", "closed_unanswered"),
        ([ASKED, RATED, event("agent_message", 8), event("resolved", 9)], "answered", "rated"),
        ([ASKED, ANSWERED, event("resolved", 10)], "answered", "resolved"),
        ([ASKED, RATED, event("customer_message", 8 * DAY)], "given_up", "given_up"),
        ([ASKED, ANSWERED, event("customer_message", 8 * DAY)], "answered", "silence"),
        ([ASKED, RATED, event("status_changed", 9, merged_into="other")], "merged", "merged"),
        ([ASKED, event("reopened", 20), ANSWERED], "answered", "next_round"),
    ],
    ids=[
        "rated, then answered", "an answer before the rating arrives late", "answered, then rated",
        "rated, handed over, answered", "rated, then closed", "rated, answered, closed", "answered, closed",
        "rated, then silence", "answered, then silence", "rated, then merged", "a late answer parts the rounds",
    ],
)  # fmt: skip
def test_answer_ends_an_alert_about_a_wait_and_the_end_of_the_round_one_about_risk(events, of_wait, of_risk):
    assert endings(*events, rule=LONG_WAIT)[:1] == [of_wait]
    assert endings(*events, rule=WAITS)[:1] == [of_wait]
    assert endings(*events, rule=RISK)[:1] == [of_risk]


def test_rating_ends_an_alert_that_the_answer_alone_does_not_end():
    both = replace(LONG_WAIT, resolved_when=AllOf((Below("waiting", 1), AtLeast("closed", 1))))

    assert endings(ASKED, ANSWERED, event("rated", 10, rating=2), rule=both) == ["rated"]


def test_second_wait_of_a_rated_round_is_ended_by_its_own_answer():
    again = [ASKED, ANSWERED, event("rated", 10, rating=2), event("customer_message", 11)]

    assert endings(*again, event("rated", 12, rating=1), event("agent_message", 13), rule=LONG_WAIT) == ["answered"] * 2


def test_wait_that_an_edited_message_takes_back_is_not_called_answered():
    edited = replace(ASKED, text="thanks", courtesy=1)

    assert endings(ASKED, edited, rule=LONG_WAIT) == [None]
    again = event("customer_message", 11)
    edited_again = replace(again, text="thanks", courtesy=1)
    assert endings(ASKED, ANSWERED, again, edited_again, rule=LONG_WAIT) == ["answered", None]


def test_conversation_that_is_over_when_it_arrives_is_alerted_and_ended_at_the_clock_of_its_shop():
    live = event("internal_note", 2 * HOUR, conversation_id="c2")
    late = [replace(one, received_at=NOON + 2 * HOUR) for one in (ASKED, ANSWERED, event("resolved", 10))]

    rows = fold_alerts(live, *late, rules=(RISK,)).rows.values()

    alerts = [decode_alert(row.body) for row in rows if row.row_kind == "alert"]
    said = [(one.subject.id, one.state, one.occurred_at) for one in alerts if one.state != "repeated"]
    clock = NOON + 2 * HOUR
    assert said == [("c2", "opened", clock), ("c1", "opened", clock), ("c1", "resolved", clock)]


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
