"""What a conversation says: cases that public help desks got wrong, each a fact of docs/conversations.md."""

import pytest

from service_quality.conversations.conversation import EMPTY, Conversation, advance
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import Placed, in_order
from service_quality.conversations.rounds import Rating, Round, Share
from service_quality.facts.conversation_facts import total_facts
from service_quality.facts.entities import AGENT, CATEGORY, SHOP
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.policies.policy import DEFAULT_POLICY
from tests.unit.core.sample_events import NOON, conversation, event

SILENCE = DEFAULT_POLICY.ends_after_ms


def state(*events) -> ConversationState:
    return read_conversation(in_order(conversation(*events)))


def waits(*events) -> list[int | None]:
    return [reply.waited_ms for one in state(*events).rounds for reply in one.replies]


def waiting_since(*events) -> int | None:
    turn = state(*events).turn
    return None if turn is None else turn.since - NOON


def rounds(*events) -> list[Round]:
    return state(*events).rounds


def fact(name: str, *events, entity=AGENT) -> dict[str, int]:
    """The sum of a fact by the key of its entity."""
    folded = conversation(*events)
    totals = total_facts(folded, read_conversation(in_order(folded)), {name: (entity,)})
    sums: dict[str, int] = {}
    for (key, _, _), value in totals.items():
        named = key.partition("\x1f")[2]
        sums[named] = sums.get(named, 0) + value
    return {named: value for named, value in sums.items() if value}


def under(policies: int, *events) -> list[Placed]:
    """The events in order, arrived when the log held so many policies."""
    folded = EMPTY
    for one in events:
        folded = advance(folded, one, received_clock=one.received_at, policies_known=policies)
    return in_order(folded)


def arrives(kind: str, at: int, /, *, after: int, **fields: object):
    """An event stamped at one time that arrives later."""
    sent = event(kind, at, **fields)
    return type(sent)(**{name: getattr(sent, name) for name in sent.__slots__} | {"received_at": NOON + after})


# Bots, notes, duplicates


def test_bot_that_answers_first_is_no_reply():
    read = state(event("customer_message", 0), event("bot_message", SECOND), event("agent_message", MINUTE))

    assert [reply.waited_ms for reply in read.rounds[0].replies] == [MINUTE]
    assert list(read.agents) == ["ann"]


def test_customer_still_waits_after_a_bot():
    assert waiting_since(event("customer_message", 0), event("bot_message", SECOND)) == 0


@pytest.mark.parametrize("kind", ["internal_note", "status_changed", "bot_message", "complaint_filed"])
def test_what_is_no_message_of_a_person_does_not_stop_the_clock(kind):
    note = event(kind, SECOND, agent_id="bob")

    assert waits(event("customer_message", 0), note, event("agent_message", MINUTE)) == [MINUTE]


def test_the_same_message_delivered_twice_is_counted_once():
    message = event("customer_message", 0)

    assert rounds(message, message)[0].customer_messages == 1


def test_seen_before_gives_the_same_conversation_back():
    held = conversation(event("customer_message", 0))

    assert advance(held, event("customer_message", 0), received_clock=NOON + DAY) is held


# Rounds


def test_first_response_stays_what_it_was_when_reopened_days_later():
    first, second = rounds(
        event("customer_message", 0),
        event("agent_message", MINUTE),
        event("resolved", HOUR),
        event("customer_message", 5 * DAY),
        event("agent_message", 5 * DAY + 2 * MINUTE),
    )

    assert ([reply.waited_ms for reply in first.replies], first.end) == ([MINUTE], "resolved")
    assert ([reply.waited_ms for reply in second.replies], second.is_reopening) == ([2 * MINUTE], True)


def test_reopening_starts_a_clock_of_its_own():
    asked = [event("customer_message", 0), event("agent_message", MINUTE), event("resolved", HOUR)]

    assert waiting_since(*asked, event("reopened", 5 * DAY)) == 5 * DAY


