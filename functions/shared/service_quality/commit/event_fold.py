"""One event into a shop's state in memory: its score by the histories before it, its facts, the decisions of rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from service_quality.alerts.alert_state import AlertState, IdSalt, unsalted
from service_quality.alerts.decisions import (
    Decision,
    Judged,
    Subject,
    decide,
    end_withdrawn,
    is_asked_at,
    is_over_with_round,
    subject_of,
    waits_for_a_stage,
)
from service_quality.alerts.looks import Clocks, Stretch, Watched, durations_of, held_after, is_due, next_look
from service_quality.alerts.rules import CONVERSATION, Rule
from service_quality.commit.failures import RULE, SCORE, Failure
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem, HistoryItem
from service_quality.commit.timers import timer_row
from service_quality.conversations.conversation import conversation_key, is_within_retention
from service_quality.errors import DependencyError, DeploymentError, RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.facts.entities import item_key_of
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.features.feature_context import FeatureContext
from service_quality.scoring.scored_event import ScoredEvent, entity_keys, score_step
from service_quality.scoring.scores import Scorer

#: The alerts of withdrawn rules that one event ends: a transaction holds so many rows; the next event ends others.
MOST_WITHDRAWN_AT_ONCE = 2
#: Of entities that are stored in one item, such as the products of one kind of issue.
MAX_HISTORIES = 300
_KEY_OF_FACT = attrgetter("key")
_ROWS_OF_A_DECISION = 2  # its message, and the alert as it is then


#: Rules with their subjects.
Asking = Sequence[tuple[Rule, Subject]]


class Expected(NamedTuple):
    """What applying an event may change: the keys of items, the most rows that may leave, the rules that may ask."""

    keys: set[str]
    rows: int
    asking: Asking


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
    id_salt: IdSalt = unsalted

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

        Rows are those of the alerts that it may change, and the conversation's timer. Of a rule that is one alert, and
        another one where an alert ends with its round.
        """
        asking, withdrawn = list(self._may_ask(event, step)), self._withdrawn(event, step)
        keys = {conversation_key(event)} | step.changed_items
        keys |= {subject.item_key for _, subject in asking} | {key for key, *_ in withdrawn}
        decisions = sum(self._most_decisions(rule.name, subject) for rule, subject in asking)
        return Expected(keys, _ROWS_OF_A_DECISION * (decisions + len(withdrawn)) + 1, asking)

    def _may_ask(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> Iterator[tuple[Rule, Subject]]:
        """The rules that may ask at an event, with their subjects: those that look again among them."""
        subjects: dict[str, Subject | None] = {}
        for rule in self.state.rules_over(self.rules):
            if rule.subject not in subjects:
                subjects[rule.subject] = subject_of(rule.subject, event, step)
            subject = subjects[rule.subject]
            if subject is None:
                continue
            if (rule.subject == CONVERSATION and self._looks_again(rule, subject)) or (
                is_asked_at(rule, event) and not waits_for_a_stage(rule, event, step)
            ):
                yield rule, subject

    def _looks_again(self, rule: Rule, subject: Subject) -> bool:
        return _watched(self._item(subject.item_key), rule.name).looks_again

    def _most_decisions(self, rule: str, subject: Subject) -> int:
        before = self._alert_states(subject.item_key).get(rule)
        ends_with_round = before is not None and before.open and before.round != subject.round
        return 2 if ends_with_round else 1

    def apply(self, event: InteractionEvent | TimeReached, step: ConversationStep, asking: Asking = ()) -> Outcome:
        """Score the event by the histories before it, enter its facts, and let those rules decide that may ask."""
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
        rows = self._decide(event, step, asking, scored, failures)
        rows += self._set_timer(event, step, Clocks(clock, moved.received_clock))
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
        item = self.state.conversation(conversation_key(event))
        rules = self.state.rules_over(self.rules)
        stage = step.after.next_deadline(stage for rule in rules for stage in rule.stages)
        known = {name: _watched(item, name) for name in {*item.alert_states, *item.held}}
        look = next_look(rules, known, step.after.state, clocks) if known else None
        deadline = min((one for one in (stage, look) if one is not None), default=None)
        if deadline == item.timer or event.conversation_id is None:
            return []
        item.timer = deadline
        return [timer_row(self.state.shop_id, event.conversation_id, deadline)]

    def _decide(
        self,
        event: InteractionEvent | TimeReached,
        step: ConversationStep,
        asking: Asking,
        scored: ScoredEvent | None,
        failures: list[Failure],
    ) -> list[OutboxRow]:
        """The rows of every rule; a rule that fails is left out and added to the failures."""
        values: dict[str, float | int | None] = {**step.latest}
        if scored is not None:
            values = scored.values if step.is_latest else {**self._of_histories(scored), **step.latest}
        scored = scored if step.is_latest else None
        clock, state = self.state.shop.clock, step.after.state
        reached = frozenset(one.stage for one in step.after.conversation.reached)
        judged = Judged(self.state.shop_id, event, clock, values, scored, state, self.id_salt, reached=reached)
        rows = self._end_withdrawn(judged, step)
        for rule, subject in asking:
            try:
                if not self._asks(rule, subject, judged):
                    continue
                alert_states = self._alert_states(subject.item_key)
                held = self._hold(rule, subject, values)
                asked = judged._replace(values=values | held) if held else judged
                decisions = decide(rule, subject, alert_states.get(rule.name), asked, self.features)
                decided = _rows_of(decisions, judged.shop_id)
            except (DependencyError, DeploymentError):  # no salt, no ids: the batch comes again
                raise
            except Exception as error:  # a rule is no part of the fold
                failures.append(Failure(RULE, rule.name, error))
                continue
            if decisions:
                alert_states[rule.name] = decisions[-1].state
                self._touch(subject.item_key)
                rows += decided
        return rows

    def _asks(self, rule: Rule, subject: Subject, judged: Judged) -> bool:
        """Whether a rule asks: at events of its kinds, where a look has come, where its alert ends with its round."""
        if is_asked_at(rule, judged.event):
            return True
        watched = _watched(self._item(subject.item_key), rule.name)
        if watched.alert is not None and is_over_with_round(watched.alert, judged.state):
            return True
        return is_due(rule, watched, judged.state, judged.clock)

    def _hold(self, rule: Rule, subject: Subject, values: Mapping[str, float | int | None]) -> dict[str, int]:
        """Remember since when the conditions within `for` hold; for how long they do, as values."""
        if not rule.held_conditions:
            return {}
        clock, known = self.state.shop.clock, self._item(subject.item_key).held
        stretch = Stretch(subject.round, self.state.shop.rules.number if self.state.shop.rules is not None else 0)
        held = held_after(rule, known.get(rule.name), stretch, values, clock)
        if held != known.get(rule.name):
            self._touch(subject.item_key)
        known.pop(rule.name, None)
        if held is not None:
            known[rule.name] = held
        return durations_of(held, clock)

    def _end_withdrawn(self, judged: Judged, step: ConversationStep) -> list[OutboxRow]:
        """The rows that end alerts of rules that the shop has withdrawn."""
        rows: list[OutboxRow] = []
        for item_key, rule, subject in self._withdrawn(judged.event, step):
            alert_states = self._alert_states(item_key)
            decisions = end_withdrawn(rule, subject, alert_states[rule.name], judged, self.features)
            rows += _rows_of(decisions, judged.shop_id)
            for decision in decisions:
                alert_states[rule.name] = decision.state
                self._touch(item_key)
        return rows

    def _withdrawn(
        self, event: InteractionEvent | TimeReached, step: ConversationStep
    ) -> list[tuple[str, Rule, Subject]]:
        """The item, the rule and the subject of the first open alerts here whose rules the shop has withdrawn.

        Without rules of its own a shop has withdrawn none: workers of two releases may fold it in turn.
        """
        return list(islice(self._all_withdrawn(event, step), MOST_WITHDRAWN_AT_ONCE))

    def _all_withdrawn(
        self, event: InteractionEvent | TimeReached, step: ConversationStep
    ) -> Iterator[tuple[str, Rule, Subject]]:
        own = self.state.own_rules
        if own is None:
            return
        # Only items that are read with every event of this kind: what a cache holds beside them decides nothing.
        read = entity_keys(step, self.features) if step.scored else {}
        held = {CONVERSATION: conversation_key(event)} | {
            kind: key for kind, key in read.items() if item_key_of(key) == key
        }
        for kind, item_key in held.items():
            for name, before in sorted(self._alert_states(item_key).items()):  # in the order of the stored item
                rule = own.declared(name, kind, self.rules) if before.open and not own.has(name, kind) else None
                if rule is not None:
                    named = event.conversation_id if kind == CONVERSATION else item_key.partition("\x1f")[2]
                    yield item_key, rule, Subject(named or "", item_key, before.round)

    def _of_histories(self, scored: ScoredEvent) -> dict[str, float | int | None]:
        """The values of a scored event that are no values of its conversation."""
        own = {feature.name for feature in self.features.features if isinstance(feature, EventValue)}
        return {name: scored.values[name] for name in self.features.names if name not in own}

    def _touch(self, item_key: str) -> None:
        self.state.touch(item_key)
        if item_key in self.state.histories:
            self.state.settle(item_key, clock=self.state.shop.clock)

    def _alert_states(self, item_key: str) -> dict[str, AlertState]:
        return self._item(item_key).alert_states

    def _item(self, item_key: str) -> ConversationItem | HistoryItem:
        if item_key in self.state.conversations:
            return self.state.conversations[item_key]
        return self.state.histories[item_key]


def _watched(item: ConversationItem | HistoryItem, rule: str) -> Watched:
    """What an item holds of a rule."""
    return Watched(item.alert_states.get(rule), item.held.get(rule))


def _rows_of(decisions: list[Decision], shop_id: str) -> list[OutboxRow]:
    if not decisions:
        return []
    from service_quality.commit.alert_rows import alert_rows  # noqa: PLC0415  # few events change an alert

    return [row for decision in decisions for row in alert_rows(shop_id, decision)]
