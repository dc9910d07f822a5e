"""One shop's fold: an event into conversation, score, histories and alerts, over the shop's state in memory."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.alerts.alert_messages import AlertTransition, alert_body
from service_quality.alerts.alert_state import REPEATED, AlertState, next_state
from service_quality.alerts.rules import Rule
from service_quality.commit.failures import RULE, SCORE, Failure
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem, ShopItem
from service_quality.commit.transactions import OutboxRow
from service_quality.conversations.conversation import conversation_key, is_within_retention, reject_too_old
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation
from service_quality.facts.entities import ATTRIBUTES, ENTITIES, item_key_of
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_context import FeatureContext
from service_quality.scoring.scored_event import ScoredEvent, entity_keys, score_step
from service_quality.scoring.scores import Scorer

#: Of entities that are stored in one item, such as the products of one kind of issue.
MAX_HISTORIES = 300


class Outcome(NamedTuple):
    """The outcome of an applied event: its score, if it has one, the rows that must leave, and its failures."""

    scored: ScoredEvent | None
    rows: list[OutboxRow]
    clock: int
    failures: tuple[Failure, ...] = ()

    @property
    def score_failure(self) -> Failure | None:
        """Why an event that should have a score has no score; None without a failure."""
        return next((failure for failure in self.failures if failure.stage == SCORE), None)


@dataclass(slots=True, eq=False, repr=False)
class ShopFold:
    """Folds events in log order. `step` changes nothing; `apply` changes the state."""

    state: ShopState
    features: FeatureSet
    rules: tuple[Rule, ...]
    scorer: Scorer
    read_items: Callable[[str, list[str]], Mapping[str, bytes]]
    _folded: dict[str, FoldedConversation] = field(default_factory=dict)
    _ahead: dict[str, "_StepAhead"] = field(default_factory=dict)

    def prefetch(self, events: list[InteractionEvent]) -> None:
        """Read at once the items that a batch needs: conversations and items that the events name, then the others.

        For that the conversations are folded ahead; `step` takes those steps that still start from the same state.
        """
        self._load(
            {conversation_key(event) for event in events}.union(*(self._keys_named_by(event) for event in events))
        )
        keys: set[str] = set()
        ahead: dict[str, FoldedConversation] = {}
        shop = self.state.shop
        for event in events:
            key = conversation_key(event)
            moved = shop.after(event)
            try:
                step = self._step_from(ahead.get(key) or self._held(key), event, moved)
            except Exception:  # a failure here fails again where its position is known
                continue
            if step is not None:
                shop = moved
                ahead[key] = step.after
                keys |= self._keys_read(step)
        self._load(keys)

    def step(self, event: InteractionEvent) -> ConversationStep | None:
        """The step of the event; None for a duplicate, RejectedEventError for an event that cannot be taken."""
        key = conversation_key(event)
        self._load({key})
        step = self._step_from(self._held(key), event, self.state.shop.after(event))
        if step is not None:
            self._load(self._keys_read(step))
            self._reject_overfilling(step)
        return step

    def _step_from(self, held: FoldedConversation, event: InteractionEvent, moved: ShopItem) -> ConversationStep | None:
        reject_too_old(event, received_clock=moved.received_clock)
        imported = self.state.imported(conversation_key(event))
        known = self._ahead.get(event.event_id)
        if not imported and known is not None and known.holds_for(held, event, moved):
            return known.step
        step = step_conversation(held, event, clock=moved.clock, received_clock=moved.received_clock, imported=imported)
        if step is not None and not imported:
            self._ahead[event.event_id] = _StepAhead(held, event, moved.clock, moved.received_clock, step)
        return step

    def _reject_overfilling(self, step: ConversationStep) -> None:
        """RejectedEventError when an item would hold more histories than surely fit into one."""
        for fact in step.facts:
            histories = self.state.histories[item_key_of(fact.key)].histories
            if len(histories) >= MAX_HISTORIES and fact.key not in histories:
                raise RejectedEventError(
                    "item_full", found=f"an item of {len(histories)} histories", expected=f"at most {MAX_HISTORIES}"
                )

    def keys_changed_by(self, event: InteractionEvent, step: ConversationStep) -> set[str]:
        """The items that applying a step may change."""
        keys = {conversation_key(event)} | {item_key_of(fact.key) for fact in step.facts}
        for rule in self.rules:
            subject = self._subject(rule, event, step)
            if subject is not None:
                keys.add(subject.item_key)
        return keys

    def apply(self, event: InteractionEvent, step: ConversationStep) -> Outcome:
        """Score the event by the histories before it, enter its facts, and let the rules decide."""
        state = self.state
        moved = state.shop.after(event)
        clock = moved.clock
        scored, failures = self._score(event, step, clock)
        state.shop = moved  # first: what items absorb with this event is counted in it
        self._keep_conversation(event, step, moved.received_clock)
        for fact in step.facts:
            state.history_to_change(fact.key).update(fact, clock=clock)
        for item_key in {item_key_of(fact.key) for fact in step.facts}:
            state.settle(item_key, clock=clock)
        rows = self._decide(event, step, scored, failures)
        return Outcome(scored=scored, rows=rows, clock=clock, failures=tuple(failures))

    def _score(
        self, event: InteractionEvent, step: ConversationStep, clock: int
    ) -> tuple[ScoredEvent | None, list[Failure]]:
        """The event's features and score; where they fail, the event is folded without them."""
        if not step.scored:
            return None, []
        try:
            histories = {name: self.state.history(key) for name, key in entity_keys(step, self.features).items()}
            missing = self.state.shop.counting.missing_at(clock, self.features.plan)
            context = FeatureContext(histories, step.values, clock, missing)
            scored = score_step(step, context, features=self.features, scorer=self.scorer)
        except Exception as error:  # a feature that cannot be computed
            return None, [Failure(SCORE, event.kind, error)]
        return scored, [Failure(SCORE, event.kind, scored.failure)] if scored.failure is not None else []

    def _keep_conversation(self, event: InteractionEvent, step: ConversationStep, received_clock: int) -> None:
        key = conversation_key(event)
        item = self.state.conversation(key)
        keeps_alerts = is_within_retention(item.conversation.touched_at, received_clock=received_clock)
        kept = ConversationItem(step.after.conversation, alert_states=item.alert_states if keeps_alerts else {})
        self.state.keep_conversation(key, kept)
        self._folded[key] = step.after

    def _decide(
        self, event: InteractionEvent, step: ConversationStep, scored: ScoredEvent | None, failures: list[Failure]
    ) -> list[OutboxRow]:
        """The rows of every rule; a rule that fails is left out and added to the failures."""
        values: dict[str, float | int | None] = scored.values if scored is not None else {**step.values}
        rows: list[OutboxRow] = []
        for rule in self.rules:
            subject = self._subject(rule, event, step)
            if subject is None:
                continue
            try:
                rows += self._decide_rule(rule, subject, _Judged(event, values, scored))
            except Exception as error:  # a rule is no part of the fold
                failures.append(Failure(RULE, rule.name, error))
        return rows

    def _decide_rule(self, rule: Rule, subject: "_Subject", judged: "_Judged") -> list[OutboxRow]:
        """Advance one alert; its state changes only after every step that could fail."""
        state, clock = self.state, self.state.shop.clock
        alert_states = self._alert_states(subject.item_key)
        before = alert_states.get(rule.name)
        resolved = rule.resolved_when.holds(judged.values)
        severity = None if resolved else rule.severity(judged.values)
        after, change = next_state(before, severity, resolved=resolved, clock=clock, cooldown_ms=rule.cooldown_ms)
        if after is None or after == before:
            return []
        rows: list[OutboxRow] = []
        if change is not None and change != REPEATED:
            transition = AlertTransition(state.shop_id, rule, subject.name, change, after, judged.event.event_id, clock)
            rows = _alert_rows(transition, alert_body(transition, judged.values, judged.scored, self.features))
        alert_states[rule.name] = after
        state.touch(subject.item_key)
        if subject.item_key in state.histories:
            state.settle(subject.item_key, clock=clock)
        return rows

    def _subject(self, rule: Rule, event: InteractionEvent, step: ConversationStep) -> "_Subject | None":
        if event.kind not in rule.kinds:
            return None
        if rule.subject == "conversation":
            return _Subject(event.conversation_id or "", conversation_key(event)) if event.conversation_id else None
        key = step.keys.get(rule.subject)
        return _Subject(key.partition("\x1f")[2], key) if key is not None else None

    def _alert_states(self, item_key: str) -> dict[str, AlertState]:
        if item_key in self.state.conversations:
            return self.state.conversations[item_key].alert_states
        return self.state.histories[item_key].alert_states

    def _held(self, key: str) -> FoldedConversation:
        conversation = self.state.conversation(key).conversation
        folded = self._folded.get(key)
        if folded is None or folded.conversation is not conversation:
            folded = self._folded[key] = FoldedConversation(conversation, self.features.plan.kept)
        return folded

    def _keys_named_by(self, event: InteractionEvent) -> set[str]:
        """The keys of those items to read that the event alone names in full."""
        if event.kind not in SCORED:
            return set()
        named = {part: getattr(event, part) for part in ATTRIBUTES}
        entities = (ENTITIES[name] for name in self.features.plan.windows)
        return {key for entity in entities if not entity.stored_with and (key := entity.key(named)) is not None}

    def _keys_read(self, step: ConversationStep) -> set[str]:
        keys = {item_key_of(fact.key) for fact in step.facts}
        if step.scored:
            keys |= {item_key_of(key) for key in entity_keys(step, self.features).values()}
        return keys | {step.keys[rule.subject] for rule in self.rules if rule.subject in step.keys}

    def _load(self, keys: set[str]) -> None:
        self.state.load(keys, lambda wanted: self.read_items(self.state.shop_id, wanted))


