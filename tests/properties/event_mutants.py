"""Mutants that read the events of one kind in another way, by what is wrong with them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from service_quality.conversations import reading
from service_quality.conversations.reading import Reading
from tests.properties import misread_events
from tests.properties.misread_events import (
    EventReader,
    changed,
    leaving_the_turn,
    losing_the_turn,
    opening_the_next,
    starting_a_turn,
)

_OPENED: Mapping[str, EventReader] = {
    "an opening after an answer opens a turn": starting_a_turn(Reading.opened),
    "an opening's words are not read": changed(Reading.opened, text_digest=None),
    "an opening always asks": changed(Reading.opened, text_digest="words"),
    "an opening opens no next round": misread_events.opening_that_opens_no_next,
    "an opening names no agent": changed(Reading.opened, agent_id=None),
    "an opening without agent takes the contact away": misread_events.opening_that_takes_away,
}
_CUSTOMER_MESSAGE: Mapping[str, EventReader] = {
    "thanks are a question": changed(Reading.customer_message, courtesy=None),
    "thanks wait": misread_events.thanks_that_wait,
    "thanks open a round": misread_events.thanks_that_open_a_round,
    "thanks are activity": misread_events.thanks_that_are_activity,
    "thanks undo a rating": misread_events.thanks_that_undo_a_rating,
    "thanks are no message": misread_events.thanks_that_are_no_message,
    "a message leaves a rated contact closed": misread_events.message_that_leaves_it_quiet,
    "the last message begins the wait": misread_events.message_that_begins_the_wait_again,
    "a message opens no next round": misread_events.message_that_opens_no_round,
    "nobody waits after a message": leaving_the_turn(Reading.customer_message),
}
_AGENT_MESSAGE: Mapping[str, EventReader] = {
    "every agent's message replies": leaving_the_turn(Reading.agent_message),
    "an agent's message opens a round": opening_the_next(Reading.agent_message),
    "a reply also answers what follows": misread_events.message_that_is_loose_though_it_replied,
    "a later message moves the rating": misread_events.message_that_moves_the_rating,
}
_ASSIGNED: Mapping[str, EventReader] = {
    "an assignment is read as a message": Reading.agent_message,
    "a transfer to the same agent counts": misread_events.transfer_at_every_assignment,
    "the first assignment is a transfer": misread_events.transfer_at_the_first_assignment,
    "an assignment to nobody leaves it": misread_events.assignment_to_nobody_that_leaves_it,
}
_RESOLVED: Mapping[str, EventReader] = {
    "a resolution ends nothing": misread_events.nothing,
    "a resolution lets the customer wait": misread_events.resolution_that_lets_wait,
    "a turn that a resolution ends is lost": losing_the_turn(Reading.resolved),
    "a second resolution moves the end": misread_events.resolution_that_moves_the_end,
    "resolution since the first opening": misread_events.resolution_since_the_first_opening,
}
_REOPENED: Mapping[str, EventReader] = {
    "nobody waits after a reopening": leaving_the_turn(Reading.reopened),
    "a reopening ends a round that waits": misread_events.reopening_of_a_waiting_round,
    "a reopening ends no running round": misread_events.reopening_within_the_round,
}
_RATED: Mapping[str, EventReader] = {
    "the first rating stays": misread_events.first_rating_stays,
    "a rating is of the round where it stands": misread_events.rating_of_the_round_where_it_stands,
    "a rating is the assigned agent's": misread_events.rating_of_the_assigned_agent,
    "a later question moves a rating": misread_events.rating_that_a_later_question_moves,
}
_OTHERS: Mapping[str, tuple[str, EventReader]] = {
    "a bot ends a turn": ("bot_message", losing_the_turn(Reading.bot_message)),
    "a bot replies": ("bot_message", misread_events.bot_that_replies),
    "an internal note ends a turn": ("internal_note", losing_the_turn(misread_events.nothing)),
    "a change of status ends a turn": ("status_changed", losing_the_turn(misread_events.nothing)),
    "a complaint opens a turn": ("complaint_filed", starting_a_turn(Reading.complaint_filed)),
    "a complaint leaves a rated contact closed": (
        "complaint_filed",
        misread_events.complaint_that_leaves_it_closed,
    ),
}
_BY_KIND = {
    "conversation_opened": _OPENED,
    "customer_message": _CUSTOMER_MESSAGE,
    "agent_message": _AGENT_MESSAGE,
    "assigned": _ASSIGNED,
    "resolved": _RESOLVED,
    "reopened": _REOPENED,
    "rated": _RATED,
}


def _reads(kind: str, reader: EventReader) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch.dict(reading._READERS, {kind: reader})


EVENT_MUTANTS = {
    name: _reads(kind, reader)
    for name, (kind, reader) in [
        *((name, (kind, reader)) for kind, readers in _BY_KIND.items() for name, reader in readers.items()),
        *_OTHERS.items(),
    ]
}
