"""The fold of one event into one conversation: its values, and the facts that it changes. Every engine uses it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from service_quality.by_fields import value_class
from service_quality.conversations.conversation import Conversation, Reached, advance, within_retention
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import deadline_of, next_deadline
from service_quality.conversations.event_values import EventValues, read_event_values
from service_quality.conversations.imported_part import ImportedPart, holds_all, join_parts
from service_quality.conversations.reading import Reading, begin_reading, read_conversation
from service_quality.conversations.reading_order import Placed, in_order
from service_quality.conversations.shedding import SHED_FROM, first_kept, shed
from service_quality.conversations.wait_stages import Deadline, Stage, is_of_clock, stage_named
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_facts import (
    Fact,
    FactSources,
    FactTotals,
    KeptFacts,
    changed_facts,
    contact_attributes,
    facts_between,
    sources_of,
    total_facts,
)
from service_quality.facts.entities import item_key_of, keys_of
from service_quality.policies.policy import Policy

#: Raise with every change of a fold's result: state of another version is rebuilt, never continued. A new fact is a
#: new column and changes no result.
CODE_VERSION = 7
FOLD_VERSION = str(CODE_VERSION)


@value_class(frozen=True)
class FoldedConversation:
    """A conversation with its state and facts, computed at the first use, by the policies of its shop."""

    conversation: Conversation
    kept: KeptFacts
    policies: tuple[Policy, ...] = ()

    @cached_property
    def placed(self) -> list[Placed]:
        return in_order(self.conversation)

    @cached_property
    def reading(self) -> Reading:
        return begin_reading(self.placed, self.policies, past=self.conversation.past)

    @property
    def state(self) -> ConversationState:
        return self.reading.state

    def with_last(self, advanced: Conversation) -> "FoldedConversation":
        """The conversation with an event more, which goes on from this reading where the event is the last in order."""
        after = FoldedConversation(advanced, self.kept, self.policies)
        held, event = self.conversation, advanced.events[-1]
        is_one_more = len(advanced.events) == len(held.events) + 1 and advanced.imported == held.imported
        if is_one_more and held.events and event.occurred_at > self.placed[-1].event.occurred_at:
            placed = [*self.placed, Placed(event, len(held.events))]
            after.__dict__["placed"] = placed
            reading = self.reading.continued(placed)
            if reading is not None:
                after.__dict__["reading"] = reading
        return after

    def event_of(self, event_id: str) -> InteractionEvent:
        """The event of an id, as the conversation holds it."""
        return next(one.event for one in reversed(self.placed) if one.event.event_id == event_id)

    def state_at(self, event_id: str) -> ConversationState:
        """The state that the events up to one of them give; a merged conversation is merged from its first event on."""
        if self.placed[-1].event.event_id == event_id:
            return self.state
        place = next(place for place, one in enumerate(self.placed) if one.event.event_id == event_id)
        return self._read_until(place + 1, is_merged=self.state.is_merged)

    def state_before(self, at: int) -> ConversationState:
        """The state that the events up to an instant give."""
        places = (place for place, one in enumerate(self.placed) if one.event.occurred_at > at)
        first = next(places, None)
        return self.state if first is None else self._read_until(first, is_merged=self.state.is_merged)

    def without_past_stages(self) -> "FoldedConversation":
        """The same without stages that an earlier turn has reached, and without those of the clock; or this one."""
        reached = self.conversation.reached
        if not reached:
            return self
        turn = None if self.state.turn is None else (self.state.number, self.state.turn_number)
        kept = tuple(one for one in reached if (one.round, one.turn) == turn and not is_of_clock(one.stage))
        return self if kept == reached else self._holding(kept)

    def next_deadline(self, stages: Iterable[Stage]) -> Deadline | None:
        """The deadline at which its timer rings: the nearest one that the open turn has not reached."""
        if self.state.turn is None:
            return None
        return next_deadline(self.state, stages, (one.key for one in self.conversation.reached))

    def reaching(self, stage: Reached) -> "FoldedConversation":
        """The same with a further stage that the open turn has reached."""
        return self._holding((*self.conversation.reached, stage))

    def _holding(self, reached: tuple[Reached, ...]) -> "FoldedConversation":
        held = FoldedConversation(replace(self.conversation, reached=reached), self.kept, self.policies)
        for name in ("placed", "reading", "sources", "totals"):  # they do not depend on the stages
            if name in self.__dict__:
                held.__dict__[name] = self.__dict__[name]
        return held

    def shed(self, *, received_clock: int) -> "FoldedConversation":
        """The same without events that are too old to be repeated, or this one."""
        if len(self.conversation.events) < SHED_FROM:
            return self
        first = first_kept(self.placed, self.state, received_clock=received_clock)
        if not first:
            return self
        kept = shed(self.conversation, self.placed, self._read_until(first), first=first)
        return FoldedConversation(kept, self.kept, self.policies)

    def _read_until(self, end: int, *, is_merged: bool = False) -> ConversationState:
        placed = self.placed[:end]
        return read_conversation(placed, self.policies, past=self.conversation.past, is_merged=is_merged)

    @cached_property
    def sources(self) -> FactSources:
        return sources_of(self.conversation, self.state)

    @cached_property
    def totals(self) -> FactTotals:
        return total_facts(self.conversation, self.state, self.kept)


@value_class(frozen=True)
class ConversationStep:
    """The step of one event, or of time: the conversation after it, the changed facts, and the values to score it by.

    `known` is the conversation whose facts the histories hold before it, `parts` are those of imports that it absorbs.
    `state` is that at the event's own place, `own` the event as the conversation holds it; `is_latest` says whether
    its place is the last. `round` is the number of the event's round, that of the rated one for a rating; 0 without
    rounds. `label` says of a rating whether it is a dissatisfied one, as 1 or 0. Facts and values are computed at the
    first use: not every engine needs those of every event.
    """

    event: InteractionEvent | TimeReached
    after: FoldedConversation
    known: FoldedConversation
    parts: list[ImportedPart]
    state: ConversationState
    own: InteractionEvent | TimeReached
    scored: bool
    is_latest: bool
    round: int
    label: int | None

    def complete(self) -> "ConversationStep":
        """The same with everything computed, so that what fails does so here."""
        _ = self.facts, self.keys, self.values, self.latest
        return self

    @cached_property
    def facts(self) -> list[Fact]:
        """The facts that it changes in the histories."""
        if not self.parts:
            return changed_facts(self.known.sources, self.after.sources, self.after.kept)
        return facts_between(counted_facts(self.known, self.parts), self.after.totals)

    @cached_property
    def changed_items(self) -> frozenset[str]:
        """The keys of the items that hold the histories of these facts."""
        return frozenset(item_key_of(fact.key) for fact in self.facts)

    @cached_property
    def attributes(self) -> dict[str, str | None]:
        """What names the entities whose histories it is scored with."""
        return contact_attributes(self.state, self.state.owner)

    @cached_property
    def values(self) -> EventValues:
        """The values at the event's own place."""
        return read_event_values(self.state, self.own)

    @cached_property
    def latest(self) -> EventValues:
        """The values of the whole conversation, by which rules judge."""
        return self.values if self.is_latest else read_event_values(self.after.state, self.after.placed[-1].event)

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The keys of these entities' histories, by entity name; an entity that is not named has no key."""
        return keys_of(self.attributes)


