"""The core's fold, step by step, against the oracle: exact values, and the facts of every entity."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from service_quality.conversations import conversation
from service_quality.conversations.conversation import EMPTY
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import FeatureSet
from tests.oracle.entities import PARTS, contact_attributes, entity_key
from tests.oracle.event_values import event_values
from tests.oracle.facts import FACTS as ALL_FACTS
from tests.oracle.outcome import is_scored, owner
from tests.oracle.waiting import Events, in_order
from tests.properties.naive_reader import NaiveReader
from tests.properties.random_logs import RandomLog, readable

KEPT = dict.fromkeys(FACTS, tuple(ENTITIES.values()))
REASONS = {"older_than_retention": "too old", "conversation_full": "full"}


@dataclass
class CoreFold:
    """Folds one shop's events with the core, as every engine does."""

    clock: int = 0
    received_clock: int = 0
    held: dict[str, FoldedConversation] = field(
        default_factory=lambda: defaultdict(lambda: FoldedConversation(EMPTY, KEPT))
    )

    def fold(self, event: InteractionEvent) -> tuple[str, ConversationStep | None]:
        """The outcome of the event, in the oracle's names, and its step."""
        key = conversation.conversation_key(event)
        clock = max(self.clock, min(event.occurred_at, event.received_at))
        received_clock = max(self.received_clock, event.received_at)
        try:
            conversation.reject_too_old(event, received_clock=received_clock)
            step = conversation_fold.step_conversation(
                self.held[key], event, clock=clock, received_clock=received_clock
            )
        except RejectedEventError as error:
            return REASONS[error.reason], None
        if step is None:
            return "duplicate", None
        self.held[key], self.clock, self.received_clock = step.after, clock, received_clock
        return "accepted", step


def assert_steps_equal_oracle(log: RandomLog) -> None:
    """Every event of the log, its imports left out: what became of it, what it showed, and what it changed."""
    assert_events_fold_as_oracle_says([entry for _, entry in readable(log) if isinstance(entry, InteractionEvent)])


def assert_events_fold_as_oracle_says(events: list[InteractionEvent]) -> None:
    core, oracle = CoreFold(), NaiveReader(FeatureSet(()))
    oracle.kept = {entity: set(ALL_FACTS) for entity in PARTS}
    for event in events:
        oracle.entered.clear()
        became, step = core.fold(event)
        (reading,) = oracle.read([("", event)])
        assert became == reading.became
        if step is not None:
            holding = next(one for one in oracle.contacts.values() if event in one.events)
            _assert_step(step, event, in_order(holding.events), oracle)


def _assert_step(step: ConversationStep, event: InteractionEvent, events: Events, oracle: NaiveReader) -> None:
    assert step.after.conversation.events == tuple(replace(one, text=None, query=None) for one in events)
    assert step.values == event_values(event, events, clock=oracle.clock)
    assert step.scored == is_scored(event, events)
    attributes = contact_attributes(events, owner(events))
    keys = {entity: entity_key(entity, attributes) for entity in PARTS}
    assert step.keys == {entity: key for entity, key in keys.items() if key is not None}
    entered: Counter[tuple[str, int, str]] = Counter()
    for facts in oracle.entered.values():
        entered.update({(fact.key, fact.at, fact.name): fact.value for fact in facts})
    assert {fact[:3]: fact.value for fact in step.facts} == {fact: value for fact, value in entered.items() if value}