def test_thanks_after_the_resolution_open_nothing():
    solved = [event("customer_message", 0), event("agent_message", MINUTE), event("resolved", HOUR)]
    read = state(*solved, event("customer_message", 2 * HOUR, courtesy=1))

    assert (len(read.rounds), read.turn, read.closed) == (1, None, True)


def test_thanks_in_a_running_round_make_nobody_wait():
    answered = [event("customer_message", 0), event("agent_message", MINUTE)]

    assert waiting_since(*answered, event("customer_message", 2 * MINUTE, courtesy=1)) is None


def test_thanks_do_not_end_a_wait():
    assert waiting_since(event("customer_message", 0), event("customer_message", MINUTE, courtesy=1)) == 0


def test_reopening_that_follows_the_message_that_caused_it_opens_no_further_round():
    solved = [event("customer_message", 0), event("agent_message", MINUTE), event("resolved", HOUR)]
    read = rounds(*solved, event("customer_message", 2 * HOUR), event("reopened", 2 * HOUR + SECOND))

    assert [one.number for one in read] == [1, 2]


def test_conversation_that_its_source_never_closes_ends_by_silence():
    first, second = rounds(
        event("customer_message", 0), event("agent_message", MINUTE), event("customer_message", 2 * SILENCE)
    )

    assert (first.end, first.ended_at) == ("silence", NOON + MINUTE + SILENCE)
    assert (second.number, second.is_reopening) == (2, False)


def test_silence_while_the_customer_waits_is_an_abandoned_unanswered_turn():
    events = [
        event("customer_message", 0),
        event("assigned", SECOND, agent_id="ann"),
        event("customer_message", 2 * SILENCE),
    ]

    assert [turn.abandoned for turn in rounds(*events)[0].unanswered] == [True]
    assert (fact("unanswered", *events), fact("abandoned", *events)) == ({"ann": 1}, {"ann": 1})


def test_closed_without_an_answer_is_unanswered_and_no_resolution():
    events = [event("conversation_opened", 0, agent_id="ann"), event("resolved", HOUR)]

    assert (fact("unanswered", *events), fact("abandoned", *events)) == ({"ann": 1}, {})
    assert (fact("resolutions", *events), fact("contacts", *events)) == ({}, {"ann": 1})


def test_never_answered_contact_is_counted():
    assert fact("contacts", event("conversation_opened", 0, agent_id=None), entity=SHOP) == {"": 1}


def test_time_to_resolution_is_that_of_each_round():
    first, second = rounds(
        event("customer_message", 0), event("agent_message", MINUTE), event("resolved", HOUR),
        event("reopened", DAY), event("agent_message", DAY + MINUTE), event("resolved", DAY + 2 * HOUR),
    )  # fmt: skip

    assert (first.resolution_ms, second.resolution_ms) == (HOUR, 2 * HOUR)


def test_merged_conversation_counts_only_where_it_survives():
    events = [event("customer_message", 0), event("agent_message", MINUTE)]
    merged = event("status_changed", HOUR, merged_into="c2")

    assert fact("replies", *events) == {"ann": 1}
    assert (fact("replies", *events, merged), state(*events, merged).closed) == ({}, True)


# Who waited for whom


def test_transfer_while_waiting_does_not_stop_the_customers_clock():
    events = [
        event("customer_message", 0),
        event("assigned", SECOND, agent_id="ann"),
        event("assigned", MINUTE, agent_id="bob"),
        event("agent_message", 2 * MINUTE, agent_id="bob"),
    ]

    assert waits(*events) == [2 * MINUTE]
    assert rounds(*events)[0].transfers == [NOON + MINUTE]


def test_each_agent_is_charged_for_the_time_the_conversation_was_theirs():
    events = [
        event("conversation_opened", 0, agent_id="ann", category="Returns"),
        event("assigned", 29 * MINUTE, agent_id="bob"),
        event("agent_message", 30 * MINUTE, agent_id="bob"),
    ]
    (only,) = rounds(*events)

    assert only.replies[0].shares == (Share("ann", 29 * MINUTE), Share("bob", MINUTE))
    assert fact("reply_ms", *events) == {"ann": 29 * MINUTE, "bob": MINUTE}
    assert (fact("slow_replies", *events), fact("on_time_replies", *events)) == ({"ann": 1}, {"bob": 1})
    assert fact("replies", *events) == {"bob": 1}


