"""Random logs into which time has put the stages that their conversations reach."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from service_quality.alerts.conditions import AllOf, AtLeast
from service_quality.alerts.rules import Rule
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.timers import Timer
from service_quality.events.kinds import SERVICE, TIME_REACHED
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position, sequence_of
from service_quality.events.time_reached import TimeReached
from service_quality.features.declarations import FeatureSet
from service_quality.instants import HOUR, MINUTE
from spark_jobs.backtest.memory_store import MemoryStore
from tests.properties.online_run import new_worker
from tests.properties.random_logs import RandomLog
from tests.stand_ins.control import record_json

#: Rules that wait: in all the time, and in shares of what a policy's targets give.
WAITING_RULES = (
    Rule(
        name="waiting",
        version=1,
        subject="conversation",
        kinds=SERVICE | {"rated", TIME_REACHED},
        tiers=(("critical", AtLeast("waiting_ms", HOUR)), ("warning", AtLeast("waiting_ms", 5 * MINUTE))),
        resolved_when=AtLeast("closed", 1),
        cooldown_ms=HOUR,
        evidence=("waiting_ms",),
    ),
    Rule(
        name="breach",
        version=1,
        subject="conversation",
        kinds=SERVICE | {"rated", TIME_REACHED},
        tiers=(
            ("critical", AtLeast("waited_share", 1.0)),
            ("warning", AllOf((AtLeast("waited_share", 0.5), AtLeast("score", 0.5)))),
        ),
        resolved_when=AtLeast("closed", 1),
        cooldown_ms=HOUR,
        evidence=("waited_share",),
    ),
)
#: What becomes of a timer: it rings, rings behind the next record, twice, or says what is not so.
_RINGS = (*("in time",) * 12, "late", "twice", "wrong")


def with_time(log: RandomLog, features: FeatureSet, rules: Sequence[Rule] = WAITING_RULES, *, seed: int) -> RandomLog:
    """The log with a record for every stage that its commit asks for, most of them where they would have rung."""
    return _Clock(log, features, tuple(rules), Random(seed)).run()


@dataclass
class _Clock:
    log: RandomLog
    features: FeatureSet
    rules: tuple[Rule, ...]
    random: Random
    arrived: int = 0
    records: list[LogRecord] = field(default_factory=list)
    store: MemoryStore = field(init=False)
    worker: OnlineCommit = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(items=self.log.packs)
        self.worker = new_worker(self.store, self.features, self.rules)

    def run(self) -> RandomLog:
        for record in self.log.records:
            late = self._ring(before=record.arrived_at)
            self._put(record)
            for reached in late:
                self._put_reached(reached)
        return replace(self.log, records=self.records)

    def _ring(self, *, before: int) -> list[TimeReached]:
        """Ring what is due; what is to ring late."""
        late = []
        while (timer := self.store.timers.ring(self.log.shop_id, before=before)) is not None:
            doing = self.random.choice(_RINGS)
            if doing == "late":
                late.append(timer.reached)
            for _ in range({"late": 0, "twice": 2}.get(doing, 1)):
                self._put_reached(_moved(timer) if doing == "wrong" else timer.reached)
        return late

    def _put_reached(self, reached: TimeReached) -> None:
        at = max(self.arrived, reached.due_at)
        sequence, part = self.records[-1].position.split("-")[1:]
        position = str(Position(1, int(sequence), int(part) + 1))
        self._put(LogRecord(position, record_json(reached, issued_at=at), at))

    def _put(self, record: LogRecord) -> None:
        assert not self.records or self.records[-1].position < record.position
        assert sequence_of(record.position) >= 0
        self.arrived = max(self.arrived, record.arrived_at)
        self.records.append(record)
        self.worker.advance_shop(self.log.shop_id, [record])


def _moved(timer: Timer) -> TimeReached:
    return replace(timer.reached, due_at=timer.reached.due_at - 1)
