"""A backtest of the rules: a log through the product's own commit, and the messages that people would get."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.alerts.alert import Alert
from service_quality.alerts.rule_set import RULES
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.commit.batches import BatchCommit
from service_quality.commit.failures import Failure
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.state_items import decode_conversation, entity_name
from service_quality.conversations.conversation import CONTACT
from service_quality.conversations.description import describe_conversation
from service_quality.events.control_records import SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from service_quality.scoring.scores import Scorer
from spark_jobs.backtest.given_scores import NoModelError
from spark_jobs.backtest.log_lines import LogLine
from spark_jobs.backtest.memory_store import MemoryStore
from spark_jobs.backtest.silent_rounds import end_alerts

_FIRST_POSITION = str(Position(1, 0))
_KEY = b"of this run alone"


class Folded(NamedTuple):
    """What folding lines led to: messages in the order of the outbox, rejected records, and counts.

    `failures` are those of the product's own code, such as a rule that raises; a missing score is none of them. `odd`
    names the fields whose values were dropped.
    """

    messages: list[Alert]
    rejected: list[Rejection]
    duplicates: int
    failures: list[Failure]
    odd: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Backtest:
    """Folds a log of one or several shops, whose lines come in order; each call is one batch of the stream."""

    scorer: Scorer
    policy: bytes | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    _commit: BatchCommit = field(init=False)
    _shops: set[str] = field(default_factory=set)
    _sent: int = 0

    def __post_init__(self) -> None:
        self._commit = BatchCommit(OnlineCommit(self.store, lambda: self.scorer, FEATURES, RULES, lambda: _KEY))

    def fold(self, lines: Sequence[LogLine]) -> Folded:
        """Fold the next lines of the log; a ServiceQualityError where the batch would have to be retried."""
        logs: dict[str, list[LogRecord]] = {}
        for line in lines:
            records = logs.setdefault(line.shop_id, [])
            if line.shop_id not in self._shops:
                self._shops.add(line.shop_id)
                records += self._first_records(line)
            records.append(line.record)
        stats, error = self._commit.advance(logs)
        if error is not None:
            raise error
        rejected = self.store.rejected
        return Folded(
            messages=self._new_messages(),
            rejected=[rejected[key] for line in lines if (key := (line.shop_id, line.record.position)) in rejected],
            duplicates=stats.duplicates,
            failures=[one for one in stats.failures if not isinstance(one.error, NoModelError)],
            odd=sorted(stats.odd),
        )

    def describe_conversations(self) -> Iterator[dict[str, object]]:
        """What the product understood of each conversation by the end of the log, in the order in which they came."""
        for (shop_id, key), data in self.store.items.items():
            if entity_name(key) == CONTACT:
                yield describe_conversation(
                    decode_conversation(data, shop_id).conversation, self._policies(), until=self._end_of(shop_id)
                )

    def idle_policy(self) -> Policy | None:
        """The policy, where it is valid from an instant that no shop's log reached; else None."""
        clocks = [self._end_of(shop_id) for shop_id in self._shops]
        return next((one for one in self._policies() if clocks and one.valid_from > max(clocks)), None)

    def end(self) -> list[Alert]:
        """The messages that end the alerts of rounds which have been silent for too long by the end of the log."""
        ended: list[Alert] = []
        for (shop_id, key), data in self.store.items.items():
            if entity_name(key) == CONTACT:
                item = decode_conversation(data, shop_id)
                ended += end_alerts(item, self._policies(), until=self._end_of(shop_id))
        return ended

    def _first_records(self, line: LogLine) -> list[LogRecord]:
        """The record that brings the policy to a shop, before its first event."""
        if self.policy is None:
            return []
        at = line.record.arrived_at
        record = sign_control(SettingsChanged(shop_id=line.shop_id, document=as_first(self.policy)), _KEY, issued_at=at)
        return [LogRecord(_FIRST_POSITION, record, at)]

    def _policies(self) -> tuple[Policy, ...]:
        return () if self.policy is None else (parse_policy(self.policy),)

    def _end_of(self, shop_id: str) -> int:
        shop = self.store.read_shop(shop_id)
        return shop.clock if shop is not None else 0

    def _new_messages(self) -> list[Alert]:
        """The alerts that the outbox would publish since the last call, with plain ids."""
        new = self.store.alerts[self._sent :]
        self._sent += len(new)
        return [read_alert(AlertRow(row.stream_key, row.sequence, row.shop_id, row.body)) for row in new]


def as_first(document: bytes) -> bytes:
    """The document of a policy as a shop's first one: it follows no other, whatever it follows on a real log.

    >>> as_first(b'{"revision": "b", "follows": "a"}')
    b'{"revision":"b"}'
    """
    given = {key: value for key, value in json.loads(document).items() if key != "follows"}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
