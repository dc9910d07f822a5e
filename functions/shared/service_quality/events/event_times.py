"""When an event happened and when it was received: no event happens after its arrival."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.errors import RejectedEventError
from service_quality.events.fields import MAX_AHEAD, read_instant
from service_quality.events.interaction_event import DECLARED
from service_quality.instants import DAY, end_of_day, floor_to

_PRECISIONS = DECLARED["precision"].words


class EventTimes(NamedTuple):
    """The instants of an event, and the fields whose values were not usable.

    `stated_at` is the source's own instant where it is after the arrival, else None.
    """

    occurred_at: int
    received_at: int
    precision: str
    stated_at: int | None
    odd: tuple[str, ...]


def read_times(raw: Mapping[str, object], *, arrived_at: int) -> EventTimes:
    """The times of a record that arrived then; RejectedEventError without an instant at which it occurred.

    It is received at its arrival, or at the `received_at` that it states if that is earlier. A stamp after that is
    taken at it. A day without a time counts at its end, or at the arrival where that is earlier.
    """
    stated = read_instant(raw, "occurred_at")
    received_at, has_odd_receipt = _read_receipt(raw, arrived_at)
    precision, has_odd_precision = _read_precision(raw)
    begin = end = stated
    if precision == "day":
        begin, end = floor_to(stated, DAY), end_of_day(stated)
    odd = ("received_at",) * has_odd_receipt + ("precision",) * has_odd_precision
    if begin <= received_at:
        return EventTimes(min(end, received_at), received_at, precision, None, odd)
    if begin > received_at + MAX_AHEAD:
        odd = ("occurred_at", *odd)
    return EventTimes(received_at, received_at, precision, stated, odd)


def _read_receipt(raw: Mapping[str, object], arrived_at: int) -> tuple[int, bool]:
    """The instant of receipt, and whether what the record states of it is no instant or too far ahead."""
    if raw.get("received_at") is None:
        return arrived_at, False
    try:
        received_at = read_instant(raw, "received_at")
    except RejectedEventError:
        return arrived_at, True
    return min(received_at, arrived_at), received_at > arrived_at + MAX_AHEAD


def _read_precision(raw: Mapping[str, object]) -> tuple[str, bool]:
    """The precision, and whether what the record states of it is no known one."""
    precision = raw.get("precision")
    if precision is None:
        return _PRECISIONS[0], False
    is_known = isinstance(precision, str) and precision in _PRECISIONS
    return (str(precision) if is_known else _PRECISIONS[0]), not is_known
