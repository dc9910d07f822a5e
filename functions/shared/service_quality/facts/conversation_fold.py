"""One event into one conversation: what it shows, and which facts it changes. Every engine folds with this."""

from dataclasses import dataclass
from functools import cached_property

from service_quality.conversations.conversation import EMPTY, Conversation, advance, merge_conversations, remembered
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.turns import Standing, read_standing
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

#: Raise with any change of what a fold gives: state of another version is rebuilt, never continued.
CODE_VERSION = 3


@dataclass(frozen=True)
class FoldedConversation:
    """A conversation with what is read off it, computed when first asked for."""

    conversation: Conversation
    kept: KeptFacts

    @cached_property
    def standing(self) -> Standing:
        return read_standing(self.conversation)

    @cached_property
    def totals(self) -> FactTotals:
        return total_facts(self.conversation, self.standing, self.kept)


@dataclass(frozen=True)
class ConversationStep:
    """What one event did: the conversation after it, the facts it changed, and what it can be scored by.

    `attributes` name the entities whose histories it is scored with.
    """

    after: FoldedConversation
    facts: list[Fact]
    attributes: dict[str, str | None]
    values: dict[str, int | None]
    scored: bool

    @cached_property
    def keys(self) -> dict[str, str]:
        """The keys of the histories of these entities, by entity name; no key where there is no entity."""
        keys = {name: entity.key(self.attributes) for name, entity in ENTITIES.items()}
        return {name: key for name, key in keys.items() if key is not None}


def step_conversation(
    before: FoldedConversation,
    event: InteractionEvent,
    *,
    clock: int,
    received_clock: int,
    imported: Conversation = EMPTY,
) -> ConversationStep | None:
    """Fold an event in; None when it is a duplicate. The clocks include the event.

    `imported` is what a backfill knows of the conversation and has counted already; where both know of it, the
    facts that the two together give are corrected here.
    """
    known = FoldedConversation(remembered(before.conversation, received_clock=received_clock), before.kept)
    if known.conversation is before.conversation:
        known = before
    past = remembered(imported, received_clock=received_clock)
    whole = merge_conversations(known.conversation, past) if past.events else known.conversation
    advanced = advance(whole, event, received_clock=received_clock)
    if advanced is whole:
        return None
    after = FoldedConversation(advanced, before.kept)
    counted = known.totals
    if past.events:
        counted = add_totals(counted, FoldedConversation(past, before.kept).totals)
    standing = after.standing
    scored = event.kind in SCORED and event.conversation_id is not None and standing.rating is None
    return ConversationStep(
        after=after,
        facts=facts_between(counted, after.totals),
        attributes=contact_attributes(standing, standing.owner),
        values=read_event_values(standing, event, clock=clock),
        scored=scored,
    )


def add_totals(one: FactTotals, other: FactTotals) -> FactTotals:
    """The sum of two conversations' facts."""
    return {key: one.get(key, 0) + other.get(key, 0) for key in one.keys() | other.keys()}
