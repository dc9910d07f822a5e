"""Several imports and the log know different parts of one conversation: together they count it once."""

from collections import Counter
from dataclasses import replace

import pytest

from service_quality.conversations import conversation as bounds
from service_quality.conversations.conversation import CONVERSATION_RETENTION, EMPTY, Conversation
from service_quality.conversations.imported_part import ImportedPart, join_parts, put_in, same_content
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import FACTS, FactTotals
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from service_quality.facts.entities import ENTITIES
from service_quality.facts.import_fold import FoldedImport, fold_import
from service_quality.instants import DAY, end_of_day
from service_quality.policies.policy import Policy
from tests.unit.core.sample_events import NOON, conversation, event

AGENT = dict.fromkeys(FACTS, (ENTITIES["agent"],))
ASKED, ANSWERED = event("customer_message", 0), event("agent_message", 9)
BY_BOB = event("agent_message", 20, agent_id="bob")
RATED = event("rated", 30, rating=2)
NOTED = event("internal_note", 40)


def an_import(before: Conversation, *events: InteractionEvent) -> FoldedImport:
    return fold_import(before, events, kept=AGENT)


def totals(*events: InteractionEvent) -> FactTotals:
    return FoldedConversation(conversation(*events), AGENT).totals


def after_next_event(
    held: Conversation, imports: list[FoldedImport], *, counted: FactTotals, received_clock: int = NOON + 40
) -> FactTotals:
    """All that is counted once NOTED has reached the log."""
    step = step_conversation(
        FoldedConversation(held, AGENT),
        NOTED,
        received_clock=received_clock,
        imported=tuple(one.part for one in imports),
    )
    assert step is not None
    return summed([*imports, step], counted)


def summed(changes, counted: FactTotals) -> FactTotals:
    total = Counter(counted)
    for one in changes:
        for fact in one.facts:
            total[fact.key, fact.at, fact.name] += fact.value
    assert min(total.values(), default=0) >= 0
    return {key: value for key, value in total.items() if value}


def nonzero(found: FactTotals) -> FactTotals:
    return {key: value for key, value in found.items() if value}


def test_two_imports_of_different_parts_count_what_one_import_counts():
    first = an_import(EMPTY, ASKED, ANSWERED, RATED)
    second = an_import(first.part.after, BY_BOB)

    together = summed([first, second], {})

    assert together == summed([an_import(EMPTY, ASKED, ANSWERED, BY_BOB, RATED)], {})
    assert together == nonzero(totals(ASKED, ANSWERED, BY_BOB, RATED))


def test_next_event_finds_two_imports_counted_once():
    first = an_import(EMPTY, ASKED, ANSWERED)
    second = an_import(first.part.after, BY_BOB, RATED)

    found = after_next_event(EMPTY, [first, second], counted={})

    assert found == nonzero(totals(ASKED, ANSWERED, BY_BOB, RATED, NOTED))


@pytest.mark.parametrize("known", [(ASKED,), (ASKED, BY_BOB), (RATED,)], ids=len)
def test_log_and_import_count_a_conversation_once(known):
    held = conversation(*known)
    second = an_import(held, *(one for one in (ASKED, ANSWERED, BY_BOB, RATED) if one not in known))

    found = after_next_event(held, [second], counted=totals(*known))

    assert found == nonzero(totals(ASKED, ANSWERED, BY_BOB, RATED, NOTED))


def test_absorbed_import_is_the_next_ones_before():
    held = conversation(ASKED, ANSWERED)
    second = an_import(held, BY_BOB)

    found = after_next_event(held, [second], counted=totals(ASKED, ANSWERED))

    assert found == nonzero(totals(ASKED, ANSWERED, BY_BOB, NOTED))


def test_what_reached_the_log_while_an_import_was_made_is_counted_once_at_the_next_event():
    made_before = an_import(conversation(ASKED), ANSWERED, RATED)
    held = conversation(ASKED, ANSWERED, BY_BOB)

    found = after_next_event(held, [made_before], counted=totals(ASKED, ANSWERED, BY_BOB))

    assert found == nonzero(totals(ASKED, ANSWERED, BY_BOB, RATED, NOTED))


def test_conversation_that_the_log_has_forgotten_counts_as_the_import_knew_it():
    held = Conversation((ASKED,), touched_at=NOON)
    late = replace(RATED, occurred_at=NOON + 5 * DAY)
    later = an_import(held, late)

    found = after_next_event(held, [later], counted=totals(ASKED), received_clock=NOON + CONVERSATION_RETENTION + 1)

    assert found == nonzero(totals(ASKED, late, NOTED))


def test_forgotten_part_stays_counted_and_is_not_joined():
    old = an_import(EMPTY, ASKED, ANSWERED)

    found = after_next_event(EMPTY, [old], counted={}, received_clock=NOON + 9 + CONVERSATION_RETENTION + 1)

    assert found == nonzero(Counter(totals(ASKED, ANSWERED)) + Counter(totals(NOTED)))


