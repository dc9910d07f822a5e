"""Which target a contact has: the first in order whose conditions hold, by what its events have said so far."""

from dataclasses import replace

import pytest

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import deadline_of
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.conversations.wait_stages import Stage
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import MINUTE
from service_quality.policies.policy import Policy, Target
from tests.unit.core.sample_events import NOON, conversation, event

URGENT = Target(10 * MINUTE, 5 * MINUTE, when=(("priority", ("urgent", "high")),))
VIP = Target(20 * MINUTE, 15 * MINUTE, when=(("customer_tier", ("vip",)),))
RETURNS_OF_GOLD = Target(30 * MINUTE, 25 * MINUTE, when=(("category", ("returns",)), ("customer_tier", ("gold",))))
OTHERS = Target(60 * MINUTE, 50 * MINUTE)
POLICY = Policy("a", 0, targets=(URGENT, VIP, RETURNS_OF_GOLD, OTHERS))
WHOLE = Stage("waited_share", 1.0)


def read(*events: InteractionEvent, policy: Policy = POLICY) -> ConversationState:
    held = [replace(one, policies_known=1) for one in events]
    return read_conversation(in_order(conversation(*held)), (policy,))


def due(*events: InteractionEvent, policy: Policy = POLICY) -> int | None:
    """When the target of the open turn is over, in minutes after noon; None where it judges none."""
    found = deadline_of(read(*events, policy=policy), WHOLE)
    return None if found is None else (found.due_at - NOON) // MINUTE


def on_time(*events: InteractionEvent) -> list[bool]:
    """Of every reply of the first round, whether it came within the time of its target."""
    return [reply.over_ms == 0 for reply in read(*events).rounds[0].replies]


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ({"priority": "urgent"}, 10),
        ({"priority": "high"}, 10),
        ({"customer_tier": "vip"}, 20),
        ({"priority": "urgent", "customer_tier": "vip"}, 10),
        ({"priority": "low", "customer_tier": "vip"}, 20),
        ({"category": "returns", "customer_tier": "gold"}, 30),
        ({"category": "returns"}, 60),
        ({"customer_tier": "gold"}, 60),
        ({"priority": "Urgent"}, 60),
        ({}, 60),
    ],
)
def test_first_target_whose_conditions_all_hold_counts(said, minutes):
    assert due(event("customer_message", 0, **said)) == minutes


def test_order_of_the_targets_decides_where_two_hold():
    other_way = POLICY._replace(targets=(VIP, URGENT, OTHERS))

    assert due(event("customer_message", 0, priority="urgent", customer_tier="vip"), policy=other_way) == 20


def test_contact_that_no_target_meets_is_judged_by_on_time_within():
    policy = POLICY._replace(targets=(URGENT, VIP))

    assert due(event("customer_message", 0), policy=policy) == 3


def test_priority_that_rises_while_the_customer_waits_shortens_the_running_wait():
    asked = event("customer_message", 0, priority="low")
    raised = event("status_changed", 4 * MINUTE, priority="urgent")

    assert due(asked) == 60
    assert due(asked, raised) == 10
    assert due(asked, raised, event("status_changed", 5 * MINUTE, priority="low")) == 60


def test_reply_is_judged_by_the_priority_that_the_contact_has_at_the_reply():
    asked, answered = event("customer_message", 0), event("agent_message", 15 * MINUTE)
    raised_before = event("internal_note", 12 * MINUTE, priority="urgent")
    raised_after = event("internal_note", 16 * MINUTE, priority="urgent")

    assert on_time(asked, answered) == [True]
    assert on_time(asked, raised_before, answered) == [False]
    assert on_time(asked, answered, raised_after) == [True]


def test_priority_of_an_earlier_turn_lasts_until_another_one_is_named():
    asked = [event("customer_message", 0, priority="urgent"), event("agent_message", MINUTE)]

    assert due(*asked, event("customer_message", 2 * MINUTE)) == 7
    assert due(*asked, event("customer_message", 2 * MINUTE, priority="low")) == 52


def test_tier_that_becomes_known_late_is_that_of_the_contact():
    asked = event("customer_message", 0)

    assert due(asked, event("assigned", MINUTE, agent_id="ann", customer_tier="vip")) == 20
