"""The builder of transactions: packs what is folded, and begins the next one when an event no longer fits."""

from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.commit.readings import Reading
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import is_settings
from service_quality.commit.transactions import (
    ITEM_OVERHEAD,
    MAX_ITEM_BYTES,
    MAX_ROW_BYTES,
    MAX_TRANSACTION_BYTES,
    Commit,
    Transaction,
    declaration,
    rejected_entry,
)
from service_quality.errors import OverfullError, RejectedEventError
from service_quality.events.log_records import PARKED, Rejection
from service_quality.features.declarations import FeatureSet

_MARK_BYTES = 300  # of an entry that holds no event
_MAX_WAITING_BYTES = 8_000_000  # of rejected and parked records that wait for the next commit


class Packed(NamedTuple):
    """A transaction that is ready to commit, and the rejected records to store before it."""

    commit: Commit
    rejections: list[Rejection]


@dataclass(slots=True, eq=False, repr=False)
class TransactionBuilder:
    """Packs transactions; `most_events` bounds what fits into one further."""

    state: ShopState
    features: FeatureSet
    most_events: int | None = None
    packed: list[Packed] = field(default_factory=list)
    unfounded: list[Rejection] = field(default_factory=list)
    position: str = field(init=False)
    transaction: Transaction = field(init=False)
    _rejections: list[Rejection] = field(default_factory=list)
    _waiting_bytes: int = 0
    _unreadable: int = 0

    def __post_init__(self) -> None:
        self.position = self.state.shop.last_position
        self.transaction = Transaction(self.state.shop_id, self.position)

    def make_room(self, keys: set[str], *, rows: int, size: int) -> None:
        """Pack first where an event does not fit; RejectedEventError for an event that no transaction holds."""
        if self.transaction.entries and not self._has_room(keys, rows=rows, size=size):
            self.flush()
        if not self.transaction.entries and not self._has_room(keys, rows=rows, size=size):
            raise RejectedEventError(
                "changes_too_much",
                found=f"an event that changes {len(keys)} items",
                expected="as many as one transaction holds",
            )

    def _has_room(self, keys: set[str], *, rows: int, size: int) -> bool:
        if self.most_events is not None and len(self.transaction.entries) >= self.most_events:
            return False
        state = self.state
        others = keys - state.changed
        item_bytes = state.changed_bytes + sum(map(state.stored_bytes, others))
        items = len(state.changed) + len(others)
        return self.transaction.has_room(items=items, item_bytes=item_bytes, rows=rows, size=size)

    def add(self, reading: Reading, entry: dict[str, object], *, size: int) -> None:
        """Add the entry of a reading, for which there is room."""
        self.transaction.add_entry(entry, size)
        self.position = reading.position
        if self.state.shop.parked != reading.parked:
            self.state.shop = self.state.shop._replace(parked=reading.parked)

    def mark(self, reading: Reading, entry: dict[str, object]) -> None:
        """Make room for an entry without an event, and add it."""
        self.make_room(set(), rows=0, size=_MARK_BYTES)
        self.add(reading, entry, size=_MARK_BYTES)

    def reject(self, reading: Reading, error: RejectedEventError) -> None:
        """Mark a record as rejected; it is stored before the transaction that says so."""
        self._store(Rejection(self.state.shop_id, reading.record, error.reason, str(error)))
        self.mark(reading, rejected_entry(reading.position, error.reason, error.field))

    def count_unreadable(self) -> None:
        """Count the record rejected last as unreadable: neither an event nor a control record of this shop."""
        self._unreadable += 1

    def set_aside(self, reading: Reading) -> None:
        """Mark a record as set aside; it is stored as a rejected one is, and will be put back."""
        self._store(Rejection(self.state.shop_id, reading.record, PARKED, "its shop is parked"))
        self.mark(reading, rejected_entry(reading.position, PARKED, ""))

    def _store(self, rejection: Rejection) -> None:
        size = len(rejection.record.data)
        if self._waiting_bytes + size > _MAX_WAITING_BYTES:
            self.flush()
        self._rejections.append(rejection)
        self._waiting_bytes += size

    @property
    def founds_no_shop(self) -> bool:
        """Whether the shop has no state yet and every entry since the last commit is unreadable."""
        return not self.state.shop.version and self._unreadable == len(self.transaction.entries)

    def flush(self) -> None:
        """Pack the entries so far, if there are any. OverfullError where no table would take them.

        Unreadable records found no shop: each would be an item, a ledger and a row for a name that anybody may make up.
        They are `unfounded`, and no transaction holds them.
        """
        if not self.transaction.entries:
            return
        if self.founds_no_shop:
            self.unfounded += self._rejections
            self._start_transaction(follows=self.transaction.follows)
            return
        before = self.state.shop
        fingerprint = before.fingerprint if self.state.waits else self.features.fingerprint
        shop = before._replace(
            version=before.version + 1,
            last_position=self.position,
            fingerprint=fingerprint,
        )
        archive = self.transaction.archive_row(
            last=self.position,
            fold_version=before.fold_version,
            fingerprint=fingerprint,
            declared=declaration(self.features) if before.fingerprint != fingerprint else None,
        )
        commit = Commit(
            shop_id=self.state.shop_id,
            shop=shop,
            expected_version=before.version,
            items=self.state.take_changes(),
            rows=(*self.transaction.rows.values(), archive, *self.transaction.first_rows()),
        )
        self._refuse_overfull(commit)
        self.packed.append(Packed(commit, self._rejections))
        self.state.shop = shop
        self._start_transaction(follows=self.position)

    def _start_transaction(self, *, follows: str) -> None:
        self.transaction = Transaction(self.state.shop_id, follows)
        self._rejections, self._waiting_bytes, self._unreadable = [], 0, 0

    def _refuse_overfull(self, commit: Commit) -> None:
        """A last look at the sizes: an item can grow within a transaction beyond its last known size."""
        sizes, rows = {key: len(data) for key, data in commit.items.items()}, [len(row.body) for row in commit.rows]
        items = [size for key, size in sizes.items() if not is_settings(key)]  # settings have their own bound
        whole = sum(sizes.values()) + sum(rows) + ITEM_OVERHEAD * (len(sizes) + len(rows) + 1)
        events = len(self.transaction.entries)
        if max(items, default=0) > MAX_ITEM_BYTES:
            found, expected = f"an item of {max(items)} bytes", f"at most {MAX_ITEM_BYTES}"
        elif max(rows) > MAX_ROW_BYTES:
            found, expected = f"a row of {max(rows)} bytes", f"at most {MAX_ROW_BYTES}"
        elif whole > MAX_TRANSACTION_BYTES:
            found, expected = f"a transaction of {whole} bytes", f"at most {MAX_TRANSACTION_BYTES}"
        else:
            return
        version = commit.expected_version
        raise OverfullError(events=events, position=self.position, version=version, found=found, expected=expected)
