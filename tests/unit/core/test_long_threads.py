"""A thread that never ends does not fill up: what is too old to be repeated leaves it, and nothing told changes."""

from collections import Counter
from random import Random

import pytest

from service_quality.commit.state_items import ConversationItem, decode_conversation, encode_conversation
from service_quality.conversations import shedding
from service_quality.conversations.conversation import EMPTY, MAX_EVENTS
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation
from service_quality.facts.entities import AGENT, CUSTOMER, SHOP
from service_quality.instants import DAY, HOUR, MINUTE
from tests.unit.core.sample_events import event

KEPT = dict.fromkeys(FACTS, (SHOP, AGENT, CUSTOMER))
KINDS = ("customer_message", "agent_message", "agent_message", "resolved", "rated", "assigned", "internal_note")


def thread(
    events: int, *, seed: int = 1, every: int = 5 * HOUR, kinds: tuple[str, ...] = KINDS
) -> list[InteractionEvent]:
    """Months of one customer with several agents."""
    random, at, made = Random(seed), 0, []
    for number in range(events):
        at += random.randrange(MINUTE, 2 * every)
        kind = random.choice(kinds)
        fields: dict[str, object] = {"event_id": f"e{number}", "customer_id": "zoe"}
        if kind in ("agent_message", "assigned"):
            fields["agent_id"] = random.choice(("ann", "bob", "cas"))
        if not number:
            fields["currency"] = "EUR"
        if kind == "rated":
            fields["rating"] = random.randrange(1, 6)
        made.append(event(kind, at, **fields))
    return made


def fold(events: list[InteractionEvent]) -> list[ConversationStep]:
    """The steps of the events, the conversation stored and read again between any two."""
    held, steps = FoldedConversation(EMPTY, KEPT), []
    for one in events:
        step = step_conversation(held, one, received_clock=one.received_at)
        assert step is not None
        stored = encode_conversation(ConversationItem(step.after.conversation))
        held = FoldedConversation(decode_conversation(stored, "shop").conversation, KEPT)
        steps.append(step)
    return steps


def told(steps: list[ConversationStep]) -> tuple[Counter, list]:
    """The sums of all facts, and what each event showed."""
    sums: Counter[tuple[str, int, str]] = Counter()
    for step in steps:
        for fact in step.facts:
            sums[fact.key, fact.at, fact.name] += fact.value
    return Counter({key: value for key, value in sums.items() if value}), [
        (step.values, step.scored, step.keys, step.round, step.label) for step in steps
    ]


@pytest.mark.parametrize("seed", range(2))
def test_long_thread_tells_the_same_as_one_that_keeps_everything(monkeypatch, seed):
    events = thread(160, seed=seed, every=20 * HOUR)
    monkeypatch.setattr(conversation_fold, "SHED_FROM", MAX_EVENTS + 1)
    whole = fold(events)
    monkeypatch.setattr(conversation_fold, "SHED_FROM", 20)
    shed = fold(events)

    assert told(shed) == told(whole)
    assert len(shed[-1].after.conversation.events) < len(whole[-1].after.conversation.events)
    assert shed[-1].after.conversation.past is not None


def test_thread_of_months_that_nobody_ever_resolves_does_not_fill_up():
    talk = thread(620, every=4 * HOUR, kinds=("customer_message", "agent_message", "agent_message"))

    held = FoldedConversation(EMPTY, {})
    for one in talk:
        step = step_conversation(held, one, received_clock=one.received_at)
        held = step.after if step is not None else held
    last = held

    assert len(last.conversation.events) <= MAX_EVENTS
    assert last.state.number > 1


def test_round_of_a_month_ends_by_age_where_nobody_waits():
    asked = [event("customer_message", 0), event("agent_message", HOUR)]
    chat = [event("internal_note", day * DAY) for day in (5, 10, 15, 20, 25, 30)]

    steps = fold([*asked, *chat, event("customer_message", 31 * DAY)])

    assert [(one.number, one.end) for one in steps[-1].after.state.rounds] == [(1, "age"), (2, "")]


def test_thread_without_a_message_of_the_customer_does_not_end_by_age():
    asked = [event("customer_message", 0), event("agent_message", HOUR)]
    others = ("internal_note", "agent_message", "assigned", "bot_message")
    chat = [event(others[day % 4], day * DAY, agent_id="ann") for day in range(1, 90)]

    steps = fold([*asked, *chat])

    assert [(one.number, one.end) for one in steps[-1].after.state.rounds] == [(1, "")]


def test_rating_that_comes_after_its_round_has_left_is_the_agents_who_replied(monkeypatch):
    monkeypatch.setattr(conversation_fold, "SHED_FROM", 2)
    monkeypatch.setattr(shedding, "CONVERSATION_RETENTION", DAY)
    past = [event("customer_message", 0), event("agent_message", HOUR, agent_id="bob"), event("resolved", 2 * HOUR)]
    asked = event("customer_message", 5 * DAY)

    steps = fold([*past, asked, event("internal_note", 6 * DAY), event("rated", 6 * DAY + HOUR, rating=2)])

    held, rated = steps[-1].after.conversation, steps[-1]
    assert (held.past.rounds if held.past else 0, rated.round, rated.label) == (1, 1, 1)
    assert {(fact.key, fact.name) for fact in rated.facts if "agent" in fact.key} == {
        ("agent\x1fbob", "ratings"), ("agent\x1fbob", "rating_points"), ("agent\x1fbob", "dissatisfied_ratings"),
    }  # fmt: skip
