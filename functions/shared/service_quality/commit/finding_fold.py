"""One finding into a shop's state in memory: known from then on, and judged by the rules about its subject."""

from typing import NamedTuple

from service_quality.alerts.decisions import Judged, Subject, is_asked_at
from service_quality.commit.failures import Failure
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.rule_decisions import Expected, RuleDecisions
from service_quality.commit.state_items import KnownFinding
from service_quality.conversations.conversation_state import ConversationState
from service_quality.errors import RejectedEventError
from service_quality.events.finding_reported import FindingReported
from service_quality.events.identifiers import SEPARATOR
from service_quality.facts.entities import ENTITIES
from service_quality.policies.policy import DEFAULT_POLICY
from service_quality.scoring.reasons import ReportedScore
from service_quality.tasks.declared_findings import FINDINGS


class FindingOutcome(NamedTuple):
    """The rows that must leave, the shop's clock that the finding is stamped with, and the failures of rules."""

    rows: list[OutboxRow]
    clock: int
    failures: tuple[Failure, ...]


def finding_key(finding: FindingReported) -> str:
    """The key of the item of a finding's subject; RejectedEventError for a finding that this release does not know."""
    declared = FINDINGS.get(finding.finding)
    if declared is None:
        expected = f"one of {', '.join(FINDINGS)}"
        raise RejectedEventError("unknown_finding", field="finding", found=repr(finding.finding), expected=expected)
    if finding.subject_kind != declared.subject:
        found, expected = repr(finding.subject_kind), f"{declared.subject}, which {declared.name} is about"
        raise RejectedEventError("unknown_subject", field="subject_kind", found=found, expected=expected)
    return SEPARATOR.join((ENTITIES[declared.subject].name, finding.subject_id))


def require_history(decisions: RuleDecisions) -> None:
    """RejectedEventError for a shop whose clock nothing has moved yet: a finding has nothing to be stamped with."""
    if not decisions.state.shop.clock:
        raise RejectedEventError("no_history", found="a shop without events", expected="one with events or an import")


def is_known(decisions: RuleDecisions, finding: FindingReported, item_key: str) -> bool:
    """Whether a finding of this name about this subject, for the same instant or a later one, counts already."""
    known = decisions.state.histories[item_key].findings.get(finding.finding)
    return known is not None and known.as_of >= finding.as_of


def is_expired(decisions: RuleDecisions, finding: FindingReported) -> bool:
    """Whether it holds no more at the shop's clock."""
    return finding.valid_until <= decisions.state.shop.clock


def expect_finding(decisions: RuleDecisions, finding: FindingReported, item_key: str) -> Expected:
    """What applying a finding may change."""
    subject = Subject(finding.subject_id, item_key)
    rules = decisions.state.rules_over(decisions.rules)
    asking = [(rule, subject) for rule in rules if is_asked_at(rule, finding)]
    return decisions.expect(
        {item_key}, asking, decisions.endings({finding.subject_kind: item_key}, lambda: decisions.state.shop.clock)
    )


def apply_finding(
    decisions: RuleDecisions, finding: FindingReported, item_key: str, expected: Expected
) -> FindingOutcome:
    """Let a finding count, and the rules about its subject decide: it moves no clock and changes no history."""
    state = decisions.state
    state.touch(item_key)
    state.settle(item_key, clock=state.shop.clock)
    item = state.histories[item_key]
    item.findings[finding.finding] = KnownFinding(finding.as_of, finding.valid_until)
    failures: list[Failure] = []
    rows = decisions.decide(_judged(decisions, finding), expected.asking, expected.endings, failures)
    return FindingOutcome(rows, state.shop.clock, tuple(failures))


def _judged(decisions: RuleDecisions, finding: FindingReported) -> Judged:
    state = decisions.state
    score_name = FINDINGS[finding.finding].values[0]
    scores: dict[str, ReportedScore] = {}
    values = dict(finding.values)
    if finding.score is not None:
        values[score_name] = finding.score
        scores[score_name] = ReportedScore(finding.score, finding.model_version or "", finding.reasons)
    policy = state.policies[-1] if state.policies else DEFAULT_POLICY
    shown = ConversationState(policy=policy)
    return Judged(state.shop_id, finding, state.shop.clock, values, scores, shown, decisions.id_salt)
