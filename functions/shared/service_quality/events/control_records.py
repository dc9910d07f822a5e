"""Control records: records that change a shop besides interaction events, signed with the deployment's key.

One table reads each kind, its class writes it; `commit/control.py` applies it to a shop.
A record without a valid signature is rejected, so a source that may only write the stream cannot forge one.
"""

import hmac
import json
from base64 import b64decode, b64encode
from binascii import Error as BadBase64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from service_quality.errors import RejectedEventError
from service_quality.events.fields import MAX_AHEAD, read_id, read_instant, read_integer, read_text
from service_quality.instants import DAY, format_instant

RECORD_VERSION = 1
#: A signed record is taken for this long after its signature: longer than the stream stores it, and bounded, so that a
#: shop has to store applied ids only for this long.
VALID_FOR = 8 * DAY
#: The most bytes of a control record; a record that is put back holds another one in base64.
MAX_CONTROL_BYTES = 100_000

_MAX_BUCKETS = 1_000_000
_MAX_ITEMS = 10**9
_LONGEST_POSITION = 128
_LATEST = 2**53  # milliseconds: beyond any clock, exact in every JSON

#: Gives the deployment's key; it is called only for a control record.
ControlKey = Callable[[], bytes]

ControlForm = dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryImported:
    """A backfill enters a shop's log: from this record's position on, the import counts.

    `clock` is the latest instant of the imported events; `histories` and `conversations` count its items of each kind,
    in `buckets` packs; `columns` are those that its histories hold.
    """

    shop_id: str
    import_id: str
    clock: int
    buckets: int
    histories: int
    conversations: int
    columns: tuple[str, ...]

    kind = "history_imported"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "import_id": self.import_id,
            "clock": format_instant(self.clock),
            "buckets": self.buckets,
            "histories": self.histories,
            "conversations": self.conversations,
            "columns": " ".join(self.columns),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilled:
    """The past of new columns enters a shop's log: what they lack up to the position `follows`, where they begin.

    `histories` counts its items, in `buckets` packs.
    """

    shop_id: str
    import_id: str
    follows: str
    buckets: int
    histories: int
    columns: tuple[str, ...]

    kind = "history_filled"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "import_id": self.import_id,
            "follows": self.follows,
            "buckets": self.buckets,
            "histories": self.histories,
            "columns": " ".join(self.columns),
        }


