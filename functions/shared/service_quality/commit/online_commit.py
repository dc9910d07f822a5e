"""The online commit: a shop's log into its state, one fenced transaction a chunk; nothing else ever changes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from service_quality.alerts.rules import Rule
from service_quality.commit.chunk_writer import ChunkWriter
from service_quality.commit.chunks import duplicate_entry, event_entry
from service_quality.commit.shop_fold import ShopFold
from service_quality.commit.shop_memory import ShopMemory
from service_quality.commit.state_items import ShopItem
from service_quality.commit.store import Store
from service_quality.commit.warm_shops import WarmShops
from service_quality.errors import (
    ConflictError,
    RejectedEventError,
    ServiceQualityError,
    StateVersionError,
    SurroundingsError,
)
from service_quality.events.interaction_event import HistoryImported, InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scores import Scorer

_MAX_ATTEMPTS = 5
_MAX_WARM_ITEMS = 20_000


@dataclass(slots=True)
class Tally:
    """What one call of the commit did; for logs and metrics."""

    accepted: int = 0
    scored: int = 0
    duplicates: int = 0
    already_done: int = 0
    alerts: int = 0
    chunks: int = 0
    conflicts: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Count another call's work with this one's."""
        for name in ("accepted", "scored", "duplicates", "already_done", "alerts", "chunks", "conflicts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.rejected.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count


class FoldFailedError(ServiceQualityError):
    """Our own code failed on a record; once may be a torn read, twice at one version of the shop is the record."""

    def __init__(self, position: str, version: int, cause: Exception) -> None:
        super().__init__(f"the fold raised {type(cause).__name__} at position {position}")
        self.position = position
        self.version = version


@dataclass(slots=True, eq=False, repr=False)
class OnlineCommit:
    """Advances shops along their logs; those it holds warm need not be read again.

    `scorer` is asked once per attempt, so that a promotion never splits an event's vector from its model.
    """

    store: Store
    scorer: Callable[[], Scorer]
    features: FeatureSet
    rules: tuple[Rule, ...]
    warm: WarmShops = field(default_factory=lambda: WarmShops(_MAX_WARM_ITEMS))

    @property
    def fold_version(self) -> str:
        """Code and history plan: state of another version is not continued."""
        return f"{CODE_VERSION}.{self.features.plan.digest}"

    def advance_shop(self, shop_id: str, records: Iterable[LogRecord]) -> Tally:
        """Fold what is new of a shop's log, commit it, and say what was done.

        On a conflict, a timeout or a failing fold everything held of the shop is forgotten and read again.
        SurroundingsError when that does not help: the batch must come again.
        """
        records = sorted(records, key=lambda record: record.position)
        suspect: dict[str, int] = {}
        poison: dict[str, int] = {}
        conflicts = 0
        attempts = 0
        while attempts < _MAX_ATTEMPTS:
            try:
                tally = self._attempt(shop_id, records, poison)
                tally.conflicts = conflicts
                return tally
            except ConflictError:
                conflicts += 1
                attempts += 1
            except SurroundingsError:
                attempts += 1
                if attempts == _MAX_ATTEMPTS:
                    raise
            except FoldFailedError as error:
                # The same version again: nobody moved the shop while the first set was read, so it was not torn. That
                # says nothing of a later version, at which the record may be sound, or a duplicate.
                if suspect.get(error.position) == error.version:
                    poison[error.position] = error.version
                else:
                    attempts += error.position in suspect
                suspect[error.position] = error.version
        raise SurroundingsError(f"the state of a shop kept changing: {_MAX_ATTEMPTS} attempts, {conflicts} conflicts")

    def _attempt(self, shop_id: str, records: list[LogRecord], poison: dict[str, int]) -> Tally:
        """Fold and commit once; `poison` names the records refused at a version of the shop, and only at that one."""
        memory = self._remember(shop_id)
        refused = {position for position, version in poison.items() if version == memory.shop.version}
        fold = ShopFold(memory, self.features, self.rules, self.scorer(), self.store.read_items)
        writer = ChunkWriter(self.store, memory, self.fold_version, self.features.fingerprint)
        tally = Tally()
        fresh = [record for record in records if record.position > memory.shop.last_position]
        tally.already_done = len(records) - len(fresh)
        parsed = [(record, _parse(record, shop_id, refused)) for record in fresh]
        fold.prefetch([event for _, event in parsed if isinstance(event, InteractionEvent)])
        for record, event in parsed:
            try:
                self._take(fold, writer, record, event, tally)
            except ServiceQualityError:
                raise
            except Exception as error:
                raise FoldFailedError(record.position, memory.shop.version, error) from error
        writer.flush()
        tally.chunks = writer.chunks
        self.warm.keep(memory)
        return tally

    def _take(
        self,
        fold: ShopFold,
        writer: ChunkWriter,
        record: LogRecord,
        event: InteractionEvent | HistoryImported | RejectedEventError,
        tally: Tally,
    ) -> None:
        if isinstance(event, HistoryImported):
            writer.import_history(record, event)
            tally.accepted += 1
            return
        size = len(record.data) + 200
        try:
            if isinstance(event, RejectedEventError):
                raise event
            step = fold.step(event)
            if step is not None:
                size += 8 * len(self.features.features)
                writer.make_room(fold.keys_changed_by(event, step), rows=2 * len(self.rules), size=size)
        except RejectedEventError as error:
            writer.refuse(record, error)
            tally.rejected[error.reason] = tally.rejected.get(error.reason, 0) + 1
            return
        if step is None:
            writer.make_room(set(), rows=0, size=size)
            writer.chunk.add_entry(duplicate_entry(record.position), size)
            writer.position = record.position
            tally.duplicates += 1
            return
        outcome = fold.apply(event, step)
        writer.chunk.add_rows(outcome.rows)
        writer.chunk.add_entry(event_entry(record.position, event, outcome.scored, clock=outcome.clock), size)
        writer.position = record.position
        tally.accepted += 1
        tally.scored += outcome.scored is not None
        tally.alerts += sum(row.row_kind == "alert" for row in outcome.rows)

    def _remember(self, shop_id: str) -> ShopMemory:
        """The shop as held warm, else as stored.

        Whether a warm one was overtaken is not asked: then nothing that is folded from it can be committed, since its
        version is the condition, and the next attempt finds nothing warm.
        """
        warm = self.warm.take(shop_id)
        if warm is not None:
            return warm
        shop = self.store.read_shop(shop_id) or ShopItem(fold_version=self.fold_version)
        if shop.fold_version != self.fold_version:
            raise StateVersionError(
                f"state of version {shop.fold_version}, expected {self.fold_version}: rebuild it from the archive"
            )
        return ShopMemory(shop_id, shop, self.features.plan)


def _parse(
    record: LogRecord, shop_id: str, refused: set[str]
) -> InteractionEvent | HistoryImported | RejectedEventError:
    if record.position in refused:
        return RejectedEventError("fold_failed", found="an event that our own code fails on", expected="a fold")
    try:
        return parse_record(record.data, arrived_at=record.arrived_at, shop_id=shop_id)
    except RejectedEventError as error:
        return error
