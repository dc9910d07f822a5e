"""The order in which a conversation is read: what comes first at one instant."""

from dataclasses import replace
from itertools import permutations

import pytest

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.reading_order import in_order
from service_quality.events.interaction_event import InteractionEvent
from tests.unit.core.sample_events import NOON, event


def order_of(*events: InteractionEvent, imported: int = 0) -> list[str]:
    """The ids of a conversation's events as they are read; the first of them came by imports."""
    return [one.event.event_id for one in in_order(Conversation(events, NOON, imported))]


QUESTION, ANSWER, RATED = (
    event(kind, 0, event_id=name)
    for kind, name in (("customer_message", "question"), ("agent_message", "answer"), ("rated", "rating"))
)


@pytest.mark.parametrize("arrived", [*permutations((QUESTION, ANSWER, RATED))])
@pytest.mark.parametrize("imported", [0, 3])
def test_question_comes_first_and_the_rating_last_at_one_instant(arrived, imported):
    assert order_of(*arrived, imported=imported) == ["question", "answer", "rating"]


@pytest.mark.parametrize("kind", ["conversation_opened", "reopened", "customer_message"])
def test_every_kind_of_question_comes_before_an_answer(kind):
    assert order_of(ANSWER, event(kind, 0, event_id="z")) == ["z", "answer"]


def test_instant_decides_before_all_else():
    later = replace(QUESTION, occurred_at=NOON + 1, sequence=1)

    assert order_of(later, replace(RATED, sequence=2)) == ["rating", "question"]
    assert order_of(replace(QUESTION, event_id="0", occurred_at=NOON + 1), RATED, imported=1) == ["rating", "0"]


def test_log_is_read_by_sequence_where_all_of_an_instant_have_one():
    arrived = [replace(QUESTION, sequence=3), replace(RATED, sequence=1), replace(ANSWER, sequence=2)]

    assert order_of(*arrived) == ["rating", "answer", "question"]


def test_sequence_of_the_log_counts_within_questions_and_others_where_one_event_has_no_sequence():
    second, first = replace(ANSWER, event_id="a", sequence=2), replace(ANSWER, event_id="b", sequence=1)

    assert order_of(second, first, QUESTION, ANSWER) == ["question", "answer", "b", "a"]


def test_sequence_of_one_instant_says_nothing_about_another():
    plain = replace(QUESTION, event_id="plain", occurred_at=NOON - 1)

    assert order_of(replace(QUESTION, sequence=2), replace(ANSWER, sequence=1), plain) == [
        "plain",
        "answer",
        "question",
    ]


def test_what_is_equal_stays_in_order_of_the_log():
    assert order_of(*(replace(ANSWER, event_id=name) for name in "cab")) == ["c", "a", "b"]
    assert order_of(*(replace(ANSWER, event_id=name, sequence=7) for name in "cab")) == ["c", "a", "b"]


def test_events_of_imports_come_before_those_of_the_log():
    assert order_of(RATED, QUESTION, imported=1) == ["rating", "question"]
    assert order_of(replace(RATED, sequence=9), replace(QUESTION, sequence=1), imported=1) == ["rating", "question"]


def test_sequence_of_imports_counts_within_questions_and_others_then_the_id():
    first, second = replace(ANSWER, event_id="z", sequence=1), replace(ANSWER, event_id="a", sequence=2)
    imported = [second, first, replace(QUESTION, sequence=3), ANSWER, replace(ANSWER, event_id="again")]

    assert order_of(*imported, imported=5) == ["question", "again", "answer", "z", "a"]


def test_logged_events_keep_their_place_on_the_log_and_imported_ones_have_no_place():
    earlier = replace(QUESTION, event_id="earlier", occurred_at=NOON - 1)
    placed = in_order(Conversation((QUESTION, ANSWER, earlier), NOON, imported=1))

    assert [(one.event.event_id, one.number) for one in placed] == [("earlier", 2), ("question", None), ("answer", 1)]
