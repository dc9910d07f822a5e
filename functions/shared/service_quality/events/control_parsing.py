"""Control records as they are read from a log: one reader a kind, and what every one of them must show first."""

from base64 import b64decode
from binascii import Error as BadBase64Error
from collections.abc import Callable, Mapping

from service_quality.errors import RejectedEventError
from service_quality.events.control_records import (
    POLICY,
    SECTIONS,
    ControlRecord,
    HistoryFilled,
    HistoryImported,
    PendingImport,
    RecordPutBack,
    SettingsChanged,
    ShopUnparked,
    StateRebuilt,
)
from service_quality.events.control_signatures import ControlKey, is_signed
from service_quality.events.fields import (
    MAX_AHEAD,
    MAX_CONTROL_BYTES,
    read_id,
    read_instant,
    read_integer,
    read_text,
    require_not_ahead,
)
from service_quality.events.finding_reported import FindingReported, parse_finding
from service_quality.events.time_reached import TimeReached
from service_quality.instants import DAY

#: A signed record is taken for this long after its signature: longer than the stream stores it, and bounded, so that a
#: shop has to store applied ids only for this long.
VALID_FOR = 8 * DAY
_MAX_BUCKETS = 1_000_000
_MAX_ITEMS = 10**9
_LONGEST_POSITION = 128
_LATEST = 2**53  # milliseconds: beyond any clock, exact in every JSON


def _parse_import(raw: Mapping[str, object], arrived_at: int) -> HistoryImported:
    clock = read_instant(raw, "clock")
    require_not_ahead("clock", clock, arrived_at)
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


def _read_bytes(raw: Mapping[str, object], name: str) -> bytes:
    try:
        return b64decode(read_text(raw, name, longest=MAX_CONTROL_BYTES), validate=True)
    except (BadBase64Error, ValueError):
        raise RejectedEventError(
            "out_of_range", field=name, found="text that is no base64", expected="base64"
        ) from None


def _parse_settings(raw: Mapping[str, object], arrived_at: int) -> SettingsChanged:
    section = raw.get("section", POLICY)
    if section not in SECTIONS:
        raise RejectedEventError(
            "unknown_section", field="section", found="another section", expected=f"one of {', '.join(SECTIONS)}"
        )
    return SettingsChanged(shop_id=read_id(raw, "shop_id"), document=_read_bytes(raw, "document"), section=str(section))


def _parse_put_back(raw: Mapping[str, object], arrived_at: int) -> RecordPutBack:
    return RecordPutBack(
        shop_id=read_id(raw, "shop_id"),
        run=read_text(raw, "run", longest=64),
        order=read_id(raw, "order"),
        arrived_at=min(read_instant(raw, "arrived_at"), arrived_at),
        data=_read_bytes(raw, "record"),
    )


def _parse_unparked(raw: Mapping[str, object], arrived_at: int) -> ShopUnparked:
    return ShopUnparked(shop_id=read_id(raw, "shop_id"), run=read_id(raw, "run"), until=read_id(raw, "until"))


def parse_time_reached(raw: Mapping[str, object], arrived_at: int) -> TimeReached:
    """The reached stage in a JSON form, whoever signed it."""
    due_at = read_instant(raw, "due_at")
    if due_at > arrived_at:
        raise RejectedEventError(
            "from_the_future",
            field="due_at",
            found=f"an instant {due_at - arrived_at} ms after its arrival",
            expected="one that is reached",
        )
    return TimeReached(
        shop_id=read_id(raw, "shop_id"),
        conversation_id=read_id(raw, "conversation_id"),
        round=read_integer(raw, "round", lowest=1, highest=_MAX_ITEMS),
        turn=read_integer(raw, "turn", lowest=1, highest=_MAX_ITEMS),
        stage=read_id(raw, "stage"),
        due_at=due_at,
    )


#: The reader of each kind of control record, given the JSON form and the arrival of the record.
CONTROL_KINDS: dict[str, Callable[[Mapping[str, object], int], ControlRecord]] = {
    HistoryImported.kind: _parse_import,
    HistoryFilled.kind: _parse_filled,
    StateRebuilt.kind: _parse_rebuilt,
    RecordPutBack.kind: _parse_put_back,
    ShopUnparked.kind: _parse_unparked,
    SettingsChanged.kind: _parse_settings,
    TimeReached.kind: parse_time_reached,
    FindingReported.kind: parse_finding,
}


def parse_control(raw: Mapping[str, object], *, arrived_at: int, key: ControlKey | None) -> ControlRecord:
    """Read a control record; RejectedEventError "unsigned" or "expired" for one that may not be taken.

    With `key` None every control record is "unsigned".
    """
    if key is None or not is_signed(raw, key()):
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