class _StepAhead(NamedTuple):
    """A step without imported parts, and everything that it was computed from."""

    held: FoldedConversation
    event: InteractionEvent
    clock: int
    received_clock: int
    step: ConversationStep

    def holds_for(self, held: FoldedConversation, event: InteractionEvent, moved: ShopItem) -> bool:
        """Whether the same step would be taken from here."""
        same = self.held is held and self.event is event
        return same and self.clock == moved.clock and self.received_clock == moved.received_clock


class _Judged(NamedTuple):
    """The input of rules: an event, the values by name, and the event's score if it has one."""

    event: InteractionEvent
    values: dict[str, float | int | None]
    scored: ScoredEvent | None


class _Subject(NamedTuple):
    """The subject of a rule, and the item that holds its alerts."""

    name: str
    item_key: str


def _alert_rows(transition: AlertTransition, body: Mapping[str, object]) -> list[OutboxRow]:
    """The message that leaves, and the row of the alert's present state, by which open alerts are listed."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    stream_key = f"{transition.shop_id}\x1falert\x1f{transition.key}"
    return [
        OutboxRow(stream_key, transition.state.message_number, "alert", data, transition.shop_id),
        OutboxRow(stream_key, "state", "state", data, transition.shop_id, open=transition.state.open),
    ]
