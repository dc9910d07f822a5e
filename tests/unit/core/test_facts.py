"""The facts that a conversation contributes to each history, and the corrections by a late event."""

from service_quality.conversations.conversation import EMPTY
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.turns import read_state
from service_quality.facts.conversation_facts import FACTS, facts_between, total_facts
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.facts.entities import ENTITIES
from service_quality.instants import DAY, MINUTE
from tests.unit.core.sample_events import NOON, conversation, event

AGENT = dict.fromkeys(FACTS, (ENTITIES["agent"],))
CUSTOMER = dict.fromkeys(FACTS, (ENTITIES["customer"],))


def facts_of(*events, kept=AGENT) -> set[tuple[str, int, str, int]]:
    folded = conversation(*events)
    totals = total_facts(folded, read_state(folded), kept)
    return {(key.partition("\x1f")[2], at - NOON, name, value) for (key, at, name), value in totals.items()}


def changes(before, after, *, imported=()) -> set[tuple[str, str, int]]:
    step = step_conversation(
        FoldedConversation(conversation(*before), AGENT),
        after,
        clock=NOON + DAY,
        received_clock=NOON + DAY,
        imported=(ImportedPart(EMPTY, conversation(*imported)),) if imported else (),
    )
    assert step is not None
    return {(fact.key.partition("\x1f")[2], fact.name, fact.value) for fact in step.facts}


def test_answered_contact_gives_contact_and_reply():
    found = facts_of(event("conversation_opened", 0), event("agent_message", MINUTE))

    assert found == {
        ("ann", 0, "contacts", 1),
        ("ann", MINUTE, "replies", 1),
        ("ann", MINUTE, "timed_replies", 1),
        ("ann", MINUTE, "reply_ms", MINUTE),
        ("ann", MINUTE, "on_time_replies", 1),
    }


def test_reply_on_time_ends_with_the_third_minute():
    late = facts_of(event("conversation_opened", 0), event("agent_message", 3 * MINUTE + 1))
    on_time = facts_of(event("conversation_opened", 0), event("agent_message", 3 * MINUTE))

    assert [sum(name == "on_time_replies" for _, _, name, _ in found) for found in (late, on_time)] == [0, 1]


def test_reply_known_to_the_day_is_counted_and_not_timed():
    found = facts_of(event("conversation_opened", 0), event("agent_message", DAY, precision="day"))

    assert {name for _, _, name, _ in found} == {"contacts", "replies"}


def test_rating_of_three_is_dissatisfied_and_of_four_is_not():
    answered = (event("customer_message", 0), event("agent_message", 1))

    names = [{name for _, _, name, _ in facts_of(*answered, event("rated", 9, rating=stars))} for stars in (3, 4)]

    assert "dissatisfied_ratings" in names[0]
    assert "dissatisfied_ratings" not in names[1]


def test_reply_counts_for_its_sender_and_the_rating_for_the_last_who_answered():
    found = facts_of(
        event("customer_message", 0),
        event("agent_message", 1, agent_id="ann"),
        event("customer_message", 2),
        event("agent_message", 3, agent_id="bob"),
        event("rated", 4, rating=5),
    )

    assert {(who, name) for who, _, name, _ in found if name in ("replies", "ratings")} == {
        ("ann", "replies"),
        ("bob", "replies"),
        ("bob", "ratings"),
    }


def test_purchase_counts_for_the_customer_with_its_amount():
    found = facts_of(event("order_placed", 0, customer_id="zoe", order_id="o1", amount_minor=1999), kept=CUSTOMER)

    assert found == {("zoe", 0, "orders", 1), ("zoe", 0, "order_amount_minor", 1999)}


def test_amount_of_a_contact_is_no_purchase():
    found = facts_of(event("conversation_opened", 0, customer_id="zoe", amount_minor=1999), kept=CUSTOMER)

    assert found == {("zoe", 0, "contacts", 1)}


def test_late_message_shows_that_an_answer_was_slower():
    question, answer = event("customer_message", 0), event("agent_message", 2 * MINUTE)

    corrected = changes((question, answer), event("customer_message", -3 * MINUTE, event_id="earlier"))

    assert corrected == {
        ("ann", "reply_ms", 3 * MINUTE),
        ("ann", "on_time_replies", -1),
        ("ann", "contacts", -1),  # where it had been opened
        ("ann", "contacts", 1),
    }


def test_second_agent_takes_over_the_outcome():
    before = (event("customer_message", 0), event("agent_message", 1), event("customer_message", 2))

    changed = changes(before, event("agent_message", 3, agent_id="bob"))

    assert {("ann", "contacts", -1), ("bob", "contacts", 1), ("bob", "replies", 1)} <= changed


def test_reopening_takes_the_resolution_back():
    before = (event("customer_message", 0), event("agent_message", 1), event("resolved", 2))

    assert changes(before, event("reopened", 3)) == {("ann", "resolutions", -1), ("ann", "reopenings", 1)}


def test_duplicate_is_no_step():
    held = FoldedConversation(conversation(event("customer_message", 0)), AGENT)

    assert step_conversation(held, event("customer_message", 0), clock=NOON, received_clock=NOON) is None


def test_what_an_import_has_counted_is_not_counted_again():
    question, answer = event("customer_message", 0), event("agent_message", 2 * MINUTE)

    changed = changes((), event("rated", 9, rating=5), imported=(question, answer))

    assert changed == {("ann", "ratings", 1), ("ann", "rating_points", 5)}


def test_what_both_the_log_and_an_import_counted_is_corrected_to_once():
    question, answer = event("customer_message", 0), event("agent_message", 2 * MINUTE)

    changed = changes((question, answer), event("internal_note", 9), imported=(question, answer))

    assert ("ann", "contacts", -1) in changed
    assert ("ann", "replies", -1) in changed


def test_event_that_an_import_knows_is_a_duplicate():
    known = event("customer_message", 0)

    step = step_conversation(
        FoldedConversation(EMPTY, AGENT),
        known,
        clock=NOON,
        received_clock=NOON,
        imported=(ImportedPart(EMPTY, conversation(known)),),
    )

    assert step is None


def test_no_difference_is_no_fact():
    totals = {("agent\x1fann", 0, "replies"): 2, ("agent\x1fann", 1, "replies"): 0}

    assert facts_between(totals, {("agent\x1fann", 0, "replies"): 2}) == []


def test_differences_come_in_a_fixed_order():
    after = {("b", 1, "x"): 1, ("a", 2, "x"): 1, ("a", 1, "y"): 1, ("a", 1, "x"): 1}

    assert [(fact.key, fact.at, fact.name) for fact in facts_between({}, after)] == sorted(after)
