"""One event into a shop's state in memory: its score by the histories before it, its facts, the decisions of rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from service_quality.alerts.alert_state import IdSalt, unsalted
from service_quality.alerts.decisions import Judged
from service_quality.alerts.looks import Clocks, next_look
from service_quality.alerts.rules import CONVERSATION, Rule
from service_quality.commit.failures import SCORE, TASK, Failure
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.rule_decisions import Expected, RuleDecisions
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem
from service_quality.commit.timers import timer_row
from service_quality.conversations.conversation import conversation_key, is_within_retention
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.facts.entities import item_key_of
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.features.feature_context import FeatureContext
from service_quality.scoring.scored_event import ScoredEvent, entity_keys, score_entity, score_step, unit_key
from service_quality.scoring.scores import Scorer, TaskScorer
from service_quality.tasks.declared_tasks import DISSATISFACTION

#: Of entities that are stored in one item, such as the products of one kind of issue.
MAX_HISTORIES = 300
_KEY_OF_FACT = attrgetter("key")


class Outcome(NamedTuple):
    """The outcome of an applied event: its score, if it has one, the rows that must leave, and its failures.

    `entities` are the scores of entities that it names, by task.
    """

    scored: ScoredEvent | None
    rows: list[OutboxRow]
    clock: int
    failures: tuple[Failure, ...] = ()
    entities: Mapping[str, ScoredEvent] = {}

    @property
    def score_failure(self) -> Failure | None:
        """Why an event that should have a score has no score; None without a failure."""
        return next((failure for failure in self.failures if failure.stage == SCORE), None)


@dataclass(slots=True, eq=False, repr=False)
class EventFold:
    """Applies events, whose steps are known and whose items are loaded, in log order.

    `scorer` scores conversations, `entity_scorers` the entities that events name.
    """

    state: ShopState
    features: FeatureSet
    rules: tuple[Rule, ...]
    scorer: Scorer
    id_salt: IdSalt = unsalted
    entity_scorers: Sequence[TaskScorer] = ()
    decisions: RuleDecisions = field(init=False)

    def __post_init__(self) -> None:
        """The rules decide over the same state."""
        self.decisions = RuleDecisions(self.state, self.features, self.rules, self.id_salt)

    def reject_overfilling(self, step: ConversationStep) -> None:
        """RejectedEventError when an item would hold more histories than surely fit into one."""
        for fact in step.facts:
            histories = self.state.histories[item_key_of(fact.key)].histories
            if len(histories) >= MAX_HISTORIES and fact.key not in histories:
                raise RejectedEventError(
                    "item_full", found=f"an item of {len(histories)} histories", expected=f"at most {MAX_HISTORIES}"
                )

    def expect(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> Expected:
        """What applying a step may change.

        Rows are those of the alerts that it may change, and the conversation's timer.
        """
        decisions = self.decisions
        asking = list(decisions.may_ask(event, step))
        endings = decisions.endings(self._held(event, step), lambda: self.state.shop.after(event).clock)
        expected = decisions.expect({conversation_key(event)} | step.changed_items, asking, endings)
        return expected._replace(rows=expected.rows + 1)

    def _held(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> dict[str, str]:
        """The keys of the items, by kind of subject, that are read with every event of this kind.

        What a cache holds beside them decides nothing, nor does a forgotten conversation that the table still holds.
        """
        read = entity_keys(step, self.features) if step.scored else {}
        entities = {kind: key for kind, key in read.items() if item_key_of(key) == key}
        return entities if self._is_forgotten(event) else {CONVERSATION: conversation_key(event)} | entities

    def _is_forgotten(self, event: InteractionEvent | TimeReached) -> bool:
        """Whether the event's conversation holds alerts from before its retention."""
        item = self.state.conversation(conversation_key(event))
        if not item.alert_states:
            return False
        received_clock = self.state.shop.after(event).received_clock
        return not is_within_retention(item.conversation.touched_at, received_clock=received_clock)

    def apply(
        self, event: InteractionEvent | TimeReached, step: ConversationStep, expected: Expected | None = None
    ) -> Outcome:
        """Score the event by the histories before it, enter its facts, and let those rules decide that may ask.

        Entities are scored behind the facts: an order just placed counts.
        """
        state = self.state
        moved = state.shop.after(event)
        clock = moved.clock
        scored, failures = self._score(event, step, clock)
        state.shop = moved  # first: what items absorb with this event is counted in it
        self._keep_conversation(event, step, moved.received_clock)
        for key, facts in groupby(step.facts, key=_KEY_OF_FACT):
            history = state.history_to_change(key)
            for fact in facts:
                history.update(fact, clock=clock)
        for item_key in step.changed_items:
            state.settle(item_key, clock=clock)
        entities = self._score_entities(event, clock, failures) if self.entity_scorers else {}
        rows: list[OutboxRow] = []
        if expected is not None:
            judged = self._judged(event, step, scored, entities)
            rows = self.decisions.decide(judged, expected.asking, expected.endings, failures)
        rows += self._set_timer(event, step, Clocks(clock, moved.received_clock))
        return Outcome(scored=scored, rows=rows, clock=clock, failures=tuple(failures), entities=entities)

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

    def _score_entities(
        self, event: InteractionEvent | TimeReached, clock: int, failures: list[Failure]
    ) -> dict[str, ScoredEvent]:
        """The scores, by task, of the entities that the event names, by their histories behind it."""
        scores: dict[str, ScoredEvent] = {}
        for task, scorer in self.entity_scorers:
            key = unit_key(task, event)
            if key is None:
                continue
            try:
                missing = self.state.shop.counting.missing_at(clock, self.features.plan)
                context = FeatureContext({task.unit: self.state.history(key)}, {}, clock, missing)
                found = scores[task.name] = score_entity(task, context, scorer)
            except Exception as error:  # a feature that cannot be computed
                failures.append(Failure(TASK, task.name, error))
                continue
            if found.failure is not None:
                failures.append(Failure(TASK, task.name, found.failure))
        return scores

    def _keep_conversation(
        self, event: InteractionEvent | TimeReached, step: ConversationStep, received_clock: int
    ) -> None:
        """Keep the conversation, with the deadline that it had."""
        key = conversation_key(event)
        item = self.state.conversation(key)
        if not is_within_retention(item.conversation.touched_at, received_clock=received_clock):
            item = ConversationItem()  # whether the table has deleted it or not
        kept = ConversationItem(
            step.after.conversation, alert_states=item.alert_states, held=item.held, timer=item.timer
        )
        self.state.keep_conversation(key, kept)

    def _set_timer(
        self, event: InteractionEvent | TimeReached, step: ConversationStep, clocks: Clocks
    ) -> list[OutboxRow]:
        """Let the kept conversation's timer ring at its next deadline; its row where that is another one."""
        key = conversation_key(event)
        item = self.state.conversation(key)
        rules = self.state.rules_over(self.rules)
        stage = step.after.next_deadline(stage for rule in rules for stage in rule.stages)
        known = {name: self.decisions.watched(key, name) for name in {*item.alert_states, *item.held}}
        look = next_look(rules, known, step.after.state, clocks) if known else None
        deadline = min((one for one in (stage, look) if one is not None), default=None)
        if deadline == item.timer or event.conversation_id is None:
            return []
        item.timer = deadline
        return [timer_row(self.state.shop_id, event.conversation_id, deadline)]

    def _judged(
        self,
        event: InteractionEvent | TimeReached,
        step: ConversationStep,
        scored: ScoredEvent | None,
        entities: Mapping[str, ScoredEvent],
    ) -> Judged:
        """What rules judge: the whole conversation, the histories before the event, the scores of both."""
        values: dict[str, float | int | None] = {**step.latest}
        if scored is not None:
            values = scored.values if step.is_latest else {**self._of_histories(scored), **step.latest}
        scores: dict[str, ScoredEvent] = {}
        if scored is not None and step.is_latest:
            scores[DISSATISFACTION.score] = scored
        for task, _ in self.entity_scorers if entities else ():
            one = entities.get(task.name)
            if one is not None:
                values, scores = {**one.values, **values}, {**scores, task.score: one}
        state = step.after.state
        reached = frozenset(one.stage for one in step.after.conversation.reached)
        return Judged(
            self.state.shop_id, event, self.state.shop.clock, values, scores, state, self.id_salt, reached=reached
        )

    def _of_histories(self, scored: ScoredEvent) -> dict[str, float | int | None]:
        """The values of a scored event that are no values of its conversation."""
        own = {feature.name for feature in self.features.features if isinstance(feature, EventValue)}
        return {name: scored.values[name] for name in self.features.names if name not in own}
