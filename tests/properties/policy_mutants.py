"""Mutants of which policy judges what, and of the pauses that only a policy declares."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.conversations import conversation, event_values, reading, turns
from service_quality.conversations.conversation import Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.local_time import on_the_clock
from service_quality.conversations.reading import Reading
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import Reply
from service_quality.conversations.turns import Turn
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY
from service_quality.policies.policy import DEFAULT_POLICY, Policy

_POLICY, _START_TURN, _PUT_AT = Reading._policy, Reading._start_turn, conversation.put_at


def _newest(policies: Sequence[Policy], **_: int) -> Policy:
    return policies[-1]


def _latest_found(policies: Sequence[Policy], *, known: int, began_at: int) -> Policy:
    return policies[known - 1]


def _valid_by_then(policies: Sequence[Policy], *, known: int, began_at: int) -> Policy:
    valid = [one for one in policies if one.valid_from <= began_at]
    return valid[-1] if valid else DEFAULT_POLICY


def _valid_before(policies: Sequence[Policy], *, known: int, began_at: int) -> Policy:
    valid = [one for one in policies[:known] if one.valid_from < began_at]
    return valid[-1] if valid else DEFAULT_POLICY


def _of_the_first_round(self: Reading, event: InteractionEvent) -> Policy:
    return self.state.rounds[0].policy if self.state.rounds else _POLICY(self, event)


def _turn_by_its_round(self: Reading, one: Placed) -> None:
    _START_TURN(self, one)
    if self.state.turn is not None:
        self.state.turn.policy = self.state.rounds[-1].policy


def _rating_by_its_round(self: Reading, one: Placed) -> None:
    Reading.rated(self, one)
    if self.state.rated is not None:
        number, rating = self.state.rated
        rated = self.state.rounds[number - 1]
        judged = rating._replace(is_dissatisfied=rating.rating <= rated.policy.dissatisfied_at_most)
        rated.ratings[-1], self.state.rated = judged, (number, judged)


def _question_that_leaves_the_pause(self: Reading, one: Placed) -> None:
    paused_at, self.state.paused_at = self.state.paused_at, None
    Reading.customer_message(self, one)
    self.state.paused_at = paused_at


def _under_later_policies(held: Conversation, index: int, event: InteractionEvent, **clock: int) -> Conversation:
    changed = _PUT_AT(held, index, event, **clock)
    corrected = [event if one.event_id == event.event_id else one for one in changed.events]
    return replace(changed, events=tuple(map(conversation.without_words, corrected)))


def _by_the_year_of_the_question(self: Turn, end: int) -> bool:
    return _MEETS(self, self.since)


def _by_the_year_in_utc(self: Turn, end: int) -> bool:
    return _MEETS(replace(self, policy=self.policy._replace(zone="UTC")), end)


def _though_all_time_counts(self: Turn, answer: InteractionEvent, *given: Any, **which: Any) -> Reply:
    reply = _REPLY(self, answer, *given, **which)
    return reply._replace(provisional=self._meets_provisional_year(answer.occurred_at))


_MEETS, _REPLY = Turn._meets_provisional_year, Turn.reply


def _any_day_converted(at: int, precision: str, zone: str) -> int:
    return on_the_clock(at, "ms", zone)


def _instead(of: Any, name: str, value: object) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch.object(of, name, value)


def _reads(kind: str, reader: Callable[..., None]) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch.dict(reading._READERS, {kind: reader})


#: Only a log that holds policies shows them.
OF_POLICIES: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
    "the newest policy judges everything": _instead(reading, "policy_in_force", _newest),
    "a policy holds from its place on the log": _instead(reading, "policy_in_force", _latest_found),
    "a policy holds from its instant on": _instead(reading, "policy_in_force", _valid_by_then),
    "a policy holds after its instant": _instead(reading, "policy_in_force", _valid_before),
    "the first round's policy judges all rounds": _instead(Reading, "_policy", _of_the_first_round),
    "a round's policy judges its turns": _instead(Reading, "_start_turn", _turn_by_its_round),
    "a round's policy judges its ratings": _reads("rated", _rating_by_its_round),
    "nothing pauses": _instead(ConversationState, "pauses_until", lambda *_: []),
    "a pause goes on after a question": _reads("customer_message", _question_that_leaves_the_pause),
    "a pause never ends": _instead(Reading, "_resume", lambda *_: None),
    "no reply is provisional": _instead(Turn, "_meets_provisional_year", lambda *_: False),
    "provisional by the question alone": _instead(Turn, "_meets_provisional_year", _by_the_year_of_the_question),
    "provisional by the year in UTC": _instead(Turn, "_meets_provisional_year", _by_the_year_in_utc),
    "provisional though all time counts": _instead(Turn, "reply", _though_all_time_counts),
    "hours are in UTC": _instead(event_values, "on_the_clock", lambda at, *_: at),
    "days are in UTC": _instead(turns, "on_the_clock", lambda at, *_: at),
    "a day has the hours of UTC": _instead(turns, "start_of_day", lambda day, _: day * DAY),
    "a named day is converted": _instead(event_values, "on_the_clock", _any_day_converted),
    "no policy names a currency": _instead(
        ConversationState, "currency", property(lambda state: state.stated_currency)
    ),
    "the policy's currency precedes": _instead(
        ConversationState, "currency", property(lambda state: state.policy.currency or state.stated_currency)
    ),
    "a correction is judged by later policies": _instead(conversation, "put_at", _under_later_policies),
}
