"""Plausible misreadings of an event in a conversation, each to be put in place of what the core does."""

from collections.abc import Callable
from dataclasses import replace

from service_quality.conversations.reading import Reading
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import RESOLVED

#: What reads an event of one kind.
EventReader = Callable[[Reading, Placed], None]


def changed(reader: EventReader, **fields: object) -> EventReader:
    """The reader of the same event with other fields."""

    def read(reading: Reading, one: Placed) -> None:
        reader(reading, one._replace(event=replace(one.event, **fields)))  # type: ignore[arg-type]

    return read


def leaving_the_turn(reader: EventReader) -> EventReader:
    """The reader, after which waits whoever waited before."""

    def read(reading: Reading, one: Placed) -> None:
        turn = reading.state.turn
        reader(reading, one)
        reading.state.turn = turn

    return read


def starting_a_turn(reader: EventReader) -> EventReader:
    """The reader, after which the customer waits."""

    def read(reading: Reading, one: Placed) -> None:
        reader(reading, one)
        reading._start_turn(one)

    return read


def losing_the_turn(reader: EventReader) -> EventReader:
    """The reader, before which the wait is forgotten."""

    def read(reading: Reading, one: Placed) -> None:
        reading.state.turn = None
        reader(reading, one)

    return read


def opening_the_next(reader: EventReader) -> EventReader:
    """The reader, before which the next round opens where the last one has ended."""

    def read(reading: Reading, one: Placed) -> None:
        reading._open_next(one.event)
        reader(reading, one)

    return read


def nothing(reading: Reading, one: Placed) -> None:
    """Nothing is read."""


def opening_that_opens_no_next(reading: Reading, one: Placed) -> None:
    last = reading.state.rounds[-1]
    end, last.end = last.end, ""
    Reading.opened(reading, one)
    last.end = end


def opening_that_takes_away(reading: Reading, one: Placed) -> None:
    Reading.opened(reading, one)
    if one.event.agent_id is None:
        reading._assign(one.event.occurred_at, None)


def thanks_that_wait(reading: Reading, one: Placed) -> None:
    Reading.customer_message(reading, one)
    if not reading.state.rounds[-1].end:
        reading._start_turn(one)


def thanks_that_open_a_round(reading: Reading, one: Placed) -> None:
    reading._open_next(one.event)
    Reading.customer_message(reading, one)


def thanks_that_are_activity(reading: Reading, one: Placed) -> None:
    Reading.customer_message(reading, one)
    reading.state.rounds[-1].last_activity = one.event.occurred_at


def thanks_that_undo_a_rating(reading: Reading, one: Placed) -> None:
    Reading.customer_message(reading, one)
    reading.state.rounds[-1].is_quiet = False


def thanks_that_are_no_message(reading: Reading, one: Placed) -> None:
    if one.event.courtesy is None:
        Reading.customer_message(reading, one)


def message_that_leaves_it_quiet(reading: Reading, one: Placed) -> None:
    quiet = reading.state.rounds[-1].is_quiet
    Reading.customer_message(reading, one)
    reading.state.rounds[-1].is_quiet = quiet


def message_that_begins_the_wait_again(reading: Reading, one: Placed) -> None:
    if one.event.courtesy is None:
        reading.state.turn = None
    Reading.customer_message(reading, one)


def message_that_opens_no_round(reading: Reading, one: Placed) -> None:
    last = reading.state.rounds[-1]
    end, last.end = last.end, ""
    Reading.customer_message(reading, one)
    last.end = end


def reopening_of_a_waiting_round(reading: Reading, one: Placed) -> None:
    last = reading.state.rounds[-1]
    if not last.end and not reading.begins:
        reading._end(last, "reopened", one.event.occurred_at)
    Reading.reopened(reading, one)


def reopening_within_the_round(reading: Reading, one: Placed) -> None:
    reading._open_next(one.event)
    reading._start_turn(one)


def resolution_that_lets_wait(reading: Reading, one: Placed) -> None:
    turn, reading.state.turn = reading.state.turn, None
    Reading.resolved(reading, one)
    reading.state.turn = turn


def resolution_that_moves_the_end(reading: Reading, one: Placed) -> None:
    reading.state.rounds[-1].end = ""
    Reading.resolved(reading, one)


def resolution_since_the_first_opening(reading: Reading, one: Placed) -> None:
    Reading.resolved(reading, one)
    last, first = reading.state.rounds[-1], reading.state.rounds[0]
    if last.resolution_ms is not None and last.end == RESOLVED:
        last.resolution_ms += last.opened_at - first.opened_at


def bot_that_replies(reading: Reading, one: Placed) -> None:
    Reading.bot_message(reading, one)
    if reading.state.turn is not None:
        Reading.agent_message(reading, one)


def message_that_is_loose_though_it_replied(reading: Reading, one: Placed) -> None:
    waits = reading.state.turn is not None
    Reading.agent_message(reading, one)
    if waits and one.event.precision == "ms":
        reading.state.loose.append(one)


def message_that_moves_the_rating(reading: Reading, one: Placed) -> None:
    Reading.agent_message(reading, one)
    ratings = reading.state.rounds[-1].ratings
    if ratings:
        ratings[-1] = ratings[-1]._replace(agent_id=one.event.agent_id)


def transfer_at_every_assignment(reading: Reading, one: Placed) -> None:
    agent_id, same = one.event.agent_id, reading.state.assigned_agent == one.event.agent_id
    if agent_id is not None and same:
        reading.state.rounds[-1].transfers.append(one.event.occurred_at)
    Reading.assigned(reading, one)


def transfer_at_the_first_assignment(reading: Reading, one: Placed) -> None:
    if one.event.agent_id is not None and reading.state.assigned_agent is None:
        reading.state.rounds[-1].transfers.append(one.event.occurred_at)
    Reading.assigned(reading, one)


def assignment_to_nobody_that_leaves_it(reading: Reading, one: Placed) -> None:
    if one.event.agent_id is not None:
        Reading.assigned(reading, one)


def first_rating_stays(reading: Reading, one: Placed) -> None:
    if not reading.state.rounds[-1].ratings:
        Reading.rated(reading, one)


def rating_of_the_round_where_it_stands(reading: Reading, one: Placed) -> None:
    replied, reading.state.replied = reading.state.replied, None
    seemed, reading.seems_answered = reading.seems_answered, None
    Reading.rated(reading, one)
    reading.state.replied, reading.seems_answered = replied, seemed


def rating_of_the_assigned_agent(reading: Reading, one: Placed) -> None:
    Reading.rated(reading, one)
    if reading.state.rated is not None:
        number, rating = reading.state.rated
        ratings = reading.state.rounds[number - 1].ratings
        ratings[-1] = rating._replace(agent_id=reading.state.assigned_agent)


def rating_that_a_later_question_moves(reading: Reading, one: Placed) -> None:
    reading.seems_answered = None
    Reading.rated(reading, one)


def complaint_that_leaves_it_closed(reading: Reading, one: Placed) -> None:
    quiet = reading.state.rounds[-1].is_quiet
    Reading.complaint_filed(reading, one)
    reading.state.rounds[-1].is_quiet = quiet