@pytest.mark.parametrize(("name", "whole"), [("reply_ms", 30 * MINUTE), ("slow_replies", 1), ("timed_replies", 1)])
def test_customers_wait_is_the_whole(name, whole):
    events = [
        event("conversation_opened", 0, agent_id="ann", category="Returns"),
        event("assigned", 29 * MINUTE, agent_id="bob"),
        event("agent_message", 30 * MINUTE, agent_id="bob"),
    ]

    assert fact(name, *events, entity=CATEGORY) == {"Returns": whole}


def test_time_before_anybody_took_over_is_nobodys():
    events = [
        event("customer_message", 0),
        event("assigned", 20 * MINUTE, agent_id="bob"),
        event("agent_message", 21 * MINUTE, agent_id="bob"),
    ]

    assert fact("reply_ms", *events) == {"bob": MINUTE}


def test_wait_is_the_answering_agents_where_nobody_was_named():
    assert fact("reply_ms", event("customer_message", 0), event("agent_message", MINUTE)) == {"ann": MINUTE}


def test_reply_belongs_to_its_sender_and_not_to_the_assignee():
    (only,) = rounds(
        event("conversation_opened", 0, agent_id="ann"),
        event("agent_message", MINUTE, agent_id="bob"),
        event("assigned", 2 * MINUTE, agent_id="cat"),
    )

    assert ([reply.agent_id for reply in only.replies], only.owner) == (["bob"], "bob")


def test_outcome_belongs_to_the_assigned_agent_while_nobody_answered():
    assert state(event("conversation_opened", 0, agent_id="ann")).owner == "ann"


def test_later_events_never_change_the_first_response():
    events = [
        event("customer_message", 0), event("agent_message", MINUTE), event("customer_message", 2 * MINUTE),
        event("agent_message", HOUR),
    ]  # fmt: skip

    values = read_event_values(state(*events), events[-1])

    assert (values["first_response_ms"], values["longest_later_reply_ms"]) == (MINUTE, 58 * MINUTE)


def test_an_earlier_answer_that_arrives_late_is_the_first_response():
    late = arrives("agent_message", MINUTE, after=2 * HOUR, agent_id="bob")
    (only,) = rounds(event("customer_message", 0), event("agent_message", HOUR), late)

    assert [(reply.agent_id, reply.waited_ms) for reply in only.replies] == [("bob", MINUTE)]


def test_several_messages_before_an_answer_are_one_turn():
    events = [event("customer_message", 0), event("customer_message", MINUTE), event("agent_message", 3 * MINUTE)]

    assert waits(*events) == [3 * MINUTE]


def test_second_message_of_an_agent_answers_nobody():
    (only,) = rounds(event("customer_message", 0), event("agent_message", MINUTE), event("agent_message", 2 * MINUTE))

    assert (len(only.replies), only.agent_messages) == (1, 2)


def test_order_of_arrival_does_not_matter():
    question, answer = event("customer_message", 0), event("agent_message", 5 * MINUTE)

    assert waits(question, answer) == waits(answer, question) == [5 * MINUTE]


def test_answer_at_the_instant_of_the_resolution_comes_before_it():
    events = [event("customer_message", 0), event("resolved", MINUTE), event("agent_message", MINUTE)]

    assert (waits(*events), fact("unanswered", *events), fact("resolutions", *events)) == ([MINUTE], {}, {"ann": 1})


@pytest.mark.parametrize(("after", "answered"), [(SECOND, True), (MINUTE, True), (MINUTE + 1, False)])
def test_answer_that_follows_the_resolution_at_once_is_an_answer(after, answered):
    events = [event("customer_message", 0), event("resolved", HOUR), event("agent_message", HOUR + after)]

    assert waits(*events) == ([HOUR + after] if answered else [])
    assert len(rounds(*events)[0].unanswered) == (not answered)