def test_conversation_that_begins_again_after_retention_is_two_in_one_import():
    again = replace(BY_BOB, occurred_at=NOON + CONVERSATION_RETENTION + 10)

    found = an_import(EMPTY, ASKED, ANSWERED, again)

    assert found.part == ImportedPart(EMPTY, Conversation((again,), again.occurred_at, imported=1))
    assert summed([found], {}) == nonzero(Counter(totals(ASKED, ANSWERED)) + Counter(totals(again)))


def test_later_content_of_an_event_replaces_the_earlier_one():
    held, corrected = conversation(ASKED, ANSWERED, RATED), replace(RATED, rating=5)
    later = an_import(held, corrected)

    found = after_next_event(held, [later], counted=totals(ASKED, ANSWERED, RATED))

    assert found == nonzero(totals(ASKED, ANSWERED, corrected, NOTED))
    assert join_parts(held, [later.part]).events == (ASKED, ANSWERED, corrected)


def test_arrival_and_words_are_no_content():
    again = replace(ASKED, received_at=NOON + DAY, text="Wo?", query="lamp")

    assert same_content(ASKED, again)
    assert not same_content(ASKED, replace(ASKED, agent_id="ann"))
    assert not same_content(None, ASKED)
    assert put_in(conversation(ASKED), again) == conversation(ASKED)


def test_what_the_arrival_made_of_an_instant_is_no_content():
    arrived_that_day = replace(ASKED, precision="day", received_at=ASKED.occurred_at)
    at_its_end = replace(arrived_that_day, occurred_at=end_of_day(ASKED.occurred_at), received_at=NOON + DAY)
    ahead = replace(ASKED, stated_at=ASKED.occurred_at + 60_000)

    assert same_content(arrived_that_day, at_its_end)
    assert same_content(ahead, replace(ASKED, occurred_at=ASKED.occurred_at + 60_000))
    assert not same_content(arrived_that_day, ASKED)


def test_event_that_an_import_changes_keeps_what_it_knew_of_policies():
    known = replace(ASKED, policies_known=2)

    joined = join_parts(conversation(known), [an_import(EMPTY, replace(ASKED, category="returns")).part])

    assert joined.events == (replace(known, category="returns"),)


def test_copy_of_the_log_stays_where_the_import_says_the_same():
    arrived_late = replace(ASKED, received_at=NOON + DAY)

    joined = join_parts(conversation(arrived_late), [an_import(EMPTY, ASKED, ANSWERED).part])

    assert joined == Conversation((ANSWERED, arrived_late), arrived_late.received_at, imported=1)


def test_import_leaves_out_what_a_full_conversation_rejects_and_counts_it(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_EVENTS", 2)

    found = an_import(conversation(ASKED), ANSWERED, BY_BOB)

    assert (found.part.after.events, found.part.after.imported) == ((ANSWERED, ASKED), 1)
    assert found.left_out == 1


def test_import_that_a_policy_judged_is_counted_by_it_when_the_next_event_comes():
    policies = (Policy("strict", valid_from=0, slow_beyond_ms=1, on_time_within_ms=1),)
    past = [replace(one, policies_known=1) for one in (ASKED, ANSWERED)]
    judged = fold_import(EMPTY, past, kept=AGENT, policies=policies)
    assert [fact.value for fact in judged.facts if fact.name == "slow_replies"] == [1]

    for known in (FoldedConversation(EMPTY, AGENT), FoldedConversation(EMPTY, AGENT, policies)):
        step = step_conversation(known, NOTED, received_clock=NOON + 40, imported=(judged.part,), policies=policies)

        assert step is not None
        assert step.facts == []


def test_conversation_that_is_too_large_with_its_imports_rejects_the_next_event(monkeypatch):
    part = ImportedPart(EMPTY, conversation(ANSWERED, BY_BOB))
    monkeypatch.setattr(bounds, "MAX_EVENTS", 2)

    with pytest.raises(RejectedEventError) as rejected:
        step_conversation(FoldedConversation(conversation(ASKED), AGENT), NOTED, received_clock=NOON, imported=(part,))

    assert rejected.value.reason == "conversation_full"


def test_parts_of_a_forgotten_conversation_are_joined_in_their_order_of_arrival():
    asked, noted, answered = (
        event(kind, at) for kind, at in (("customer_message", 9), ("internal_note", 5), ("agent_message", 7))
    )
    first, second = (ImportedPart(EMPTY, Conversation(held, NOON)) for held in ((asked,), (asked, noted)))
    third = ImportedPart(EMPTY, Conversation((noted, answered), NOON))

    assert join_parts(EMPTY, [first, second, third]).events == (asked, noted, answered)
    assert join_parts(EMPTY, [third, second]).events == (asked, noted, answered)
    assert join_parts(Conversation((answered,), NOON), [second]).events == (asked, noted, answered)
