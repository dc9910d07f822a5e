"""Who owns the outcome of a round, by each `owner` that a policy may declare: docs/conversations.md, "Owner"."""

from dataclasses import replace

import pytest

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import total_facts
from service_quality.facts.entities import AGENT
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.policies.policy import ASSIGNED, FIRST_ANSWER, LAST_ANSWER, OWNERS, Policy
from tests.unit.core.sample_events import conversation, event

#: Ann answers first, bob last, and cat has the conversation when it is settled.
PASSED_ON = (
    event("customer_message", 0),
    event("assigned", MINUTE, agent_id="ann"),
    event("agent_message", 2 * MINUTE, agent_id="ann"),
    event("assigned", 3 * MINUTE, agent_id="bob"),
    event("customer_message", 4 * MINUTE),
    event("agent_message", 5 * MINUTE, agent_id="bob"),
    event("assigned", 6 * MINUTE, agent_id="cat"),
)
SETTLED = (*PASSED_ON, event("resolved", HOUR, agent_id="dan"))
EACH_OWNER = [(FIRST_ANSWER, "ann"), (LAST_ANSWER, "bob"), (ASSIGNED, "cat")]
every_owner = pytest.mark.parametrize("owner", OWNERS)
each_owner = pytest.mark.parametrize(("owner", "agent_id"), EACH_OWNER)


def held(*events: InteractionEvent) -> Conversation:
    """The conversation of these events, each of which found the policy on the log."""
    return conversation(*(replace(one, policies_known=1) for one in events))


def read(owner: str, folded: Conversation) -> ConversationState:
    return read_conversation(in_order(folded), (Policy("a", 0, owner=owner),))


def owners(owner: str, *events: InteractionEvent) -> list[str | None]:
    """The owner of each round."""
    return [one.owner for one in read(owner, held(*events)).rounds]


def fact(name: str, owner: str, *events: InteractionEvent) -> dict[str, int]:
    """The sum of a fact by agent, those of 0 left out."""
    folded = held(*events)
    sums: dict[str, int] = {}
    for (key, _, _), value in total_facts(folded, read(owner, folded), {name: (AGENT,)}).items():
        agent_id = key.partition("\x1f")[2]
        sums[agent_id] = sums.get(agent_id, 0) + value
    return {agent_id: value for agent_id, value in sums.items() if value}


def test_outcome_belongs_to_the_agent_of_the_last_reply_by_default():
    assert Policy("a", 0).owner == LAST_ANSWER
    assert owners(LAST_ANSWER, *SETTLED) == ["bob"]


def test_outcome_belongs_to_the_agent_of_the_first_reply_where_the_policy_says_so():
    assert owners(FIRST_ANSWER, *SETTLED) == ["ann"]


def test_outcome_belongs_to_the_agent_who_has_the_conversation_at_the_end_where_the_policy_says_so():
    assert owners(ASSIGNED, *SETTLED) == ["cat"]


@each_owner
@pytest.mark.parametrize(("name", "count"), [("contacts", 1), ("resolutions", 1), ("transfers", 2)])
def test_what_is_of_the_outcome_counts_for_its_owner_alone(owner, agent_id, name, count):
    assert fact(name, owner, *SETTLED) == {agent_id: count}


@each_owner
def test_complaint_is_the_owners_also_after_the_end(owner, agent_id):
    assert fact("complaints", owner, *SETTLED, event("complaint_filed", 2 * HOUR)) == {agent_id: 1}


@each_owner
def test_reopening_counts_for_the_owner_of_the_round_before(owner, agent_id):
    reopened = (event("reopened", DAY), event("agent_message", DAY + MINUTE, agent_id="eve"))

    assert fact("reopenings", owner, *SETTLED, *reopened) == {agent_id: 1}


@every_owner
def test_replies_belong_to_their_senders_under_every_owner(owner):
    assert fact("replies", owner, *SETTLED) == {"ann": 1, "bob": 1}
    assert fact("first_replies", owner, *SETTLED) == {"ann": 1}


@every_owner
def test_rating_after_a_transfer_belongs_to_who_answered_last_before_it(owner):
    rated = event("rated", 2 * HOUR, rating=1)

    assert fact("dissatisfied_ratings", owner, *SETTLED, rated) == {"bob": 1}


@every_owner
def test_rating_between_two_answers_stays_with_the_first_of_them(owner):
    rated = event("rated", 2 * MINUTE + 1, rating=5)

    assert fact("ratings", owner, *SETTLED, rated) == {"ann": 1}


@every_owner
def test_rating_without_an_answer_belongs_to_who_has_the_conversation_at_the_rating(owner):
    asked = (event("customer_message", 0), event("assigned", MINUTE, agent_id="ann"))
    rated = event("rated", 2 * MINUTE, rating=1)
    later = event("assigned", 3 * MINUTE, agent_id="bob")

    assert fact("ratings", owner, *asked, rated, later) == {"ann": 1}
    assert owners(owner, *asked, rated, later) == ["bob"]


@every_owner
def test_outcome_of_an_unanswered_round_belongs_to_who_has_the_conversation(owner):
    asked = (event("conversation_opened", 0, agent_id="ann"), event("assigned", MINUTE, agent_id="bob"))

    assert owners(owner, *asked) == ["bob"]


@every_owner
def test_outcome_of_a_round_that_nobody_has_belongs_to_who_resolved_it(owner):
    assert owners(owner, event("customer_message", 0), event("resolved", HOUR, agent_id="dan")) == ["dan"]


@each_owner
def test_transfer_moves_the_outcome_only_where_the_assigned_agent_owns_it(owner, agent_id):
    before = {FIRST_ANSWER: "ann", LAST_ANSWER: "bob", ASSIGNED: "bob"}[owner]

    assert owners(owner, *PASSED_ON[:-1]) == [before]
    assert owners(owner, *PASSED_ON) == [agent_id]


def test_assigned_owner_is_who_replied_last_where_the_conversation_was_given_to_nobody():
    assert owners(ASSIGNED, *PASSED_ON, event("assigned", 7 * MINUTE)) == ["bob"]


@each_owner
def test_transfer_after_the_end_leaves_the_outcome_where_it_was(owner, agent_id):
    assert owners(owner, *SETTLED, event("assigned", 2 * HOUR, agent_id="eve")) == [agent_id]


def test_next_round_of_an_assigned_owner_is_still_whose_the_conversation_is():
    reopened = (event("reopened", DAY), event("agent_message", DAY + MINUTE, agent_id="eve"))

    assert owners(ASSIGNED, *SETTLED, *reopened) == ["cat", "cat"]
    assert owners(LAST_ANSWER, *SETTLED, *reopened) == ["bob", "eve"]
    assert owners(FIRST_ANSWER, *SETTLED, *reopened) == ["ann", "eve"]