def test_conversation_that_names_itself_as_the_survivor_of_a_merge_goes_on():
    assert waiting_since(event("customer_message", 0), event("status_changed", 1, merged_into="c1")) == 0


# Agents who write first


def test_agent_who_writes_first_has_no_response_time():
    events = [event("agent_message", 0), event("conversation_opened", SECOND), event("customer_message", MINUTE)]

    assert (waits(*events), waiting_since(*events)) == ([], MINUTE)


def test_agent_who_writes_first_with_an_opening_has_no_response_time():
    began = [event("conversation_opened", 0), event("agent_message", 5 * SECOND), event("customer_message", MINUTE)]

    assert waits(*began, event("agent_message", 3 * MINUTE)) == [2 * MINUTE]


def test_opening_with_words_is_a_question():
    opening = event("conversation_opened", 0, text="Where is my parcel?")

    assert waits(opening, event("agent_message", 5 * SECOND), event("customer_message", MINUTE)) == [5 * SECOND]


def test_opening_that_is_answered_and_followed_by_thanks_is_a_question():
    thanks = event("customer_message", MINUTE, courtesy=1)

    assert waits(event("conversation_opened", 0), event("agent_message", 5 * SECOND), thanks) == [5 * SECOND]


# Order and clocks


@pytest.mark.parametrize(("question", "answer"), [("999", "1000"), ("1000", "1001"), ("b", "a")])
def test_question_comes_before_its_answer_at_one_instant(question, answer):
    asked = event("customer_message", 0, event_id=question)
    answered = event("agent_message", 0, event_id=answer)

    assert waits(asked, answered) == waits(answered, asked) == [0]


def test_sources_own_sequence_decides_at_one_instant():
    events = [
        event("agent_message", 0, event_id="greeting", sequence=1), event("customer_message", 0, sequence=2),
    ]  # fmt: skip

    assert (waits(*events), waiting_since(*events)) == ([], 0)


def test_answer_of_a_clock_that_is_behind_ends_the_wait():
    question, answer = event("customer_message", 0), arrives("agent_message", -20 * SECOND, after=20 * SECOND)

    assert (waits(question, answer), waiting_since(question, answer)) == ([0], None)


def test_one_late_answer_is_one_reply_to_several_messages():
    asked = [event("customer_message", 0), event("customer_message", 5 * SECOND)]
    answer = arrives("agent_message", -2 * SECOND, after=20 * SECOND)

    assert (waits(*asked, answer), waiting_since(*asked, answer)) == ([0], None)


@pytest.mark.parametrize("behind", [61 * SECOND, HOUR])
def test_answer_stamped_long_before_the_question_answers_nothing(behind):
    question, answer = event("customer_message", 0), arrives("agent_message", -behind, after=20 * SECOND)

    assert (waits(question, answer), waiting_since(question, answer)) == ([], 0)


def test_answer_that_arrived_before_the_question_answers_nothing():
    greeting, question = event("agent_message", -20 * SECOND), event("customer_message", 0)

    assert (waits(greeting, question), waiting_since(greeting, question)) == ([], 0)


def test_answer_to_an_earlier_question_does_not_answer_the_next_one_too():
    asked = [event("customer_message", -MINUTE), event("customer_message", 0)]
    answer = arrives("agent_message", -20 * SECOND, after=20 * SECOND)

    assert (waits(*asked, answer), waiting_since(*asked, answer)) == ([40 * SECOND], 0)


@pytest.mark.parametrize("day_known", ["customer_message", "agent_message"])
def test_answer_known_to_the_day_ends_the_wait_whose_length_is_missing(day_known):
    question = event("customer_message", 0, precision="day" if day_known == "customer_message" else "ms")
    answer = event("agent_message", DAY, precision="day" if day_known == "agent_message" else "ms")
    (only,) = rounds(question, answer)

    assert [(reply.waited_ms, reply.waited_days) for reply in only.replies] == [(None, 1)]
    assert waiting_since(question, answer) is None


def test_values_are_read_at_the_events_own_instant():
    asked = event("customer_message", 0)

    assert read_event_values(state(asked), asked)["waiting_ms"] == 0


