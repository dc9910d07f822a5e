"""The online commit: a shop's log into its state, one fenced transaction a chunk; nothing else ever changes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from service_quality.alerts.rules import Rule
from service_quality.commit.attempts import Attempt, Refusals, passed_by
from service_quality.commit.chunk_writer import ChunkWriter
from service_quality.commit.shop_fold import ShopFold
from service_quality.commit.shop_memory import ShopMemory
from service_quality.commit.state_items import ShopItem
from service_quality.commit.store import Store
from service_quality.commit.tally import Tally
from service_quality.commit.warm_shops import WarmShops
from service_quality.errors import (
    ConflictError,
    FoldFailedError,
    OverfullError,
    ServiceQualityError,
    StateVersionError,
    SurroundingsError,
)
from service_quality.events.control_records import ControlKey
from service_quality.events.log_records import LogRecord
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scores import Scorer

_MAX_ATTEMPTS = 5
_MAX_WARM_ITEMS = 20_000


@dataclass(slots=True, eq=False, repr=False)
class OnlineCommit:
    """Advances shops along their logs; those it holds warm need not be read again.

    `scorer` is asked once per attempt, so that a promotion never splits an event's vector from its model.
    `control_key` gives the key that signs control records; without one none is taken.
    """

    store: Store
    scorer: Callable[[], Scorer]
    features: FeatureSet
    rules: tuple[Rule, ...]
    control_key: ControlKey | None = None
    warm: WarmShops = field(default_factory=lambda: WarmShops(_MAX_WARM_ITEMS))

    @property
    def fold_version(self) -> str:
        """Code and history plan: state of another version is not continued."""
        return f"{CODE_VERSION}.{self.features.plan.digest}"

    def advance_shop(
        self, shop_id: str, records: Iterable[LogRecord], *, rejecting: frozenset[str] = frozenset()
    ) -> Tally:
        """Fold what is new of a shop's log, commit it, and say what was done.

        On a conflict, a timeout or a failing fold everything held of the shop is forgotten and read again.
        FoldFailedError for a record on which the fold fails twice at one version of the shop, unless its position is
        among `rejecting`: then it is rejected. SurroundingsError when trying again does not help: the batch must come
        again. ShopTroubleError for what a table refuses of this shop however often it comes. The records of a name
        that is no shop yet, where all of them are rejected, are not kept but come back as `Tally.unfounded`.
        """
        refusals = Refusals(rejecting)
        return self._until_it_lands(lambda: self._attempt(shop_id, _in_order(records), refusals), refusals=refusals)

    def park_shop(self, shop_id: str, records: Iterable[LogRecord]) -> Tally:
        """Set the records of a shop aside in order, and all that come after them, until they are put back."""
        refusals = Refusals(frozenset())
        return self._until_it_lands(lambda: self._park(shop_id, _in_order(records)), refusals=refusals)

    def _until_it_lands(self, attempt: Callable[[], Tally], *, refusals: Refusals) -> Tally:
        conflicts = attempts = 0
        while attempts < _MAX_ATTEMPTS:
            try:
                tally = attempt()
                tally.conflicts = conflicts
                tally.failures += refusals.failures
                return tally
            except ConflictError:
                conflicts += 1
                attempts += 1
            except SurroundingsError:
                attempts += 1
                if attempts == _MAX_ATTEMPTS:
                    raise
            except OverfullError as error:
                refusals.take_overfull(error)
            except FoldFailedError as error:
                attempts += refusals.take_failed(error)
        raise SurroundingsError(f"the state of a shop kept changing: {_MAX_ATTEMPTS} attempts, {conflicts} conflicts")

    def _attempt(self, shop_id: str, records: list[LogRecord], refusals: Refusals) -> Tally:
        """Fold and commit once, on the condition of the version that was read."""
        memory = self._remember(shop_id, continues=True)
        fold = ShopFold(memory, self.features, self.rules, self.scorer(), self.store.read_items)
        writer = self._writer(memory, self.fold_version, most_events=refusals.most_events)
        attempt = Attempt(fold, writer, self.control_key, refusals.reasons_at(memory.shop.version))
        fresh = self._leave_out_done(memory, records, attempt.tally)
        try:
            attempt.prefetch(fresh)
        except ServiceQualityError:
            raise
        except Exception:
            pass  # whatever fails here fails again where its position is known
        for record in fresh:
            version = memory.shop.version
            try:
                attempt.take(record)
            except ServiceQualityError:
                raise
            except Exception as error:
                raise FoldFailedError(record.position, version, error) from error
        writer.flush()
        attempt.tally.chunks, attempt.tally.unfounded = writer.chunks, writer.unfounded
        if memory.shop.version > 0:
            self.warm.keep(memory)
        return attempt.tally

    def _park(self, shop_id: str, records: list[LogRecord]) -> Tally:
        memory = self._remember(shop_id, continues=False)
        writer = self._writer(memory, memory.shop.fold_version)
        fold = ShopFold(memory, self.features, self.rules, self.scorer(), self.store.read_items)
        attempt = Attempt(fold, writer, self.control_key, {})
        for record in self._leave_out_done(memory, records, attempt.tally):
            attempt.park(record)
        writer.flush()
        attempt.tally.chunks = writer.chunks
        return attempt.tally

    def _writer(self, memory: ShopMemory, fold_version: str, *, most_events: int | None = None) -> ChunkWriter:
        return ChunkWriter(self.store, memory, fold_version, self.features.fingerprint, most_events)

    def _leave_out_done(self, memory: ShopMemory, records: list[LogRecord], tally: Tally) -> list[LogRecord]:
        """The records behind the shop's last position; of the others, keep as rejected what no archive row holds.

        Positions rise along a log. A record at or before the last position was folded, unless it came past its place:
        from another shard, or after an event source had given it up.
        """
        last = memory.shop.last_position
        before = [record for record in records if record.position <= last]
        held: frozenset[str] = frozenset()
        if before:
            held = self.store.positions_archived(memory.shop_id, [record.position for record in before])
        passed = [record for record in before if record.position not in held]
        if passed:
            self.store.keep_rejected([passed_by(memory.shop_id, record) for record in passed])
            tally.rejected["passed_by"] = len(passed)
        tally.already_done = len(before) - len(passed)
        return [record for record in records if record.position > last]

    def _remember(self, shop_id: str, *, continues: bool) -> ShopMemory:
        """The shop as held warm, else as stored.

        Whether a warm one was overtaken is not asked: then nothing that is folded from it can be committed, since its
        version is the condition, and the next attempt finds nothing warm. StateVersionError where the fold `continues`
        state that another version left.
        """
        warm = self.warm.take(shop_id)
        if warm is not None:
            return warm
        shop = self.store.read_shop(shop_id) or ShopItem(fold_version=self.fold_version)
        if continues and shop.fold_version != self.fold_version:
            raise StateVersionError(
                f"state of version {shop.fold_version}, expected {self.fold_version}: rebuild it from the archive",
                parked=shop.parked is not None,
            )
        return ShopMemory(shop_id, shop, self.features.plan)


def _in_order(records: Iterable[LogRecord]) -> list[LogRecord]:
    return sorted(records, key=lambda record: record.position)