class PendingImport(NamedTuple):
    """An import of which a number of conversations of a rebuilt shop have still to absorb their parts."""

    import_id: str
    buckets: int
    conversations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRebuilt:
    """The state of a shop is folded again from its log up to the position `follows`, by a version of the fold.

    `follows` is "" where nothing was folded yet.

    Its items are stored under `rebuild_id`. The clocks are the shop's at that position, `columns` those that its
    histories hold, `pending` the imports that are not absorbed yet.
    """

    shop_id: str
    rebuild_id: str
    fold_version: str
    follows: str
    clock: int
    received_clock: int
    columns: tuple[str, ...]
    pending: tuple[PendingImport, ...] = ()

    kind = "state_rebuilt"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "rebuild_id": self.rebuild_id,
            "fold_version": self.fold_version,
            "follows": self.follows,
            "clock": self.clock,
            "received_clock": self.received_clock,
            "columns": " ".join(self.columns),
            "pending": " ".join(":".join(map(str, one)) for one in self.pending),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPutBack:
    """A parked or rejected record comes back on its shop's log.

    `order` is its first position, `arrived_at` its first arrival in epoch milliseconds. Records of one `run` come in
    order; the run of rejected records is "".
    """

    shop_id: str
    run: str
    order: str
    arrived_at: int
    data: bytes

    kind = "record_put_back"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {
            "run": self.run,
            "order": self.order,
            "arrived_at": format_instant(self.arrived_at),
            "record": b64encode(self.data).decode(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopUnparked:
    """A run has put all of its records back, up to the record whose first position is `until`."""

    shop_id: str
    run: str
    until: str

    kind = "shop_unparked"

    def form(self) -> ControlForm:
        """Its own fields in the JSON form."""
        return {"run": self.run, "until": self.until}


ControlRecord = HistoryImported | HistoryFilled | StateRebuilt | RecordPutBack | ShopUnparked


def _parse_import(raw: Mapping[str, object], arrived_at: int) -> HistoryImported:
    clock = read_instant(raw, "clock")
    if clock > arrived_at + MAX_AHEAD:
        raise RejectedEventError(
            "from_the_future",
            field="clock",
            found=f"{(clock - arrived_at) // 1000} s ahead of its arrival",
            expected=f"at most {MAX_AHEAD // 1000} s ahead",
        )
    return HistoryImported(
        shop_id=read_id(raw, "shop_id"),
        import_id=read_id(raw, "import_id"),
        clock=min(clock, arrived_at),
        buckets=read_integer(raw, "buckets", lowest=1, highest=_MAX_BUCKETS),
        histories=read_integer(raw, "histories", lowest=0, highest=_MAX_ITEMS),
        conversations=read_integer(raw, "conversations", lowest=0, highest=_MAX_ITEMS),
        columns=_read_columns(raw),
    )


def _parse_filled(raw: Mapping[str, object], arrived_at: int) -> HistoryFilled:
    return HistoryFilled(
        shop_id=read_id(raw, "shop_id"),
        import_id=read_id(raw, "import_id"),
        follows=read_id(raw, "follows"),
        buckets=read_integer(raw, "buckets", lowest=1, highest=_MAX_BUCKETS),
        histories=read_integer(raw, "histories", lowest=0, highest=_MAX_ITEMS),
        columns=_read_columns(raw),
    )


def _parse_rebuilt(raw: Mapping[str, object], arrived_at: int) -> StateRebuilt:
    return StateRebuilt(
        shop_id=read_id(raw, "shop_id"),
        rebuild_id=read_id(raw, "rebuild_id"),
        fold_version=read_id(raw, "fold_version"),
        follows=read_text(raw, "follows", longest=_LONGEST_POSITION),
        clock=read_integer(raw, "clock", lowest=0, highest=_LATEST),
        received_clock=read_integer(raw, "received_clock", lowest=0, highest=_LATEST),
        columns=_read_columns(raw),
        pending=tuple(map(_parse_pending, str(raw.get("pending", "")).split())),
    )


def _parse_pending(text: str) -> PendingImport:
    try:
        import_id, buckets, conversations = text.split(":")
        return PendingImport(import_id, int(buckets), int(conversations))
    except ValueError:
        raise RejectedEventError(
            "out_of_range", field="pending", found="text that names no import", expected="an id and two numbers"
        ) from None


def _read_columns(raw: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(read_text(raw, "columns", longest=MAX_CONTROL_BYTES).split())


def _parse_put_back(raw: Mapping[str, object], arrived_at: int) -> RecordPutBack:
    try:
        data = b64decode(read_text(raw, "record", longest=MAX_CONTROL_BYTES), validate=True)
    except (BadBase64Error, ValueError):
        raise RejectedEventError(
            "out_of_range", field="record", found="text that is no base64", expected="base64"
        ) from None
    return RecordPutBack(
        shop_id=read_id(raw, "shop_id"),
        run=read_text(raw, "run", longest=64),
        order=read_id(raw, "order"),
        arrived_at=min(read_instant(raw, "arrived_at"), arrived_at),
        data=data,
    )


def _parse_unparked(raw: Mapping[str, object], arrived_at: int) -> ShopUnparked:
    return ShopUnparked(shop_id=read_id(raw, "shop_id"), run=read_id(raw, "run"), until=read_id(raw, "until"))


#: The reader of each kind of control record, given the JSON form and the arrival of the record.
CONTROL_KINDS: dict[str, Callable[[Mapping[str, object], int], ControlRecord]] = {
    HistoryImported.kind: _parse_import,
    HistoryFilled.kind: _parse_filled,
    StateRebuilt.kind: _parse_rebuilt,
    RecordPutBack.kind: _parse_put_back,
    ShopUnparked.kind: _parse_unparked,
}


def parse_control(raw: Mapping[str, object], *, arrived_at: int, key: ControlKey | None) -> ControlRecord:
    """Read a control record; RejectedEventError "unsigned" or "expired" for one that may not be taken.

    With `key` None every control record is "unsigned".
    """
    if key is None or not _is_signed(raw, key()):
        raise RejectedEventError(
            "unsigned", field="signature", found="no valid signature", expected="one by the deployment's key"
        )
    issued_at = read_instant(raw, "issued_at")
    if not -MAX_AHEAD <= arrived_at - issued_at <= VALID_FOR:
        raise RejectedEventError(
            "expired",
            field="issued_at",
            found=f"{(arrived_at - issued_at) // 1000} s before its arrival",
            expected=f"at most {VALID_FOR // 1000} s",
        )
    return CONTROL_KINDS[str(raw["kind"])](raw, arrived_at)


def control_to_dict(record: ControlRecord) -> ControlForm:
    """The JSON form of a control record, as it is archived: without a signature."""
    named: ControlForm = {"version": RECORD_VERSION, "kind": record.kind, "shop_id": record.shop_id}
    return named | record.form()


def sign_control(record: ControlRecord, key: bytes, *, issued_at: int) -> bytes:
    """The record as it is put on the stream: JSON, signed with its instant of issue by HMAC-SHA256 (RFC 2104)."""
    form = control_to_dict(record) | {"issued_at": format_instant(issued_at)}
    return json.dumps(form | {"signature": _signature(form, key)}, separators=(",", ":")).encode()


def _is_signed(raw: Mapping[str, object], key: bytes) -> bool:
    claimed = raw.get("signature")
    if not isinstance(claimed, str) or not claimed.isascii():
        return False
    unsigned = {name: value for name, value in raw.items() if name != "signature"}
    return hmac.compare_digest(claimed, _signature(unsigned, key))


def _signature(form: Mapping[str, object], key: bytes) -> str:
    canonical = json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, canonical, "sha256").hexdigest()
