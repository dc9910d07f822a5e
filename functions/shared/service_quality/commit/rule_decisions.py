"""The rules of a shop over what is loaded of its state: which may ask, what they decide, what ends without them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from service_quality.alerts.alert_state import AlertState, IdSalt, unsalted
from service_quality.alerts.decisions import (
    Decision,
    Judged,
    Subject,
    decide,
    end_alert,
    is_asked_at,
    is_over_with_round,
    subject_of,
    waits_for_a_stage,
)
from service_quality.alerts.endings import FINDING_EXPIRED, RULE_WITHDRAWN
from service_quality.alerts.looks import Stretch, Watched, durations_of, held_after, is_due
from service_quality.alerts.rules import CONVERSATION, Rule
from service_quality.commit.failures import RULE, Failure
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem, HistoryItem
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import FINDING_REPORTED
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet
from service_quality.tasks.declared_findings import FINDINGS

#: The alerts that one event ends whatever their values are: a transaction holds so many rows; the next ends others.
MOST_ENDED_AT_ONCE = 2
_ROWS_OF_A_DECISION = 2  # its message, and the alert as it is then

#: Rules with their subjects.
Asking = Sequence[tuple[Rule, Subject]]


class Ending(NamedTuple):
    """An open alert that ends whatever its values are, and why."""

    item_key: str
    rule: Rule
    subject: Subject
    ended_by: str


class Expected(NamedTuple):
    """What applying a record may change: the keys of items, the most rows that may leave, the rules that may ask."""

    keys: set[str]
    rows: int
    asking: Asking
    endings: Sequence[Ending] = ()


@dataclass(slots=True, eq=False, repr=False)
class RuleDecisions:
    """Lets the rules in force decide about subjects whose items are loaded."""

    state: ShopState
    features: FeatureSet
    rules: tuple[Rule, ...]
    id_salt: IdSalt = unsalted

    def may_ask(self, event: InteractionEvent | TimeReached, step: ConversationStep) -> Iterator[tuple[Rule, Subject]]:
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

    def endings(self, held: Mapping[str, str], at: Callable[[], int]) -> list[Ending]:
        """The first open alerts that end whatever their values are, at a clock.

        `held` are the keys of items by kind of subject.

        Of a rule that the shop has withdrawn; without rules of its own a shop has withdrawn none: workers of two
        releases may fold it in turn. And of what a finding said that has expired.
        """
        found = (
            one for kind, key in held.items() for one in (*self._withdrawn(kind, key), *self._expired(kind, key, at))
        )
        return [*islice(found, MOST_ENDED_AT_ONCE)]

    def expect(self, keys: set[str], asking: Asking, endings: Sequence[Ending]) -> Expected:
        """What applying a record may change that touches these items itself.

        Of a rule that is one alert, and another one where an alert ends with its round.
        """
        changed = keys | {subject.item_key for _, subject in asking} | {one.item_key for one in endings}
        decisions = sum(self._most_decisions(rule.name, subject) for rule, subject in asking) + len(endings)
        return Expected(changed, _ROWS_OF_A_DECISION * decisions, asking, endings)

    def decide(
        self, judged: Judged, asking: Asking, endings: Iterable[Ending], failures: list[Failure]
    ) -> list[OutboxRow]:
        """The rows of every rule; a rule that fails is left out and added to the failures."""
        endings = [*endings]
        rows = self._end(judged, [one for one in endings if one.ended_by == RULE_WITHDRAWN])
        for rule, subject in asking:
            try:
                if not self._asks(rule, subject, judged):
                    continue
                alert_states = self.item(subject.item_key).alert_states
                held = self._hold(rule, subject, judged.values)
                asked = judged._replace(values=judged.values | held) if held else judged
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
        expired = [one for one in endings if one.ended_by == FINDING_EXPIRED and not _is_known(one.rule, judged)]
        return rows + self._end(judged, expired)

    def watched(self, item_key: str, rule: str) -> Watched:
        """What an item holds of a rule."""
        item = self.item(item_key)
        return Watched(item.alert_states.get(rule), item.held.get(rule))

    def item(self, item_key: str) -> ConversationItem | HistoryItem:
        """A loaded item."""
        if item_key in self.state.conversations:
            return self.state.conversations[item_key]
        return self.state.histories[item_key]

    def _looks_again(self, rule: Rule, subject: Subject) -> bool:
        return self.watched(subject.item_key, rule.name).looks_again

    def _most_decisions(self, rule: str, subject: Subject) -> int:
        before = self.item(subject.item_key).alert_states.get(rule)
        ends_with_round = before is not None and before.open and before.round != subject.round
        return 2 if ends_with_round else 1

    def _asks(self, rule: Rule, subject: Subject, judged: Judged) -> bool:
        """Whether a rule asks: at events of its kinds, where a look has come, where its alert ends with its round."""
        if is_asked_at(rule, judged.event):
            return True
        watched = self.watched(subject.item_key, rule.name)
        if watched.alert is not None and is_over_with_round(watched.alert, judged.state):
            return True
        return is_due(rule, watched, judged.state, judged.clock)

    def _hold(self, rule: Rule, subject: Subject, values: Mapping[str, float | int | None]) -> dict[str, int]:
        """Remember since when the conditions within `for` hold; for how long they do, as values."""
        if not rule.held_conditions:
            return {}
        clock, known = self.state.shop.clock, self.item(subject.item_key).held
        stretch = Stretch(subject.round, self.state.shop.rules.number if self.state.shop.rules is not None else 0)
        held = held_after(rule, known.get(rule.name), stretch, values, clock)
        if held != known.get(rule.name):
            self._touch(subject.item_key)
        known.pop(rule.name, None)
        if held is not None:
            known[rule.name] = held
        return durations_of(held, clock)

    def _end(self, judged: Judged, endings: Iterable[Ending]) -> list[OutboxRow]:
        """The rows that end these alerts, those of them that are still open."""
        rows: list[OutboxRow] = []
        for item_key, rule, subject, ended_by in endings:
            alert_states = self.item(item_key).alert_states
            before = alert_states[rule.name]
            decisions = end_alert(rule, subject, before, judged._replace(ended_by=ended_by), self.features)
            rows += _rows_of(decisions, judged.shop_id)
            for decision in decisions:
                alert_states[rule.name] = decision.state
                self._touch(item_key)
        return rows

    def _withdrawn(self, kind: str, item_key: str) -> Iterator[Ending]:
        own = self.state.own_rules
        for name, before in self._open_alerts(item_key) if own is not None else ():
            rule = own.declared(name, kind, self.rules) if own is not None and not own.has(name, kind) else None
            if rule is not None:
                yield Ending(item_key, rule, _subject_in(kind, item_key, before), RULE_WITHDRAWN)

    def _expired(self, kind: str, item_key: str, at: Callable[[], int]) -> Iterator[Ending]:
        """Alerts that rest on an expired finding; one that began behind the expiry rests on the events' own scores."""
        item = self.state.histories.get(item_key)
        if item is None or not item.findings:
            return
        clock = at()
        gone = {name: known for name, known in item.findings.items() if known.valid_until <= clock and name in FINDINGS}
        if not gone:
            return
        rules = {rule.name: rule for rule in self.state.rules_over(self.rules) if rule.subject == kind}
        for name, before in self._open_alerts(item_key):
            rule = rules.get(name)
            if rule is None or FINDING_REPORTED not in rule.kinds:
                continue
            read = [known for one, known in gone.items() if not set(rule.reads).isdisjoint(FINDINGS[one].values)]
            if any(before.opened_at < known.valid_until for known in read):
                yield Ending(item_key, rule, _subject_in(kind, item_key, before), FINDING_EXPIRED)

    def _open_alerts(self, item_key: str) -> list[tuple[str, AlertState]]:
        """The open alerts of an item, in the order in which they are stored."""
        return [(name, one) for name, one in sorted(self.item(item_key).alert_states.items()) if one.open]

    def _touch(self, item_key: str) -> None:
        self.state.touch(item_key)
        if item_key in self.state.histories:
            self.state.settle(item_key, clock=self.state.shop.clock)


def _is_known(rule: Rule, judged: Judged) -> bool:
    """Whether the event itself says a value that findings tell to a rule."""
    values = {value for one in FINDINGS.values() if one.subject == rule.subject for value in one.values}
    return any(judged.values.get(name) is not None for name in values.intersection(rule.reads))


def _subject_in(kind: str, item_key: str, alert: AlertState) -> Subject:
    """The subject of an alert in an item: the key of a conversation's item, too, ends in its id."""
    return Subject(item_key.partition("\x1f")[2], item_key, alert.round)


def _rows_of(decisions: list[Decision], shop_id: str) -> list[OutboxRow]:
    if not decisions:
        return []
    from service_quality.commit.alert_rows import alert_rows  # noqa: PLC0415  # few events change an alert

    return [row for decision in decisions for row in alert_rows(shop_id, decision)]
