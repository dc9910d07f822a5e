"""A backtest of the rules: a log through the product's own commit, and the messages that people would get."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.alerts.alert import Alert
from service_quality.alerts.rules import Rule
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.commit.batches import BatchCommit
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.failures import Failure
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.own_rules import decode_rules
from service_quality.commit.state_items import decode_conversation, entity_name, policy_key, rules_key
from service_quality.conversations.conversation import CONTACT
from service_quality.conversations.description import describe_conversation
from service_quality.events.control_records import POLICY, RULES, SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.features.feature_set import FEATURES
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from service_quality.scoring.scores import Scorer, TaskScorer
from spark_jobs.backtest.given_scores import NoModelError, ServedScores
from spark_jobs.backtest.log_lines import LogLine, position_behind
from spark_jobs.backtest.memory_store import MemoryStore
from spark_jobs.backtest.silent_rounds import end_alerts
from spark_jobs.backtest.turns_by_day import TurnByDay
from spark_jobs.errors import JobError

_FIRST_POSITION = position_behind(0)
#: Signs the control records of a run.
RUN_KEY = b"of this run alone"


class Folded(NamedTuple):
    """What folding a line led to: messages in the order of the outbox, its rejection, and counts.

    `reminders` are the messages of the stages that time reached before the line arrived. `failures` are those of the
    product's own code, such as a rule that raises; a missing score is none of them. `odd` names the fields whose values
    were dropped.
    """

    reminders: list[Alert]
    messages: list[Alert]
    rejected: Rejection | None
    duplicates: int
    failures: list[Failure]
    odd: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Backtest:
    """Folds a log of one or several shops, whose lines come in order.

    Between them time reaches stages: a shop's timer rings before its first line that arrived after it, and at the end
    of the log where a line arrived after it. Those of the turns `not_judged` do not ring.
    """

    scorer: Scorer
    policy: bytes | None = None
    rules: bytes | None = None
    not_judged: Sequence[TurnByDay] = ()
    entity_scorers: Sequence[TaskScorer] = ()
    store: MemoryStore = field(default_factory=MemoryStore)
    _commit: BatchCommit = field(init=False)
    _arrived: dict[str, int] = field(default_factory=dict)
    _line: int = 0
    _rung: int = 0
    _sent: int = 0

    def __post_init__(self) -> None:
        self._commit = BatchCommit(
            OnlineCommit(
                self.store,
                lambda: self.scorer,
                FEATURES,
                shipped_rules(),
                lambda: RUN_KEY,
                entity_scorers=self._entity_scorers,
            )
        )

    def fold(self, line: LogLine) -> Folded:
        """Fold the next line of the log; a ServiceQualityError where it would have to be retried."""
        failures = self._ring(line.shop_id, before=line.arrived_at)
        reminders = self._new_messages()
        first = [] if line.shop_id in self._arrived else self._first_records(line)
        self._arrived[line.shop_id] = max(line.arrived_at, self._arrived.get(line.shop_id, 0))
        stats = self._advance(line.shop_id, [*first, line.record], line.record.position)
        self._line, self._rung = line.number, 0
        for record in first:
            refused = self.store.rejected.get((line.shop_id, record.position))
            if refused is not None:
                what = "rules" if refused.reason == "wrong_rules" else "settings"
                raise JobError(f"found {what} that are refused: {refused.reason}, expected ones that are taken")
        return Folded(
            reminders=reminders,
            messages=self._new_messages(),
            rejected=self.store.rejected.get((line.shop_id, line.record.position)),
            duplicates=stats.duplicates,
            failures=[one for one in [*failures, *stats.failures] if not isinstance(one.error, NoModelError)],
            odd=sorted(stats.odd),
        )

    def _ring(self, shop_id: str, *, before: int) -> list[Failure]:
        """Let a shop's timers ring that do so before an instant, in order of time; failures of the product's code."""
        failures: list[Failure] = []
        while (timer := self.store.timers.ring(shop_id, before=before)) is not None:
            if any(turn.holds(timer) for turn in self.not_judged):
                continue
            self._rung += 1
            at = max(timer.rings_at, self._arrived[shop_id])
            data = sign_control(timer.reached, RUN_KEY, issued_at=at)
            record = LogRecord(position_behind(self._line, self._rung), data, at)
            failures += self._advance(shop_id, [record], timer.reached.event_id).failures
        return failures

    def _advance(self, shop_id: str, records: list[LogRecord], scored_as: str = "") -> CommitStats:
        """Fold records, the last of which has the score that was served under a name."""
        for scorer in (self.scorer, *(one.scorer for one in self.entity_scorers)):
            if isinstance(scorer, ServedScores):
                scorer.record = scored_as
        stats, error = self._commit.advance({shop_id: records})
        if error is not None:
            raise error
        return stats

    def _entity_scorers(self) -> list[TaskScorer]:
        """The scorers of entities but those of tasks that had no model at the present record."""
        return [one for one in self.entity_scorers if not isinstance(one.scorer, ServedScores) or one.scorer.is_served]

    def describe_conversations(self) -> Iterator[dict[str, object]]:
        """What the product understood of each conversation by the end of the log, in the order in which they came."""
        policies = {shop_id: self._policies_of(shop_id) for shop_id in self._arrived}
        for (shop_id, key), data in self.store.items.items():
            if entity_name(key) == CONTACT:
                conversation = decode_conversation(data, shop_id).conversation
                yield describe_conversation(conversation, policies[shop_id], until=self._end_of(shop_id))

    def idle_policy(self) -> Policy | None:
        """The policy, where it is valid from an instant that no shop's log reached; else None."""
        clocks = [self._end_of(shop_id) for shop_id in self._arrived]
        policy = None if self.policy is None else parse_policy(self.policy)
        return policy if policy is not None and clocks and policy.valid_from > max(clocks) else None

    def end(self, *, until: int = 0) -> list[Alert]:
        """The messages of the last stages that time reaches, and those that end the alerts of rounds which have been
        silent for too long by the end of the log.

        Time goes on to the last arrival, or to a later instant.
        """
        for shop_id, arrived_at in self._arrived.items():
            self._ring(shop_id, before=max(arrived_at, until))
        ended = self._new_messages()
        settings = {shop_id: (self._policies_of(shop_id), self._rules_of(shop_id)) for shop_id in self._arrived}
        for (shop_id, key), data in self.store.items.items():
            if entity_name(key) == CONTACT:
                item = decode_conversation(data, shop_id)
                ended += end_alerts(item, *settings[shop_id], until=self._end_of(shop_id))
        return ended

    def _first_records(self, line: LogLine) -> list[LogRecord]:
        """The records that bring the policy and the rules to a shop, before its first event."""
        at, given = line.record.arrived_at, {POLICY: self.policy, RULES: self.rules}
        records = [
            SettingsChanged(shop_id=line.shop_id, document=as_first(document), section=section)
            for section, document in given.items()
            if document is not None
        ]
        return [
            LogRecord(position_behind(0, part), sign_control(one, RUN_KEY, issued_at=at), at)
            for part, one in enumerate(records)
        ]

    def _policies_of(self, shop_id: str) -> tuple[Policy, ...]:
        """The policies that a shop's log has brought."""
        shop = self.store.read_shop(shop_id)
        count = len(shop.policies) if shop is not None else 0
        return tuple(parse_policy(self.store.items[shop_id, policy_key(number + 1)]) for number in range(count))

    def _rules_of(self, shop_id: str) -> tuple[Rule, ...]:
        """The rules in force at the end of a shop's log."""
        shop = self.store.read_shop(shop_id)
        if shop is None or shop.rules is None:
            return shipped_rules()
        return decode_rules(self.store.items[shop_id, rules_key(shop.rules.number)], FEATURES).rules

    def _end_of(self, shop_id: str) -> int:
        shop = self.store.read_shop(shop_id)
        return shop.clock if shop is not None else 0

    def _new_messages(self) -> list[Alert]:
        """The alerts that the outbox would publish since the last call, with plain ids."""
        new = self.store.alerts[self._sent :]
        self._sent += len(new)
        return [read_alert(AlertRow(row.stream_key, row.sequence, row.shop_id, row.body)) for row in new]


def as_first(document: bytes) -> bytes:
    """A document of settings as a shop's first one: it follows no other, whatever it follows on a real log.

    >>> as_first(b'{"revision": "b", "follows": "a"}')
    b'{"revision":"b"}'
    """
    given = {key: value for key, value in json.loads(document).items() if key != "follows"}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