def test_order_of_arrival_says_nothing_in_a_backlog():
    question = arrives("customer_message", MINUTE, after=DAY)
    answers = [arrives("agent_message", at, after=DAY, event_id=f"a{at}") for at in (30 * SECOND, 40 * SECOND)]
    first = arrives("customer_message", 0, after=DAY, event_id="first")

    assert waiting_since(question, *answers, first) == waiting_since(first, *answers, question) == MINUTE


def test_answer_that_is_edited_keeps_the_instant_at_which_it_was_written():
    answer = event("agent_message", MINUTE, text="Soon.")
    edited = event("agent_message", HOUR, text="On Monday.", event_id=answer.event_id)

    assert waits(event("customer_message", 0), answer, edited) == [MINUTE]


# Pauses


def test_shortest_wait_until_a_day_leaves_pauses_out():
    events = [
        event("customer_message", 0),
        event("status_changed", HOUR, status="pending"),
        event("agent_message", DAY, precision="day"),
    ]
    pausing = DEFAULT_POLICY._replace(pauses_when=("pending",))

    (only,) = read_conversation(under(1, *events), [pausing]).rounds

    assert [reply.waited_at_least_ms for reply in only.replies] == [HOUR]


def test_pause_at_an_answer_lasts_until_its_day_begins_in_the_west():
    events = [
        event("customer_message", 0),
        event("status_changed", HOUR, status="pending"),
        event("agent_message", 12 * HOUR, precision="day"),
        event("customer_message", 13 * HOUR),
    ]
    pausing = DEFAULT_POLICY._replace(pauses_when=("pending",), zone="America/Sao_Paulo")

    (only,) = read_conversation(under(1, *events), [pausing]).rounds

    assert [reply.waited_at_least_ms for reply in only.replies] == [HOUR]


def test_agent_named_between_a_resolution_and_the_closing_word_owns_the_time_from_then():
    solved = [
        event("customer_message", 0),
        event("resolved", HOUR),
        event("assigned", HOUR + 20 * SECOND, agent_id="ann"),
    ]
    (only,) = rounds(*solved, event("agent_message", HOUR + 30 * SECOND, agent_id="ann"))

    assert only.replies[0].shares == (Share("ann", 10 * SECOND),)


def test_agent_who_closes_a_contact_that_nobody_had_answers_for_it():
    asked = event("customer_message", 0)
    (only,) = rounds(asked, event("resolved", HOUR, agent_id="ann"))
    (assigned,) = rounds(asked, event("assigned", 1, agent_id="bob"), event("resolved", HOUR, agent_id="ann"))

    assert (only.owner, only.unanswered[0].agent_id) == ("ann", "ann")
    assert (assigned.owner, assigned.unanswered[0].agent_id) == ("bob", "bob")


