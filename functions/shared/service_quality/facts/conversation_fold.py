"""One event into one conversation: what it shows, and which facts it changes. Every engine folds with this."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from service_quality.conversations.conversation import Conversation, advance, remembered
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.imported_part import ImportedPart, holds_all, join_parts
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
    imported: tuple[ImportedPart, ...] = (),
) -> ConversationStep | None:
    """Fold an event in; None when it is a duplicate. The clocks include the event.

    `imported` are the parts of imports that the conversation has not absorbed, in the order of their marks. Their
    facts are counted already: what all of it gives together is corrected here. A part that is forgotten stays out.
    """
    known = FoldedConversation(remembered(before.conversation, received_clock=received_clock), before.kept)
    if known.conversation is before.conversation:
        known = before
    parts = [part for part in imported if part.remembered(received_clock=received_clock)]
    whole = join_parts(known.conversation, parts)
    advanced = advance(whole, event, received_clock=received_clock)
    if advanced is whole:
        return None
    after = FoldedConversation(advanced, before.kept)
    standing = after.standing
    scored = event.kind in SCORED and event.conversation_id is not None and standing.rating is None
    return ConversationStep(
        after=after,
        facts=facts_between(counted_facts(known, parts), after.totals),
        attributes=contact_attributes(standing, standing.owner),
        values=read_event_values(standing, event, clock=clock),
        scored=scored,
    )


def counted_facts(known: FoldedConversation, parts: Sequence[ImportedPart]) -> FactTotals:
    """What the histories hold of a conversation: the facts of what is known of it, and what each part added to them.

    The first part's `before` was counted, too: as what is known or, where that is forgotten, besides it.
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
