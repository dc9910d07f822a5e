"""What happened in a conversation: its rounds, read off its events in one pass, as docs/conversations.md says."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from service_quality.conversations.began_by_agent import began_by_agent
from service_quality.conversations.conversation import RETENTION, Past
from service_quality.conversations.conversation_state import ConversationState, copy_state
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import (
    AGE,
    REOPENED,
    RESOLVED,
    SILENCE,
    Rating,
    Reply,
    Round,
    Share,
    Unanswered,
)
from service_quality.conversations.turns import Turn, overlap
from service_quality.events import kinds
from service_quality.events.declared_fields import AGENT, CONTACT
from service_quality.events.interaction_event import InteractionEvent, fields_describing
from service_quality.policies.policy import DEFAULT_POLICY, Policy, policy_in_force
from service_quality.policies.silence import is_over_by_silence, silence_ends_at

_AGENT_FIELDS, _CONTACT_FIELDS = fields_describing(AGENT), fields_describing(CONTACT)
_agent_values, _contact_values = attrgetter(*_AGENT_FIELDS), attrgetter(*_CONTACT_FIELDS)


def read_conversation(
    placed: Sequence[Placed],
    policies: Sequence[Policy] = (),
    *,
    past: Past | None = None,
    until: int | None = None,
    is_merged: bool = False,
) -> ConversationState:
    """The state of a conversation after these events, which are in their order.

    `policies` are those of the shop, in the order of its log. A silence that is too long `until` an instant ends the
    last round, too. `is_merged` says that a later event merges the conversation into another. `past` is what came
    before these events.
    """
    reading = begin_reading(placed, policies, past=past, is_merged=is_merged)
    if until is not None:
        reading.end_silent(until)
    return reading.state


def begin_reading(
    placed: Sequence[Placed], policies: Sequence[Policy] = (), *, past: Past | None = None, is_merged: bool = False
) -> "Reading":
    """The reading of these events, with which one can go on."""
    reading = Reading(placed, policies)
    if past is not None:
        reading.begin_behind(past)
    reading.state.is_merged = is_merged
    reading.read()
    return reading


class Reading:
    """One pass over the events of a conversation."""

    def __init__(self, placed: Sequence[Placed], policies: Sequence[Policy]) -> None:
        self.placed = placed
        self.policies = policies
        self.asking_openings: list[tuple[int, Round]] = []
        self.index = 0
        self.begins = False
        self.is_begun_by_agent = False
        self.left_open: Turn | None = None
        self.seems_answered: tuple[Round, str | None] | None = None
        self.state = ConversationState()

    def begin_behind(self, past: Past) -> None:
        """Begin with what is left of earlier rounds."""
        state = self.state
        state.assigned_agent, state.amount_minor = past.assigned_agent, past.amount_minor
        state.stated_currency = past.currency
        state.contact, state.agents = dict(past.contact), {agent: dict(named) for agent, named in past.agents}
        rounds = [_summary(past.rounds, past.end, past.owner)]
        if past.replied is not None:
            number, agent_id = past.replied
            if number < past.rounds:
                rounds.insert(0, _summary(number, RESOLVED, agent_id))
            state.replied = rounds[0]
            state.replied.replies.append(Reply(0, agent_id, None, 0, None))
        state.rounds = rounds

    def continued(self, placed: Sequence[Placed]) -> "Reading | None":
        """The reading of these events, of which all but the last are those of this reading, in the same order.

        None where the last event changes how an earlier one is read: then all are read again. This reading stays as it
        is.
        """
        event = placed[-1].event
        if self.state.is_merged or event.merged_into not in (None, event.conversation_id):
            return None
        if any(began_by_agent(placed, index, of=one) for index, one in self.asking_openings):
            return None
        following = Reading(placed, self.policies)
        seems = self.seems_answered
        following.state, copies = copy_state(self.state, [] if seems is None else [seems[0]])
        following.seems_answered = None if seems is None else (copies[id(seems[0])], seems[1])
        following.asking_openings = [(index, copies.get(id(one), one)) for index, one in self.asking_openings]
        following.is_begun_by_agent, following.left_open = self.is_begun_by_agent, self.left_open
        following.read(len(placed) - 1)
        return following

    def read(self, first: int = 0) -> None:
        """Read the events from one on."""
        state = self.state
        for index, one in enumerate(self.placed[first:], first):
            self.index, event = index, one.event
            self._read_attributes(event)
            if event.conversation_id is None or event.kind in kinds.OF_DAYS:
                self._read_outside(event)
                continue
            if event.merged_into not in (None, event.conversation_id):
                state.is_merged = True
            self._read_in_contact(one)
        if state.is_merged:
            state.rounds, state.turn, state.rated = [], None, None
        if self.policies and self.placed:
            state.policy = self._policy(self.placed[-1].event)

    def _policy(self, event: InteractionEvent) -> Policy:
        """The policy that judges what begins with an event."""
        if not event.policies_known:
            return DEFAULT_POLICY
        return policy_in_force(self.policies, known=event.policies_known, began_at=event.occurred_at)

    def _read_outside(self, event: InteractionEvent) -> None:
        """Read an event of a visit."""
        state = self.state
        if event.kind == "complaint_filed":
            state.complaints.append(event.occurred_at)
        elif currency := state.stated_currency or self._policy(event).currency:
            state.currencies[event.event_id] = currency

    def _read_in_contact(self, one: Placed) -> None:
        state, event = self.state, one.event
        self.begins = not state.rounds
        if self.begins:
            self._open(event)
        else:
            self._end_by_silence(state.rounds[-1], event.occurred_at)
        rounds, state.was_closed, state.rated = len(state.rounds), state.closed, None
        reader = _READERS.get(event.kind)
        if reader is not None:
            reader(self, one)
        if len(state.rounds) != rounds:
            state.was_closed = False
        if event.kind in kinds.ACTIVITY and event.courtesy is None:
            state.rounds[-1].last_activity = event.occurred_at
        if event.status is not None:
            self._read_status(event)

    def _read_attributes(self, event: InteractionEvent) -> None:
        state = self.state
        contact = state.contact
        if named := {
            name: value
            for name, value in zip(_CONTACT_FIELDS, _contact_values(event), strict=True)
            if value is not None and contact.get(name) != value
        }:
            state.contact = contact | named  # shared with the reading before: changed in a copy
        if event.amount_minor is not None:
            state.amount_minor = event.amount_minor
        if event.currency is not None:
            state.stated_currency = event.currency
        if event.agent_id is not None:
            profile = state.agents.get(event.agent_id, {})
            told = {
                name: value
                for name, value in zip(_AGENT_FIELDS, _agent_values(event), strict=True)
                if value is not None and profile.get(name) != value
            }
            if told or event.agent_id not in state.agents:
                state.agents = state.agents | {event.agent_id: profile | told}

    def _open(self, event: InteractionEvent, *, is_reopening: bool = False) -> Round:
        state = self.state
        opened = Round(
            state.rounds[-1].number + 1 if state.rounds else 1,
            event.occurred_at,
            event.precision,
            is_reopening,
            event.occurred_at,
            self._policy(event),
            self.index,
            assigned_agent=state.assigned_agent,
        )
        state.rounds.append(opened)
        return opened

    def _open_next(self, event: InteractionEvent) -> None:
        """Open a round if the last one has ended."""
        last = self.state.rounds[-1]
        if last.end:
            self._open(event, is_reopening=last.end == RESOLVED or event.kind == "reopened")

    def _end(self, last: Round, end: str, at: int, precision: str = "ms") -> None:
        state = self.state
        last.end, last.ended_at, last.ended_precision = end, at, precision
        if state.turn is not None:
            is_provisional = state.turn.is_provisional(at, state.contact)
            owner, began_at = state.assigned_agent or last.owner, state.turn.began_at
            last.unanswered.append(Unanswered(at, owner, end == SILENCE, is_provisional, began_at))
            state.turn = None

    def _end_by_age(self, at: int) -> None:
        """End a round in which nobody waits before a message, where it runs for longer than events can be late."""
        last = self.state.rounds[-1]
        if not last.end and self.state.turn is None and at - last.opened_at > RETENTION:
            self._end(last, AGE, last.last_activity)

    def end_silent(self, until: int) -> None:
        """End the last round if it is silent for too long by an instant."""
        if self.state.rounds:
            self._end_by_silence(self.state.rounds[-1], until)

    def _end_by_silence(self, last: Round, at: int) -> None:
        if not last.end and is_over_by_silence(last.policy, last.last_activity, at):
            self._end(last, SILENCE, silence_ends_at(last.policy, last.last_activity))

    def _start_turn(self, one: Placed) -> None:
        state, event = self.state, one.event
        if state.turn is not None:
            return
        policy = self._policy(event)
        if self._is_answered(one, policy):
            return
        if event.kind == "conversation_opened" and event.text_digest is None:
            self.is_begun_by_agent = began_by_agent(self.placed, self.index, of=state.rounds[-1])
            if not self.is_begun_by_agent:
                self.asking_openings.append((self.index, state.rounds[-1]))
        if not self.is_begun_by_agent:
            began_at = event.occurred_at
            holders = [(began_at, state.assigned_agent)]
            state.turn = Turn(began_at, event.precision, policy, holders, max(began_at, event.received_at))

    def _is_answered(self, one: Placed, policy: Policy) -> bool:
        """Whether an answer that arrived after this question is stamped a little before it: clocks differ."""
        state, event, number = self.state, one.event, one.number
        tolerance = policy.answer_tolerance_ms
        if number is None or event.precision != "ms" or _delay(event) > tolerance:
            return False
        earliest = event.occurred_at - tolerance
        for answer, arrived in reversed(state.loose):
            is_later = arrived is not None and arrived > number
            if answer.occurred_at >= earliest and is_later and _delay(answer) <= tolerance:
                if answer.event_id not in state.answered_ahead:
                    state.answered_ahead.add(answer.event_id)
                    at, agent_id = event.occurred_at, answer.agent_id
                    opened = None if policy.is_always_open else 0
                    self._add_reply(Reply(at, agent_id, 0, 0, 0, (Share(agent_id, 0),), opened, began_at=at))
                return True
        return False

    def _add_reply(self, reply: Reply) -> None:
        last = self.state.rounds[-1]
        last.replies.append(reply)
        self.state.replied = last

    def _read_status(self, event: InteractionEvent) -> None:
        pauses = {status.casefold() for status in self.state.rounds[-1].policy.pauses_when}
        if event.status is None or event.status.casefold() not in pauses:
            self._resume(event.occurred_at)
        elif self.state.paused_at is None:
            self.state.paused_at = event.occurred_at

    def _resume(self, at: int) -> None:
        state = self.state
        if state.paused_at is not None:
            state.pauses.append((state.paused_at, at))
            state.paused_at = None

    def opened(self, one: Placed) -> None:
        state, event = self.state, one.event
        self._open_next(event)
        last = state.rounds[-1]
        if event.agent_id is not None:
            self._assign(event.occurred_at, event.agent_id)
        if event.text_digest is not None or not last.agent_messages:
            self._start_turn(one)

    def customer_message(self, one: Placed) -> None:
        state, event = self.state, one.event
        if event.courtesy is None:
            self._end_by_age(event.occurred_at)
            self._open_next(event)
            self._resume(event.occurred_at)
            self.seems_answered = None
            state.rounds[-1].is_quiet = False
            self._start_turn(one)
        state.rounds[-1].customer_messages += 1

    def agent_message(self, one: Placed) -> None:
        state, event = self.state, one.event
        last = state.rounds[-1]
        last.agent_messages += 1
        last.last_writer = event.agent_id or last.last_writer
        if state.turn is not None:
            self._answer(state.turn, event)
            state.turn = None
        elif self._is_closing_word(one):
            return
        elif one.number is not None and event.precision == "ms":
            state.loose.append(one)
        if self.is_begun_by_agent:
            self.is_begun_by_agent, self.seems_answered = False, (last, event.agent_id)

    def _is_closing_word(self, one: Placed) -> bool:
        """Whether a message answers the turn that a resolution has just ended: people solve and reply at once."""
        event, last = one.event, self.state.rounds[-1]
        if self.left_open is None or last.end != RESOLVED or last.ended_at is None:
            return False
        turn, self.left_open = self.left_open, None
        if event.precision != "ms" or event.occurred_at - last.ended_at > turn.policy.answer_tolerance_ms:
            return False
        last.unanswered.pop()
        self._answer(turn, event)
        return True

    def _answer(self, turn: Turn, message: InteractionEvent) -> None:
        """An agent's message ends the wait of a turn."""
        state = self.state
        target = turn.policy.target_for(state.contact)
        self._add_reply(turn.reply(message, state.pauses_until, target, first=not state.rounds[-1].replies))

    def bot_message(self, one: Placed) -> None:
        self.state.rounds[-1].bot_messages += 1

    def assigned(self, one: Placed) -> None:
        state, event = self.state, one.event
        if state.assigned_agent is not None and event.agent_id is not None and state.assigned_agent != event.agent_id:
            state.rounds[-1].transfers.append(event.occurred_at)
        self._assign(event.occurred_at, event.agent_id)

    def _assign(self, at: int, agent_id: str | None) -> None:
        state = self.state
        state.assigned_agent = agent_id
        if state.turn is not None:
            state.turn.holders.append((at, agent_id))
        if self.left_open is not None:  # shared with the reading before: changed in a copy
            self.left_open = replace(self.left_open, holders=[*self.left_open.holders, (at, agent_id)])
        if not state.rounds[-1].end:
            state.rounds[-1].assigned_agent = agent_id

    def resolved(self, one: Placed) -> None:
        event, last = one.event, self.state.rounds[-1]
        if last.end:
            return
        last.resolver = event.agent_id
        self.left_open = self.state.turn if event.precision == "ms" else None
        self._end(last, RESOLVED, event.occurred_at, event.precision)
        if event.precision == last.opened_precision == "ms":
            paused = overlap(last.opened_at, event.occurred_at, self.state.pauses_until(event.occurred_at))
            last.resolution_ms = event.occurred_at - last.opened_at - paused

    def reopened(self, one: Placed) -> None:
        state, event = self.state, one.event
        last = state.rounds[-1]
        if not last.end and state.turn is None and not self.begins:
            self._end(last, REOPENED, event.occurred_at)
        self._open_next(event)
        self._start_turn(one)

    def rated(self, one: Placed) -> None:
        state, event = self.state, one.event
        policy = self._policy(event)
        given = event.rating_given if event.rating is None else event.rating
        rating = None if given is None else policy.rating_of(given)
        if rating is None:
            return
        of, agent_id = state.rounds[-1], state.rounds[-1].owner
        if self.seems_answered is not None:  # only a later question shows that an agent began, and it moves no rating
            of, agent_id = self.seems_answered
        elif state.replied is not None:
            of, agent_id = state.replied, state.replied.last_replier
        state.rated = of.number, Rating(event.occurred_at, rating, agent_id, rating <= policy.dissatisfied_at_most)
        of.ratings.append(state.rated[1])
        of.is_quiet = True

    def complaint_filed(self, one: Placed) -> None:
        last = self.state.rounds[-1]
        last.complaints.append(one.event.occurred_at)
        last.is_quiet = False


def _delay(event: InteractionEvent) -> int:
    """The time from an event's stamp to its arrival: in a backlog the order of arrival says nothing."""
    return event.received_at - event.occurred_at


def _summary(number: int, end: str, owner: str | None) -> Round:
    return Round(number, 0, "day", is_reopening=False, last_activity=0, is_summary=True, end=end, assigned_agent=owner)


_READERS = {
    "conversation_opened": Reading.opened,
    "customer_message": Reading.customer_message,
    "agent_message": Reading.agent_message,
    "bot_message": Reading.bot_message,
    "assigned": Reading.assigned,
    "resolved": Reading.resolved,
    "reopened": Reading.reopened,
    "rated": Reading.rated,
    "complaint_filed": Reading.complaint_filed,
}
