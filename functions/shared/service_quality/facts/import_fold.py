"""The fold of an import's events into one conversation: the conversation with them, and the facts they change."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from service_quality.conversations.conversation import EMPTY, Conversation, within_retention
from service_quality.conversations.imported_part import ImportedPart, put_in
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import Fact, FactTotals, KeptFacts, facts_between
from service_quality.facts.conversation_fold import FoldedConversation
from service_quality.policies.policy import Policy


@dataclass(frozen=True)
class FoldedImport:
    """An import's part of a conversation, the facts that it changes, and the number of events that did not fit."""

    part: ImportedPart
    facts: list[Fact]
    left_out: int


@dataclass(slots=True)
class _Fold:
    kept: KeptFacts
    policies: tuple[Policy, ...]
    part: ImportedPart
    changes: FactTotals = field(default_factory=Counter)

    def close(self) -> None:
        """Add the facts that the part changes."""
        before, after = (
            FoldedConversation(conversation, self.kept, self.policies).totals for conversation in self.part
        )
        for fact in facts_between(before, after):
            key = fact.key, fact.at, fact.name
            self.changes[key] = self.changes.get(key, 0) + fact.value

    def forget_what_is_old(self, at: int) -> None:
        """Continue with an empty conversation if this one was last touched too long before an instant."""
        if within_retention(self.part.after, received_clock=at) is not self.part.after:
            self.close()
            self.part = ImportedPart(EMPTY, EMPTY)


def fold_import(
    before: Conversation,
    events: Iterable[InteractionEvent],
    *,
    kept: KeptFacts,
    policies: tuple[Policy, ...] = (),
) -> FoldedImport:
    """Fold an import's events of one conversation, in order of time, each received when it occurred.

    `policies` are those of the shop; each event says how many of them may judge it.
    `before` is the conversation as the shop holds it. An event with another content of a known id replaces it.
    """
    fold = _Fold(kept, policies, ImportedPart(before, before))
    left_out = 0
    for event in events:
        fold.forget_what_is_old(event.occurred_at)
        try:
            fold.part = fold.part._replace(after=put_in(fold.part.after, event))
        except RejectedEventError:
            left_out += 1
    fold.close()
    return FoldedImport(fold.part, facts_between({}, fold.changes), left_out)
