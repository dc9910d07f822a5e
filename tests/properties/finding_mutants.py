"""Mutants of findings and of scores behind events: each a plausible mistake, which what is served must show."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.alerts import decisions as alert_decisions
from service_quality.alerts.endings import FINDING_EXPIRED
from service_quality.commit import event_fold, finding_fold, log_reader, rule_decisions, shop_state
from service_quality.commit.event_fold import EventFold
from service_quality.commit.rule_decisions import Ending, RuleDecisions
from service_quality.commit.state_items import HistoryItem, encode_histories
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.tasks.declared_tasks import Task

Patch = AbstractContextManager[Any]


@contextmanager
def _mutated_by(*patches: Patch) -> Iterator[None]:
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


def known_if_later(decisions: RuleDecisions, finding: FindingReported, item_key: str) -> bool:
    """A repeated finding counts again."""
    known = decisions.state.histories[item_key].findings.get(finding.finding)
    return known is not None and known.as_of > finding.as_of


def _known_if_equal(decisions: RuleDecisions, finding: FindingReported, item_key: str) -> bool:
    known = decisions.state.histories[item_key].findings.get(finding.finding)
    return known is not None and known.as_of == finding.as_of


def _until_its_end(decisions: RuleDecisions, finding: FindingReported) -> bool:
    return finding.valid_until < decisions.state.shop.clock


def _expired_by_its_own_time(decisions: RuleDecisions, finding: FindingReported) -> bool:
    return finding.valid_until <= max(decisions.state.shop.clock, finding.as_of + 3_600_000)


def moving_the_clock(decisions: RuleDecisions, finding: FindingReported, *given: Any) -> Any:
    """A finding moves the clock to the instant for which it was found."""
    shop = decisions.state.shop
    decisions.state.shop = shop._replace(clock=max(shop.clock, finding.as_of))
    return _APPLY(decisions, finding, *given)


_APPLY = finding_fold.apply_finding


def _moving_the_received_clock(decisions: RuleDecisions, finding: FindingReported, *given: Any) -> Any:
    shop = decisions.state.shop
    decisions.state.shop = shop._replace(received_clock=max(shop.received_clock, finding.as_of + 40 * 86_400_000))
    return _APPLY(decisions, finding, *given)


def scored_before_its_facts() -> Patch:
    """An entity is scored by its histories before the event."""
    sound, before = EventFold._score_entities, dict[int, Any]()

    def score(fold: EventFold, event: Any, step: Any, clock: int) -> Any:
        before[id(fold)] = sound(fold, event, clock, []) if fold.entity_scorers else {}
        return _SCORE(fold, event, step, clock)

    return _mutated_by(
        mock.patch.object(EventFold, "_score", score),
        mock.patch.object(EventFold, "_score_entities", lambda fold, *_: before[id(fold)]),
    )


_SCORE = EventFold._score


def _scored_at_the_event() -> Patch:
    sound = EventFold._score_entities

    def score(fold: EventFold, event: Any, clock: int, failures: Any) -> Any:
        at = event.occurred_at if isinstance(event, InteractionEvent) else clock
        return sound(fold, event, at, failures)

    return mock.patch.object(EventFold, "_score_entities", score)


def not_stored() -> Patch:
    """What was found is lost when its entity's item is stored."""

    def encode(item: HistoryItem, *given: Any, **options: Any) -> bytes:
        return encode_histories(replace(item, findings={}), *given, **options)

    return mock.patch.object(shop_state, "encode_histories", encode)


def _of_any_kind() -> Patch:
    def unit_key(task: Task, event: Any) -> str | None:
        named = isinstance(event, InteractionEvent) and event.customer_id is not None
        return f"customer\x1f{event.customer_id}" if named else None

    return _mutated_by(*(mock.patch.object(one, "unit_key", unit_key) for one in (event_fold, log_reader)))


def never_ends() -> Patch:
    """An alert that rests on a finding which has expired stays open."""
    return mock.patch.object(RuleDecisions, "_expired", return_value=())


def _whatever_it_rests_on(
    decisions: RuleDecisions, kind: str, item_key: str, at: Callable[[], int]
) -> Iterator[Ending]:
    item = decisions.state.histories.get(item_key)
    if item is None or not any(known.valid_until <= at() for known in item.findings.values()):
        return
    for name, before in decisions._open_alerts(item_key):
        rule = next((rule for rule in decisions.rules if (rule.name, rule.subject) == (name, kind)), None)
        if rule is not None and "churn_score" in rule.reads:
            yield Ending(item_key, rule, rule_decisions._subject_in(kind, item_key, before), FINDING_EXPIRED)


def _instead(of: Any, name: str, value: object) -> Callable[[], Patch]:
    return lambda: mock.patch.object(of, name, value)


OF_FINDINGS: Mapping[str, Callable[[], Patch]] = {
    "a repeated finding counts again": _instead(finding_fold, "is_known", known_if_later),
    "an older finding takes the place of a later one": _instead(finding_fold, "is_known", _known_if_equal),
    "an expired finding counts": _instead(finding_fold, "is_expired", lambda *_: False),
    "a finding holds at its end": _instead(finding_fold, "is_expired", _until_its_end),
    "a finding expires by its own time": _instead(finding_fold, "is_expired", _expired_by_its_own_time),
    "a shop without a clock takes findings": _instead(finding_fold, "require_history", lambda _: None),
    "a finding moves the clock": _instead(finding_fold, "apply_finding", moving_the_clock),
    "a finding moves the received clock": _instead(finding_fold, "apply_finding", _moving_the_received_clock),
    "a finding is not stored": not_stored,
    "a score of a finding is no value": _instead(alert_decisions, "_values_said_by", lambda finding: {*finding.values}),
    "an entity is scored before its event's facts": scored_before_its_facts,
    "an entity is scored at the instant of its event": _scored_at_the_event,
    "an entity is scored at events of any kind": _of_any_kind,
    "an alert outlives its finding": never_ends,
    "an alert ends with a finding that it does not rest on": _instead(RuleDecisions, "_expired", _whatever_it_rests_on),
    "an expired finding ends what the event says itself": _instead(rule_decisions, "_is_known", lambda *_: False),
}
