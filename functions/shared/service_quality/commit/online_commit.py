"""The online commit: a shop's log into its state, in fenced transactions; nothing else ever changes the state."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service_quality.alerts.alert_state import IdSalt, unsalted
from service_quality.alerts.rules import Rule
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.event_fold import EventFold
from service_quality.commit.known_rejections import KnownRejections, passed_by
from service_quality.commit.log_fold import LogFold
from service_quality.commit.log_reader import LogReader
from service_quality.commit.shop_cache import ShopCache
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.transaction_builder import Packed, TransactionBuilder
from service_quality.commit.transactions import Commit
from service_quality.errors import (
    ConflictError,
    DependencyError,
    FoldFailedError,
    OverfullError,
)
from service_quality.events.log_records import LogRecord
from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scores import Scorer, TaskScorer

if TYPE_CHECKING:
    from service_quality.commit.store import Store
    from service_quality.events.control_signatures import ControlKey


def no_entity_scorers() -> Sequence[TaskScorer]:
    """No task scores entities."""
    return ()


_MAX_ATTEMPTS = 5
_MAX_CACHED_ITEMS = 20_000


@dataclass(slots=True, eq=False, repr=False)
class OnlineCommit:
    """Advances shops along their logs; a shop in the cache is not read again.

    `scorer` and `entity_scorers` are called once per attempt, so that a promotion never splits an event's vector from
    its model.
    `control_key` gives the key that signs control records; without it every control record is rejected. State of
    another `fold_version` is not continued: the records of its shop are parked until it is rebuilt. `id_salt` gives the
    salt of the alerts' public ids.
    """

    store: "Store"
    scorer: Callable[[], Scorer]
    features: FeatureSet
    rules: tuple[Rule, ...]
    control_key: "ControlKey | None" = None
    cache: ShopCache = field(default_factory=lambda: ShopCache(_MAX_CACHED_ITEMS))
    fold_version: str = FOLD_VERSION
    id_salt: IdSalt = unsalted
    entity_scorers: Callable[[], Sequence[TaskScorer]] = no_entity_scorers

    def advance_shop(
        self, shop_id: str, records: Iterable[LogRecord], *, rejecting: frozenset[str] = frozenset()
    ) -> CommitStats:
        """Fold and commit the new records of a shop's log; returns the counts.

        After a conflict, a timeout or a failing fold everything held of the shop is dropped and read again.
        FoldFailedError for a record on which the fold fails twice at one version of the shop, unless its position is
        among `rejecting`: then it is rejected. DependencyError when further attempts do not help: the batch must be
        retried. ShopTroubleError for a transaction that a table will always refuse. The unreadable records of a name
        that is no shop yet are not stored; they are `CommitStats.unfounded`.
        """
        known = KnownRejections(rejecting)
        return self._until_it_lands(lambda: self._attempt(shop_id, _in_order(records), known), known=known)

    def park_shop(self, shop_id: str, records: Iterable[LogRecord]) -> CommitStats:
        """Set the records of a shop aside in order, and all later ones, until they are put back."""
        known = KnownRejections(frozenset())
        ordered = _in_order(records)
        return self._until_it_lands(lambda: self._attempt(shop_id, ordered, known, parks=True), known=known)

    def _until_it_lands(self, attempt: Callable[[], CommitStats], *, known: KnownRejections) -> CommitStats:
        conflicts = attempts = 0
        while attempts < _MAX_ATTEMPTS:
            try:
                stats = attempt()
                stats.conflicts = conflicts
                stats.redelivered = 0 if conflicts else stats.already_done
                stats.failures += known.failures
                return stats
            except ConflictError:
                conflicts += 1
                attempts += 1
            except DependencyError:
                attempts += 1
                if attempts == _MAX_ATTEMPTS:
                    raise
            except OverfullError as error:
                known.take_overfull(error)
            except FoldFailedError as error:
                attempts += known.take_failed(error)
        found = f"its state kept changing in {_MAX_ATTEMPTS} attempts, {conflicts} conflicts"
        raise DependencyError(f"a shop: {found}; the batch will be retried")

    def _attempt(
        self, shop_id: str, records: list[LogRecord], known: KnownRejections, *, parks: bool = False
    ) -> CommitStats:
        """Read, fold and commit once, on the condition of the version that was read."""
        state = self._load_shop(shop_id)
        scorers = self.entity_scorers()
        fold = EventFold(state, self.features, self.rules, self.scorer(), self.id_salt, scorers)
        builder = TransactionBuilder(state, self.features, known.most_events)
        folding = LogFold(fold, builder)
        left = self._leave_out_done(state, records, folding.stats)
        tasks = [task for task, _ in scorers]
        reader = LogReader(
            state, self.features, self.rules, self.store.read_items, self.control_key, parks=parks, tasks=tasks
        )
        while left:
            readings = reader.read(left, unfit=known.reasons_at(state.shop.version))
            try:
                left = left[folding.take(readings) :]
                if not left:
                    builder.flush()
            finally:
                folding.stats.transactions += self._write(builder.packed)
        folding.stats.unfounded = builder.unfounded
        arrived_at = max((record.arrived_at for record in records), default=0)
        folding.stats.missing_calendars = int(state.lacks_calendar(arrived_at))
        if state.shop.version > 0:
            self.cache.put(state)
        return folding.stats

    def _write(self, packed: list[Packed]) -> int:
        """The third phase: commit transactions in order, each behind its rejected records; how many there were."""
        number = len(packed)
        for commit, rejections in packed:
            if rejections:
                self._refuse_outdated(commit)
                self.store.store_rejected(rejections)
            self.store.commit(commit)
        packed.clear()
        return number

    def _refuse_outdated(self, commit: Commit) -> None:
        """ConflictError unless the shop is still at the version that was read.

        Items that were read of a shop that has moved since may be later than its cached item, and a record that is
        judged by both may be rejected for a reason that the log does not have. No condition holds back what is stored
        beside the transaction.
        """
        shop = self.store.read_shop(commit.shop_id)
        found = shop.version if shop is not None else 0
        if found != commit.expected_version:
            raise ConflictError(
                f"a shop: found version {found} before storing its rejected records, expected {commit.expected_version}"
            )

    def _leave_out_done(self, state: ShopState, records: list[LogRecord], stats: CommitStats) -> list[LogRecord]:
        """The records behind the shop's last position; of the others, store as rejected what no archive row holds.

        Positions rise along a log. A record at or before the last position was folded, unless it came too late: from
        another shard, or after an event source had given it up.
        """
        last = state.shop.last_position
        before = [record for record in records if record.position <= last]
        held: frozenset[str] = frozenset()
        if before:
            held = self.store.positions_archived(state.shop_id, [record.position for record in before])
        passed = [record for record in before if record.position not in held]
        if passed:
            self.store.store_rejected([passed_by(state.shop_id, record) for record in passed])
            stats.rejected["passed_by"] = len(passed)
        stats.already_done = len(before) - len(passed)
        return [record for record in records if record.position > last]

    def _load_shop(self, shop_id: str) -> ShopState:
        """The shop's state from the cache, else from the store.

        A cached state may be outdated. Then no transaction that is folded from it can commit, since its version is the
        condition, and the next attempt reads the store.
        """
        cached = self.cache.take(shop_id)
        if cached is not None:
            return cached
        shop = self.store.read_shop(shop_id) or ShopItem(fold_version=self.fold_version)
        state = ShopState(shop_id, shop, self.features.plan, fold_version=self.fold_version)
        if not state.waits:
            state.shop = shop.under(self.features.plan)
        return state


def _in_order(records: Iterable[LogRecord]) -> list[LogRecord]:
    return sorted(records, key=lambda record: record.position)
