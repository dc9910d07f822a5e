"""Two conversations that their source merges count as one contact: events keep their ids, and the survivor has them."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import pytest

from service_quality.conversations.conversation import EMPTY
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.facts.entities import AGENT, CUSTOMER, SHOP
from service_quality.instants import HOUR, MINUTE
from tests.unit.core.sample_events import event

KEPT = dict.fromkeys(FACTS, (SHOP, AGENT, CUSTOMER))
#: Both conversations are answered before they are merged: cat asked twice of one matter.
FIRST = (event("customer_message", 0, customer_id="cat"), event("agent_message", MINUTE, agent_id="ann"))
SECOND = (
    event("customer_message", 2 * MINUTE, conversation_id="c2", customer_id="cat"),
    event("agent_message", 5 * MINUTE, conversation_id="c2", agent_id="bob"),
    event("rated", 6 * MINUTE, conversation_id="c2", rating=1),
)
MERGE = event("status_changed", HOUR, conversation_id="c2", merged_into="c1")
SENT_AGAIN = tuple(replace(one, conversation_id="c1", received_at=MERGE.received_at) for one in SECOND)


def sums(*events: InteractionEvent) -> Counter[tuple[str, int, str]]:
    """What is left of every fact of the shop, the agents and the customer, once all events are folded."""
    held: dict[str | None, FoldedConversation] = {}
    found: Counter[tuple[str, int, str]] = Counter()
    for one in events:
        before = held.get(one.conversation_id, FoldedConversation(EMPTY, KEPT))
        step = step_conversation(before, one, received_clock=one.received_at)
        if step is not None:
            held[one.conversation_id] = step.after
            for fact in step.facts:
                found[fact.key, fact.at, fact.name] += fact.value
    return Counter({key: value for key, value in found.items() if value})


def total(counted: Counter[tuple[str, int, str]], key: str, name: str) -> int:
    return sum(value for (of, _, fact), value in counted.items() if (of, fact) == (key, name))


def test_merged_conversations_count_as_one_that_had_all_their_events():
    assert sums(*FIRST, *SECOND, MERGE, *SENT_AGAIN) == sums(*FIRST, *SENT_AGAIN)


@pytest.mark.parametrize(
    ("name", "apart", "merged"),
    [("contacts", 2, 1), ("first_replies", 2, 1), ("replies", 2, 2), ("ratings", 1, 1), ("reply_ms", 4, 4)],
)
def test_shop_and_customer_count_a_merged_contact_once(name, apart, merged):
    unit = MINUTE if name == "reply_ms" else 1

    for key in ("shop\x1f", "customer\x1fcat"):
        assert total(sums(*FIRST, *SECOND), key, name) == apart * unit
        assert total(sums(*FIRST, *SECOND, MERGE, *SENT_AGAIN), key, name) == merged * unit


def test_rating_stays_with_the_agent_who_answered_before_it():
    merged = sums(*FIRST, *SECOND, MERGE, *SENT_AGAIN)

    assert total(merged, "agent\x1fbob", "dissatisfied_ratings") == 1
    assert total(merged, "agent\x1fann", "ratings") == 0


@pytest.mark.parametrize("parts", list(permutations((SECOND, (MERGE,), SENT_AGAIN))))
def test_merge_counts_the_same_in_any_order_of_arrival(parts):
    arrived = [one for part in parts for one in part]

    assert sums(*FIRST, *arrived) == sums(*FIRST, *SENT_AGAIN)


def test_what_arrives_in_a_void_conversation_counts_nothing():
    late = event("complaint_filed", 2 * HOUR, conversation_id="c2", customer_id="cat")

    assert sums(*FIRST, *SECOND, MERGE, *SENT_AGAIN, late) == sums(*FIRST, *SENT_AGAIN)
