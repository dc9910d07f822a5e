"""The facts that a conversation contributes to each history, and the corrections by a late event."""

from dataclasses import replace

import pytest

from service_quality.conversations.conversation import EMPTY
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.facts.conversation_facts import FACTS, facts_between, total_facts
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.facts.entities import ENTITIES
from service_quality.instants import DAY, HOUR, MINUTE
from tests.unit.core.sample_events import NOON, conversation, event

AGENT = dict.fromkeys(FACTS, (ENTITIES["agent"],))
CUSTOMER = dict.fromkeys(FACTS, (ENTITIES["customer"],))


def facts_of(*events, kept=AGENT) -> set[tuple[str, int, str, int]]:
    folded = conversation(*events)
    totals = total_facts(folded, read_conversation(in_order(folded)), kept)
    return {(key.partition("\x1f")[2], at - NOON, name, value) for (key, at, name), value in totals.items()}


def changes(before, after, *, imported=(), kept=AGENT) -> set[tuple[str, str, int]]:
    step = step_conversation(
        FoldedConversation(conversation(*before), kept),
        after,
        received_clock=NOON + DAY,
        imported=(part_of(*imported),) if imported else (),
    )
    assert step is not None
    return {(fact.key.partition("\x1f")[2], fact.name, fact.value) for fact in step.facts}


def part_of(*imported) -> ImportedPart:
    """The part of an import into nothing."""
    return ImportedPart(EMPTY, replace(conversation(*imported), imported=len(imported)))


def test_answered_contact_gives_contact_and_reply():
    found = facts_of(event("conversation_opened", 0), event("agent_message", MINUTE))

    assert found == {
        ("ann", 0, "contacts", 1),
        ("ann", MINUTE, "replies", 1),
        ("ann", MINUTE, "first_replies", 1),
        ("ann", MINUTE, "timed_replies", 1),
        ("ann", MINUTE, "reply_ms", MINUTE),
        ("ann", MINUTE, "on_time_replies", 1),
        ("ann", MINUTE, "reply_ms_to_1m", 1),
    }


def test_reply_on_time_ends_with_the_third_minute():
    late = facts_of(event("conversation_opened", 0), event("agent_message", 3 * MINUTE + 1))
    on_time = facts_of(event("conversation_opened", 0), event("agent_message", 3 * MINUTE))

    assert [sum(name == "on_time_replies" for _, _, name, _ in found) for found in (late, on_time)] == [0, 1]


def test_reply_known_to_the_day_is_counted_and_not_timed():
    found = facts_of(event("conversation_opened", 0), event("agent_message", DAY, precision="day"))

    assert {name for _, _, name, _ in found} == {"contacts", "replies", "first_replies"}


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

    assert found == {("zoe", 0, "orders", 1), ("zoe", 0, "order_days", 1), ("zoe", 0, "order_amount_minor", 1999)}


def test_pieces_and_amounts_of_orders_cancellations_and_returns_are_summed_apart():
    about = {"customer_id": "zoe", "quantity": 3, "amount_minor": 500}

    found = facts_of(
        *(event(f"order_{what}", 0, **about) for what in ("placed", "cancelled", "returned")), kept=CUSTOMER
    )

    summed = {name: value for _, _, name, value in found if name.endswith(("units", "_minor"))}
    assert summed == {
        **dict.fromkeys(("units", "cancelled_units", "returned_units"), 3),
        **dict.fromkeys(("order_amount_minor", "cancelled_amount_minor", "returned_amount_minor"), 500),
    }


def test_pieces_put_into_the_cart_are_summed_beside_how_often_something_was():
    added = (event("cart_added", at, customer_id="zoe", quantity=quantity) for at, quantity in ((0, 3), (1, None)))

    found = facts_of(*added, kept=CUSTOMER)

    assert sum(value for _, _, name, value in found if name == "cart_units") == 3
    assert sum(value for _, _, name, value in found if name == "cart_additions") == 2


def test_two_orders_of_a_day_are_one_day_and_a_piece_that_is_not_said_counts_none():
    found = facts_of(*(event("order_placed", at, customer_id="zoe") for at in (HOUR, 2 * HOUR)), kept=CUSTOMER)

    assert found == {("zoe", HOUR, "orders", 1), ("zoe", 2 * HOUR, "orders", 1), ("zoe", HOUR, "order_days", 1)}


def test_earlier_order_that_arrives_late_is_the_day_s_first():
    first, late = (event("order_placed", at, customer_id="zoe", event_id=f"o{at}") for at in (2 * HOUR, HOUR))

    assert changes((first,), late, kept=CUSTOMER) == {
        ("zoe", "orders", 1),
        ("zoe", "order_days", -1),
        ("zoe", "order_days", 1),
    }


def test_search_without_a_result_and_one_without_an_order_behind_it_are_counted():
    searches = [event("searched", at * MINUTE, customer_id="zoe", results=results) for at, results in ((0, 0), (9, 7))]
    order = event("order_placed", 5 * MINUTE, customer_id="zoe")

    found = {(at, name) for _, at, name, _ in facts_of(*searches, order, kept=CUSTOMER)}

    assert {(0, "unfulfilled_searches"), (9 * MINUTE, "searches_without_order")} <= found
    assert not {(9 * MINUTE, "unfulfilled_searches"), (0, "searches_without_order")} & found


