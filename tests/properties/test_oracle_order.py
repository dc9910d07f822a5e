"""The oracle's order, and what it makes of ids that come again, on events that were placed by hand."""

from collections import Counter
from dataclasses import replace

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from tests.oracle.held import joined
from tests.oracle.story import Placed, content, imported_content
from tests.properties.naive_reader import ImportedPast, NaivePart, NaiveReader
from tests.properties.stories_by_hand import (
    EVERY_FACT,
    MINUTE,
    NOON,
    agent,
    answers,
    asks,
    event,
    ids,
    rates,
    sums,
    told,
)


def test_order_of_arrival_does_not_matter_where_instants_are_far_apart():
    question, answer = asks(10), answers(5)
    outbound = told(answer, question)

    assert outbound.events[0].event == told(question, answer).events[0].event
    assert "replies" not in sums(outbound)
    assert sums(told(question, answer)) == sums(outbound)
    assert sums(told(answers(12), question)) == sums(told(question, answers(12)))


def test_question_comes_before_its_answer_at_one_instant():
    question, answer = asks(0, "999"), answers(0, event_id="1000")

    for story in (told(question, answer), told(answer, question), told(imported=(answer, question))):
        assert ids(story) == ["999", "1000"]
        assert sums(story)["replies"] == 1
        assert "reply_ms" not in sums(story)
        assert sums(story)["reply_ms_to_30s"] == 1


def test_the_sources_own_order_counts_where_every_event_of_the_log_has_it():
    answer, question = answers(0, event_id="a", sequence=1), asks(0, "q", sequence=2)

    assert ids(told(question, answer)) == ["a", "q"]
    assert ids(told(answers(0, event_id="a", sequence=2), question)) == ["q", "a"]
    assert ids(told(question, answer, event("internal_note", 0, "n"))) == ["q", "n", "a"]
    assert ids(told(imported=(answer, question))) == ["q", "a"]


def test_imported_events_come_first_at_one_instant():
    story = told(
        asks(0, "of the log"), rates(0, 5, "rated"),
        imported=(rates(0, 1, "old rated"), answers(0, event_id="b", sequence=4), answers(0, event_id="c"),
                  answers(0, event_id="a", sequence=7)),
    )  # fmt: skip

    assert ids(story) == ["c", "b", "a", "old rated", "of the log", "rated"]


def read(*events: InteractionEvent) -> tuple[list[str], dict[tuple[str, str], int]]:
    """The outcome of each event, and the facts that entered, by entity key and name."""
    reader = NaiveReader(FeatureSet(()), scores=False)
    reader.kept = {entity: set(names) for entity, names in EVERY_FACT.items()}
    became = [reading.became for reading in reader.read([("", event) for event in events])]
    entered: Counter[tuple[str, str]] = Counter()
    for fact in (fact for facts in reader.entered.values() for fact in facts):
        entered[fact.key, fact.name] += fact.value
    return became, dict(entered)


def test_message_delivered_twice_counts_once():
    message = answers(2)

    became, facts = read(asks(0), message, replace(message, received_at=message.received_at + 5 * MINUTE))

    assert became == ["accepted", "accepted", "duplicate"]
    assert facts["shop\x1f", "replies"] == 1


def test_edited_message_is_a_correction_in_the_place_of_the_first():
    became, facts = read(asks(0), answers(2, event_id="m"), answers(2, "bob", "m", received_at=NOON + 60 * MINUTE))

    assert became == ["accepted", "accepted", "corrected"]
    assert facts[agent("bob"), "reply_ms"] == 120_000
    assert facts[agent("ann"), "replies"] == 0


def test_message_edited_into_thanks_or_from_words_to_words_is_compared_without_its_annotation():
    question = asks(0, "q")

    assert content(question) == content(replace(question, courtesy=1))
    assert read(question, replace(question, text="Where is it?"))[0] == ["accepted", "corrected"]


def test_rating_is_corrected():
    became, facts = read(asks(0), answers(1), rates(2, 5, "r"), rates(2, 1, "r"))

    assert became[-1] == "corrected"
    assert (facts["shop\x1f", "ratings"], facts["shop\x1f", "rating_points"]) == (1, 1)
    assert facts["shop\x1f", "dissatisfied_ratings"] == 1


def test_other_content_of_another_kind_is_a_conflict_and_changes_nothing():
    resolved = event("resolved", 3, "x")

    became, facts = read(asks(0), resolved, event("resolved", 4, "x"), answers(5, event_id="x"))

    assert became == ["accepted", "accepted", "conflict", "conflict"]
    assert facts["shop\x1f", "unanswered"] == 1
    assert ("shop\x1f", "replies") not in facts


def test_stamp_ahead_of_its_arrival_compares_by_itself_and_a_day_by_its_day():
    early = event("internal_note", 0, "n", stated_at=NOON + 6 * MINUTE)
    later = event("internal_note", 6, "n")

    assert content(early) == content(later)
    assert content(event("internal_note", 1, "n", precision="day")) == content(
        event("internal_note", 90, "n", precision="day")
    )
    assert content(event("internal_note", 1, "n")) != content(event("internal_note", 90, "n"))


def test_import_leaves_words_alone_and_puts_other_content_in_the_known_place():
    question, answer = asks(0, "q"), answers(0, event_id="a")
    known = [Placed(question, 0), Placed(answer, 1)]
    part = NaivePart((), (Placed(replace(question, text=None), None), Placed(replace(answer, agent_id="bob"), None)), 0)

    held = joined(known, [part])

    assert held == [Placed(question, 0), Placed(replace(answer, agent_id="bob"), 1)]
    assert imported_content(question) == imported_content(replace(question, text=None))
    assert joined([], [part]) == list(part.after)


def test_events_of_an_import_come_before_the_logs_at_one_instant_and_are_known_to_the_log():
    imported = answers(0, event_id="i")
    past = ImportedPast(NOON, (), {"contact\x1fc1": NaivePart((), (Placed(imported, None),), NOON)})
    reader = NaiveReader(FeatureSet(()), scores=False)

    became = [one.became for one in reader.read([("", past), ("", imported), ("", asks(0, "q"))])]

    assert became == ["accepted", "duplicate", "accepted"]
    assert reader.contacts["contact\x1fc1"].events == [Placed(imported, None), Placed(asks(0, "q"), 0)]


def test_merged_conversations_count_their_events_once_in_the_one_that_survives():
    question, answer = asks(0, "q"), answers(2, event_id="a")
    merged = event("status_changed", 5, "m", merged_into="c2")
    again = [replace(one, conversation_id="c2", received_at=merged.received_at) for one in (question, answer)]

    became, facts = read(question, answer, merged, *again)

    assert became == ["accepted"] * 5
    assert (facts["shop\x1f", "contacts"], facts["shop\x1f", "reply_ms"]) == (1, 120_000)
