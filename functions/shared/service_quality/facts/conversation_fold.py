"""The fold of one event into one conversation: its values, and the facts that it changes. Every engine uses it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from service_quality.conversations.conversation import Conversation, advance, within_retention
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.imported_part import ImportedPart, holds_all, join_parts
from service_quality.conversations.turns import ConversationState, read_state
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.facts.conversation_facts import (
    Fact,
    FactTotals,
    KeptFacts,
    contact_attributes,
    facts_between,
    total_facts,
)
from service_quality.facts.entities import ENTITIES

#: Raise with every change of a fold's result: state of another version is rebuilt, never continued. A new fact is a
#: new column and changes no result.
CODE_VERSION = 4
FOLD_VERSION = str(CODE_VERSION)


@dataclass(frozen=True, eq=False, repr=False)
class FoldedConversation:
    """A conversation with its state and facts, computed at the first use."""

    conversation: Conversation
    kept: KeptFacts

    @cached_property
    def state(self) -> ConversationState:
        return read_state(self.conversation)

    @cached_property
    def totals(self) -> FactTotals:
        return total_facts(self.conversation, self.state, self.kept)


@dataclass(frozen=True, eq=False, repr=False)
class ConversationStep:
    """The step of one event: the conversation after it, the changed facts, and the values to score it by.

    `attributes` name the entities whose histories it is scored with.
    """

    after: FoldedConversation
    facts: list[Fact]
    attributes: dict[str, str | None]
    values: dict[str, int | None]
    scored: bool

    @cached_property
    def keys(self) -> dict[str, str]:
        """The keys of these entities' histories, by entity name; an entity that is not named has no key."""
        keys = {name: entity.key(self.attributes) for name, entity in ENTITIES.items()}
        return {name: key for name, key in keys.items() if key is not None}


def step_conversation(
    before: FoldedConversation,
    event: InteractionEvent,
    *,
    clock: int,
    received_clock: int,
    imported: tuple[ImportedPart, ...] = (),
) -> ConversationStep | None:
    """Fold an event in; None when it is a duplicate. The clocks include the event.

    `imported` are the parts of imports that the conversation has not absorbed, in order of their import records. Their
    facts are counted already; the step corrects them to what all parts give together. A part beyond retention is left
    out.
    """
    known = FoldedConversation(within_retention(before.conversation, received_clock=received_clock), before.kept)
    if known.conversation is before.conversation:
        known = before
    parts = [part for part in imported if part.is_within_retention(received_clock=received_clock)]
    whole = join_parts(known.conversation, parts)
    advanced = advance(whole, event, received_clock=received_clock)
    if advanced is whole:
        return None
    after = FoldedConversation(advanced, before.kept)
    state = after.state
    scored = event.kind in SCORED and event.conversation_id is not None and state.rating is None
    return ConversationStep(
        after=after,
        facts=facts_between(counted_facts(known, parts), after.totals),
        attributes=contact_attributes(state, state.owner),
        values=read_event_values(state, event, clock=clock),
        scored=scored,
    )


def counted_facts(known: FoldedConversation, parts: Sequence[ImportedPart]) -> FactTotals:
    """The facts of a conversation in the histories: those of the known conversation, and those that each part added.

    The first part's `before` is counted, too: as the known conversation or, where that is forgotten, besides it.
    """
    if not parts:
        return known.totals
    counted = Counter(known.totals)
    if not holds_all(known.conversation, parts[0].before):
        _count(counted, parts[0].before, known.kept, sign=1)
    for before, after in parts:
        _count(counted, before, known.kept, sign=-1)
        _count(counted, after, known.kept, sign=1)
    return counted


def _count(counted: FactTotals, conversation: Conversation, kept: KeptFacts, *, sign: int) -> None:
    for key, value in FoldedConversation(conversation, kept).totals.items():
        counted[key] = counted.get(key, 0) + sign * value
