"""Workers: environments of score_interactions that keep their cache, pause, go on, and die."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from service_quality.adapters.event_stream import EventStream
from service_quality.adapters.shard_map import ShardMap
from service_quality.commit.batches import BatchCommit
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.store import Store
from service_quality.events.aggregated_records import unpack_record
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.routing import RoutedBatch
from service_quality.scoring.scores import Scorer, TaskScorer
from tests.properties.feature_sets import DEPLOYED
from tests.simulation.event_source import Batch
from tests.simulation.models import NamedScorer, entity_scorers, rules_named
from tests.simulation.outside import STREAM, Attempt, Door, Outside, rejected_behind, store_behind
from tests.stand_ins.control import control_key
from tests.stand_ins.strand import Strand


@dataclass(frozen=True)
class Deployment:
    """The parts of all workers of a simulation."""

    features: str
    cursed_of: int
    fold: str
    make_commit: Callable[..., OnlineCommit] = OnlineCommit


@dataclass(frozen=True)
class OneByOne:
    """The commit of a worker, which notes at its door which shop is folded."""

    commit: OnlineCommit
    door: Door

    def advance_shop(self, shop_id: str, records: list[LogRecord], **options: Any) -> CommitStats:
        self.door.folding = shop_id
        return self.commit.advance_shop(shop_id, records, **options)

    @property
    def store(self) -> Store:
        self.door.folding = ""
        return self.commit.store

    def park_shop(self, shop_id: str, records: list[LogRecord]) -> CommitStats:
        self.door.folding = shop_id
        return self.commit.park_shop(shop_id, records)


@dataclass
class Worker:
    """One environment: at most one invocation at a time, in steps from call to call."""

    outside: Outside
    deployment: Deployment
    rules: str
    strand: Strand | None = None
    batch: Batch | None = None
    started_at: int = 0
    will_put_back: bool = False
    _attempt: Attempt | None = None
    door: Door = field(init=False)
    _commit: OnlineCommit = field(init=False)
    _shards: ShardMap = field(init=False)
    _stream: EventStream = field(init=False)

    def __post_init__(self) -> None:
        self.door = Door(self.outside, self._pause, self._present_attempt)
        a_second_a_look = count().__next__
        self._shards = ShardMap(self.door, STREAM, now=a_second_a_look)  # type: ignore[arg-type]  # a stand-in
        self._stream = EventStream(self.door, STREAM, pause=lambda seconds: None)  # type: ignore[arg-type]  # a stand-in
        features = DEPLOYED[self.deployment.features][0]
        rules = rules_named(self.rules, self.deployment.features)
        self._commit = self.deployment.make_commit(store_behind(self.door), self._scorer, features, rules, control_key)
        self._commit.fold_version = self.deployment.fold
        self._commit.entity_scorers = self._entity_scorers

    def start(self, batch: Batch) -> None:
        """Begin with a batch and stop before the first call."""
        assert self.strand is None
        self.batch = batch
        self.started_at = self.outside.wall
        self.door.end_halves()
        self.strand = Strand(lambda: self._advance_shops(batch))
        self.strand.go_on("begin")

    def deploy(self, rules: str) -> None:
        """New rules from the next attempt on; the one under way goes on with those it has."""
        self.rules = rules
        self._commit.rules = rules_named(rules, self.deployment.features)

    def _advance_shops(self, batch: Batch) -> None:
        self.will_put_back = False
        routed = self._route(batch)
        self.will_put_back = bool(routed.rerouted)
        outcome = BatchCommit(OneByOne(self._commit, self.door)).advance(routed.logs)  # type: ignore[arg-type]
        rejected_behind(self.door).put(routed.rejected)
        self.outside.counts["parked by a worker"] += outcome.stats.parked
        self.outside.counts["set aside until a rebuild"] += outcome.stats.waiting
        if outcome.error is not None:
            raise outcome.error
        self._stream.put_entries(routed.rerouted)

    def _route(self, batch: Batch) -> RoutedBatch:
        """As the handler does."""
        routed = RoutedBatch()
        for carrier in batch.records:
            for key, part, data in unpack_record(carrier.partition_key, carrier.data):
                position = str(Position(carrier.generation, carrier.sequence, part))
                is_held = self._shards.holds(batch.source.shard_id, key)
                routed.add(key, LogRecord(position, data, carrier.arrived_at), is_held=is_held)
        return routed

    def _scorer(self) -> Scorer:
        self._attempt = self._new_attempt()
        return NamedScorer(self._attempt.model, self.deployment.cursed_of)

    def _entity_scorers(self) -> Sequence[TaskScorer]:
        return entity_scorers(self.deployment.features, self.outside.champion, self.deployment.cursed_of)

    def _present_attempt(self) -> Attempt:
        """The attempt under way; what is stored before the first belongs to no shop."""
        return self._attempt or self._new_attempt()

    def _new_attempt(self) -> Attempt:
        return Attempt(self.outside.champion, self.rules, self.deployment.features, self.deployment.fold)

    def _pause(self, name: str) -> str:
        assert self.strand is not None
        return self.strand.pause(name)