def step_conversation(
    before: FoldedConversation,
    event: InteractionEvent,
    *,
    received_clock: int,
    imported: tuple[ImportedPart, ...] = (),
    policies: tuple[Policy, ...] | None = None,
) -> ConversationStep | None:
    """Fold an event in; None when it is a duplicate. The received clock includes the event.

    `policies` are those that the log holds before the event; by default those by which `before` is read.

    `imported` are the parts of imports that the conversation has not absorbed, in order of their import records. Their
    facts are counted already; the step corrects them to what all parts give together. A part beyond retention is left
    out.
    """
    policies = before.policies if policies is None else policies
    known, parts, whole = _known(before, received_clock, imported, policies)
    advanced = advance(whole.conversation, event, received_clock=received_clock, policies_known=len(policies))
    if advanced is whole.conversation:
        return None
    after = whole.with_last(advanced).without_past_stages()
    is_latest = after.placed[-1].event.event_id == event.event_id
    state = after.state_at(event.event_id)
    is_contact = event.kind in SCORED and event.conversation_id is not None
    return ConversationStep(
        event=event,
        after=after,
        known=known,
        parts=parts,
        state=state,
        own=after.placed[-1].event if is_latest else after.event_of(event.event_id),
        scored=is_contact and not (state.was_closed and state.closed) and not state.is_merged,
        is_latest=is_latest,
        round=state.rated[0] if state.rated else state.number,
        label=int(state.rated[1].is_dissatisfied) if state.rated else None,
    )