@pytest.mark.parametrize(
    ("given", "next_after", "looked"),
    [
        (42_000, 5 * MINUTE, 42_000),
        (2 * HOUR, 5 * MINUTE, 30 * MINUTE),
        (None, 5 * MINUTE, 5 * MINUTE),
        (None, 30 * MINUTE, 30 * MINUTE),
        (None, 30 * MINUTE + 1, 0),  # another session
        (None, None, 0),
    ],
)
def test_page_is_looked_at_as_its_source_says_else_until_the_customer_goes_on(given, next_after, looked):
    visit = [event("page_viewed", 0, customer_id="zoe", duration_ms=given)]
    visit += [event("cart_added", next_after, customer_id="zoe")] if next_after is not None else []

    browsed = [value for _, _, name, value in facts_of(*visit, kept=CUSTOMER) if name == "browse_ms"]

    assert browsed == ([looked] if looked else [])


def test_amount_of_a_contact_is_no_purchase():
    found = facts_of(event("conversation_opened", 0, customer_id="zoe", amount_minor=1999), kept=CUSTOMER)

    assert found == {("zoe", 0, "contacts", 1)}


def test_late_message_shows_that_an_answer_was_slower():
    question, answer = event("customer_message", 0), event("agent_message", 2 * MINUTE)

    corrected = changes((question, answer), event("customer_message", -3 * MINUTE, event_id="earlier"))

    assert corrected == {
        ("ann", "reply_ms", 3 * MINUTE),
        ("ann", "on_time_replies", -1),
        ("ann", "late_replies", 1),  # half of the time had passed before, too
        ("ann", "reply_ms_to_3m", -1),
        ("ann", "reply_ms_to_5m", 1),
        ("ann", "contacts", -1),  # where it had been opened
        ("ann", "contacts", 1),
    }


def test_second_agent_takes_over_the_outcome():
    before = (event("customer_message", 0), event("agent_message", 1), event("customer_message", 2))

    changed = changes(before, event("agent_message", 3, agent_id="bob"))

    assert {("ann", "contacts", -1), ("bob", "contacts", 1), ("bob", "replies", 1)} <= changed


def test_reopening_is_counted_for_the_round_before_whose_resolution_stays():
    before = (
        event("customer_message", 0),
        event("agent_message", 1),
        event("assigned", 2, agent_id="bob"),
        event("resolved", 3),
    )

    assert changes(before, event("reopened", 4)) == {("ann", "reopenings", 1), ("bob", "contacts", 1)}


def test_resolution_that_comes_late_is_counted_with_its_time_and_ends_the_round():
    before = (event("customer_message", 0), event("agent_message", MINUTE), event("customer_message", DAY))

    changed = changes(before, event("resolved", 2 * MINUTE))

    assert changed == {
        ("ann", "resolutions", 1),
        ("ann", "timed_resolutions", 1),
        ("ann", "resolution_ms", 2 * MINUTE),
        ("ann", "reopenings", 1),  # the later message opens a round of nobody yet
    }


def test_time_in_which_the_conversation_was_nobodys_is_no_agents_share():
    events = [
        event("assigned", -5, agent_id="ann"), event("customer_message", 0), event("assigned", 10, agent_id=None),
        event("assigned", 20, agent_id="ann"), event("agent_message", 30),
    ]  # fmt: skip
    shop = dict.fromkeys(FACTS, (ENTITIES["shop"],))

    assert ("ann", 30, "reply_ms", 20) in facts_of(*events)
    assert ("", 30, "reply_ms", 30) in facts_of(*events, kept=shop)


def test_corrected_rating_corrects_the_agents_points():
    before = (event("customer_message", 0), event("agent_message", 1), event("rated", 2, rating=1))

    assert changes(before, event("rated", 2, rating=5)) == {
        ("ann", "rating_points", 4),
        ("ann", "dissatisfied_ratings", -1),
    }


def test_answer_that_is_edited_an_hour_later_keeps_its_wait():
    question, answer = event("customer_message", 0, text="Where?"), event("agent_message", 2 * MINUTE, text="Soon.")

    assert changes((question, answer), replace(answer, occurred_at=NOON + HOUR, text="On Monday.")) == set()


def test_corrected_words_of_a_message_are_a_step_that_changes_no_fact():
    asked = event("customer_message", 0, text="Where is my parcel?")

    assert changes((asked, event("agent_message", MINUTE)), replace(asked, text="Where is my order?")) == set()


def test_merge_takes_back_what_was_counted_and_later_events_have_no_round():
    before = (event("customer_message", 0), event("agent_message", MINUTE))
    merged = event("status_changed", DAY, merged_into="c2")
    held = FoldedConversation(conversation(*before, merged), AGENT)

    rated = step_conversation(held, event("rated", 2 * DAY, rating=1), received_clock=NOON + 2 * DAY)

    assert changes(before, merged) == {(who, name, -value) for who, _, name, value in facts_of(*before) if value}
    assert rated is not None
    assert (rated.facts, rated.round, rated.scored) == ([], 0, False)


def test_duplicate_is_no_step():
    held = FoldedConversation(conversation(event("customer_message", 0)), AGENT)

    assert step_conversation(held, event("customer_message", 0), received_clock=NOON) is None


def test_what_an_import_has_counted_is_not_counted_again():
    question, answer = event("customer_message", 0), event("agent_message", 2 * MINUTE)

    changed = changes((), event("rated", 3 * MINUTE, rating=5), imported=(question, answer))

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
        received_clock=NOON,
        imported=(part_of(known),),
    )

    assert step is None


def test_no_difference_is_no_fact():
    totals = {("agent\x1fann", 0, "replies"): 2, ("agent\x1fann", 1, "replies"): 0}

    assert facts_between(totals, {("agent\x1fann", 0, "replies"): 2}) == []


def test_differences_come_in_a_fixed_order():
    after = {("b", 1, "x"): 1, ("a", 2, "x"): 1, ("a", 1, "y"): 1, ("a", 1, "x"): 1}

    assert [(fact.key, fact.at, fact.name) for fact in facts_between({}, after)] == sorted(after)