def test_days_on_which_the_shop_does_not_open_are_no_silence():
    shifts = ((540, 1080),)
    closed = tuple((day, ()) for day in range(NOON // DAY + 1, NOON // DAY + 9))
    shop = DEFAULT_POLICY._replace(opening=(shifts,) * 7, own_days=closed)
    asked = event("customer_message", 0)

    def answered_at(at: int) -> Round:
        return read_conversation(under(1, asked, event("agent_message", at, agent_id="ann")), [shop]).rounds[0]

    assert answered_at(15 * DAY).replies[0].waited_ms == 15 * DAY
    assert not answered_at(15 * DAY + 1).replies
    assert answered_at(15 * DAY + 1).unanswered[0].at == NOON + 15 * DAY


def test_contact_that_an_agent_began_lasts_as_long_as_the_policy_of_its_round_says():
    shorter = DEFAULT_POLICY._replace(ends_after_ms=HOUR)
    (noted,) = under(0, event("internal_note", -HOUR))
    began = [event("conversation_opened", 0), event("agent_message", 5 * SECOND), event("customer_message", 2 * HOUR)]

    (only,) = read_conversation([noted, *under(1, *began)], [shorter]).rounds

    assert not only.replies


def test_clock_pauses_in_a_pending_status_where_the_policy_says_so():
    events = [
        event("customer_message", 0),
        event("status_changed", MINUTE, status="Pending"),
        event("status_changed", HOUR, status="open"),
        event("agent_message", HOUR + MINUTE),
    ]
    placed, pausing = under(1, *events), DEFAULT_POLICY._replace(pauses_when=("pending",))

    assert [reply.waited_ms for reply in read_conversation(placed, [pausing]).rounds[0].replies] == [2 * MINUTE]
    assert [reply.waited_ms for reply in read_conversation(placed).rounds[0].replies] == [HOUR + MINUTE]


def test_answered_and_pending_at_once_is_one_reply():
    pausing = DEFAULT_POLICY._replace(pauses_when=("pending",))
    events = [event("customer_message", 0), event("agent_message", MINUTE, status="pending"), event("resolved", HOUR)]
    (only,) = read_conversation(under(1, *events), [pausing]).rounds

    assert ([reply.waited_ms for reply in only.replies], only.resolution_ms) == ([MINUTE], MINUTE)


# Ratings

RATED = [event("customer_message", 0), event("agent_message", MINUTE), event("rated", HOUR, rating=1)]


def test_rating_stays_with_the_agent_whose_answer_it_follows():
    again = [event("reopened", DAY), event("agent_message", DAY + MINUTE, agent_id="bob")]

    assert fact("dissatisfied_ratings", *RATED, *again) == {"ann": 1}
    assert fact("contacts", *RATED, *again) == {"ann": 1, "bob": 1}


def test_rating_after_a_new_question_belongs_to_the_round_that_was_answered():
    first, second = rounds(
        event("customer_message", 0), event("agent_message", MINUTE), event("resolved", HOUR),
        event("customer_message", 2 * HOUR), event("rated", 3 * HOUR, rating=4),
    )  # fmt: skip

    assert first.ratings == [Rating(NOON + 3 * HOUR, 4, "ann", is_dissatisfied=False)]
    assert second.ratings == []


def test_several_rounds_may_each_be_rated():
    again = [event("reopened", DAY), event("agent_message", DAY + MINUTE), event("rated", 2 * DAY, rating=5)]

    assert [[one.rating for one in round_.ratings] for round_ in rounds(*RATED, *again)] == [[1], [5]]


def test_of_two_ratings_at_one_instant_the_later_on_the_log_counts():
    (only,) = rounds(
        event("customer_message", 0), event("rated", HOUR, event_id="z", rating=1),
        event("rated", HOUR, event_id="a", rating=5),
    )  # fmt: skip

    assert only.ratings[-1].rating == 5


def test_what_comes_after_a_rating_is_watched_again():
    assert state(*RATED).closed
    assert not state(*RATED, event("customer_message", 2 * HOUR)).closed
    assert not state(*RATED, event("complaint_filed", 2 * HOUR)).closed
    assert state(*RATED, event("customer_message", 2 * HOUR, courtesy=1)).closed


def test_rating_shows_only_in_closed():
    worst, best = (event("rated", 1, rating=stars) for stars in (1, 5))

    values = [read_event_values(state(event("agent_message", 0), rated), rated) for rated in (worst, best)]

    assert values[0] == values[1]
    assert values[0]["closed"] == 1


def test_corrected_rating_takes_the_place_of_the_earlier_one():
    corrected = [*RATED, event("rated", HOUR, rating=5)]

    assert fact("rating_points", *corrected) == {"ann": 5}
    assert fact("ratings", *corrected) == {"ann": 1}


# The end of a thread


def test_text_is_not_stored():
    (held,) = conversation(event("customer_message", 0, text="call 13812345678")).events

    assert (held.text, len(held.text_digest or "")) == (None, 8)


def test_conversation_of_visits_has_no_rounds():
    viewed = event("page_viewed", 0, conversation_id=None, customer_id="zoe")

    assert read_conversation(in_order(advance(EMPTY, viewed))).rounds == []
    assert Conversation().imported == 0