def step_time(
    before: FoldedConversation,
    reached: TimeReached,
    *,
    received_clock: int,
    imported: tuple[ImportedPart, ...] = (),
    policies: tuple[Policy, ...] | None = None,
) -> ConversationStep | None:
    """Let a conversation reach a stage; None where nothing follows. Arguments as for `step_conversation`.

    It is reached where the turn is still open by all that the log has so far, comes to the stage at that instant, and
    has not reached it before; a stage of the clock where no event has come to the conversation at that instant or
    later. Values are those at the instant, by the events up to it.
    """
    policies = before.policies if policies is None else policies
    known, parts, whole = _known(before, received_clock, imported, policies)
    stage = stage_named(reached.stage)
    deadline = deadline_of(whole.state, stage) if stage is not None else None
    if deadline is None or deadline != (reached.due_at, reached.round, reached.turn, reached.stage):
        return None
    if deadline.key in {one.key for one in whole.conversation.reached}:
        return None
    if is_of_clock(reached.stage) and reached.due_at <= whole.conversation.touched_at:
        return None
    after = whole.reaching(Reached(reached.round, reached.turn, reached.stage, reached.due_at))
    state = after.state_before(reached.due_at)
    return ConversationStep(
        event=reached,
        after=after,
        known=known,
        parts=parts,
        state=state,
        own=reached,
        scored=not state.is_merged,
        is_latest=True,
        round=state.number,
        label=None,
    )


def _known(
    before: FoldedConversation,
    received_clock: int,
    imported: tuple[ImportedPart, ...],
    policies: tuple[Policy, ...],
) -> tuple[FoldedConversation, list[ImportedPart], FoldedConversation]:
    """What a shop holds of a conversation by then, the parts of imports that it has not absorbed, and both joined."""
    held = within_retention(before.conversation, received_clock=received_clock)
    known = before  # with what is computed already
    if held is not before.conversation or len(before.policies) != len(policies):
        known = FoldedConversation(held, before.kept, policies)
    if not imported:
        known = known.shed(received_clock=received_clock)
    parts = [part for part in imported if part.is_within_retention(received_clock=received_clock)]
    if not parts:
        return known, parts, known
    return known, parts, FoldedConversation(join_parts(known.conversation, parts), before.kept, policies)


def counted_facts(known: FoldedConversation, parts: Sequence[ImportedPart]) -> FactTotals:
    """The facts of a conversation in the histories: those of the known conversation, and those that each part added.

    The first part's `before` is counted, too: as the known conversation or, where that is forgotten, besides it.
    """
    if not parts:
        return known.totals
    counted = Counter(known.totals)
    if not holds_all(known.conversation, parts[0].before):
        _count(counted, replace(known, conversation=parts[0].before), sign=1)
    for before, after in parts:
        _count(counted, replace(known, conversation=before), sign=-1)
        _count(counted, replace(known, conversation=after), sign=1)
    return counted


def _count(counted: FactTotals, folded: FoldedConversation, *, sign: int) -> None:
    for key, value in folded.totals.items():
        counted[key] = counted.get(key, 0) + sign * value
