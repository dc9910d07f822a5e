"""One event into a shop's state in memory: its score by the histories before it, its facts, the decisions of rules."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.alerts.alert_state import AlertState
from service_quality.alerts.decisions import Decision, Judged, decide, shown_in, subject_of
from service_quality.alerts.rules import Rule
from service_quality.alerts.stages import stages_of
from service_quality.commit.failures import RULE, SCORE, Failure
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem
from service_quality.commit.transactions import OutboxRow, timer_row
from service_quality.conversations.conversation import conversation_key, is_within_retention
from service_quality.conversations.deadlines import Deadline, Stage, next_deadline
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import TimeReached
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.facts.entities import item_key_of
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.features.feature_context import FeatureContext
from service_quality.scoring.scored_event import ScoredEvent, entity_keys, score_step
from service_quality.scoring.scores import Scorer

#: Of entities that are stored in one item, such as the products of one kind of issue.
MAX_HISTORIES = 300
_ROWS_A_RULE = 2


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
class EventFold:
    """Applies events, whose steps are known and whose items are loaded, in log order."""

    state: ShopState
    features: FeatureSet
    rules: tuple[Rule, ...]
    scorer: Scorer
    stages: tuple[Stage, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = stages_of(self.rules)

    @property
    def most_rows(self) -> int:
        """The most rows that an event may let leave: two a rule, and the conversation's timer."""
        return _ROWS_A_RULE * len(self.rules) + 1

    def reject_overfilling(self, step: ConversationStep) -> None:
        """RejectedEventError when an item would hold more histories than surely fit into one."""
        for fact in step.facts:
            histories = self.state.histories[item_key_of(fact.key)].histories
            if len(histories) >= MAX_HISTORIES and fact.key not in histories:
                raise RejectedEventError(
                    "item_full", found=f"an item of {len(histories)} histories", expected=f"at most {MAX_HISTORIES}"
                )

    def keys_changed_by(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> set[str]:
        """The items that applying a step may change."""
        keys = {conversation_key(event)} | {item_key_of(fact.key) for fact in step.facts}
        for rule in self.rules:
            subject = subject_of(rule, event, step)
            if subject is not None:
                keys.add(subject.item_key)
        return keys

    def apply(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> Outcome:
        """Score the event by the histories before it, enter its facts, and let the rules decide."""
        state = self.state
        moved = state.shop.after(event)
        clock = moved.clock
        scored, failures = self._score(event, step, clock)
        state.shop = moved  # first: what items absorb with this event is counted in it
        timers = self._keep_conversation(event, step, moved.received_clock)
        for fact in step.facts:
            state.history_to_change(fact.key).update(fact, clock=clock)
        for item_key in {item_key_of(fact.key) for fact in step.facts}:
            state.settle(item_key, clock=clock)
        rows = [*self._decide(event, step, scored, failures), *timers]
        return Outcome(scored=scored, rows=rows, clock=clock, failures=tuple(failures))

    def _score(
        self, event: InteractionEvent | TimeReached, step: ConversationStep, clock: int
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

    def _keep_conversation(
        self, event: InteractionEvent | TimeReached, step: ConversationStep, received_clock: int
    ) -> list[OutboxRow]:
        """Keep the conversation with its next deadline; the row of its timer where that is another one."""
        key = conversation_key(event)
        item = self.state.conversation(key)
        keeps_alerts = is_within_retention(item.conversation.touched_at, received_clock=received_clock)
        deadline = self._next_deadline(step)
        kept = ConversationItem(
            step.after.conversation, alert_states=item.alert_states if keeps_alerts else {}, timer=deadline
        )
        self.state.keep_conversation(key, kept)
        if deadline == item.timer or event.conversation_id is None:
            return []
        return [timer_row(self.state.shop_id, event.conversation_id, deadline)]

    def _next_deadline(self, step: ConversationStep) -> Deadline | None:
        if not self.stages or step.after.state.turn is None:
            return None
        reached = (one[:3] for one in step.after.conversation.reached)
        return next_deadline(step.after.state, self.stages, reached)

    def _decide(
        self,
        event: InteractionEvent | TimeReached,
        step: ConversationStep,
        scored: ScoredEvent | None,
        failures: list[Failure],
    ) -> list[OutboxRow]:
        """The rows of every rule; a rule that fails is left out and added to the failures."""
        values: dict[str, float | int | None] = {**step.latest}
        if scored is not None:
            values = scored.values if step.is_latest else {**self._of_histories(scored), **step.latest}
        scored = scored if step.is_latest else None
        shown = shown_in(step.after.state)
        judged = Judged(self.state.shop_id, event, self.state.shop.clock, values, scored, shown)
        rows: list[OutboxRow] = []
        for rule in self.rules:
            subject = subject_of(rule, event, step)
            if subject is None:
                continue
            try:
                alert_states = self._alert_states(subject.item_key)
                decisions = decide(rule, subject, alert_states.get(rule.name), judged, self.features)
                decided = [row for decision in decisions for row in _alert_rows(judged.shop_id, decision)]
            except Exception as error:  # a rule is no part of the fold
                failures.append(Failure(RULE, rule.name, error))
                continue
            if decisions:
                alert_states[rule.name] = decisions[-1].state
                self._touch(subject.item_key)
                rows += decided
        return rows

    def _of_histories(self, scored: ScoredEvent) -> dict[str, float | int | None]:
        """The values of a scored event that are no values of its conversation."""
        own = {feature.name for feature in self.features.features if isinstance(feature, EventValue)}
        return {name: scored.values[name] for name in self.features.names if name not in own}

    def _touch(self, item_key: str) -> None:
        self.state.touch(item_key)
        if item_key in self.state.histories:
            self.state.settle(item_key, clock=self.state.shop.clock)

    def _alert_states(self, item_key: str) -> dict[str, AlertState]:
        if item_key in self.state.conversations:
            return self.state.conversations[item_key].alert_states
        return self.state.histories[item_key].alert_states


def _alert_rows(shop_id: str, decision: Decision) -> Iterable[OutboxRow]:
    """The message that leaves, and the row of the alert's present state, by which open alerts are listed."""
    if decision.body is None:
        return
    data = json.dumps(decision.body, ensure_ascii=False, separators=(",", ":")).encode()
    stream_key = f"{shop_id}\x1falert\x1f{decision.key}"
    yield OutboxRow(stream_key, decision.state.message_number, "alert", data, shop_id)
    yield OutboxRow(stream_key, "state", "state", data, shop_id, open=decision.state.open)
