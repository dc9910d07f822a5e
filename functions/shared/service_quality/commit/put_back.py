"""Parked and rejected records, made into the control records that bring them back to their shops' logs."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from service_quality.events.control_records import ControlRecord, RecordPutBack, ShopUnparked
from service_quality.events.positions import START
from service_quality.instants import DAY

#: For this long after its first arrival a record comes back with that arrival; later it arrives when it comes back.
#: State expires by the wall clock, so a record with an older arrival could look for deleted items.
KEEPS_ARRIVAL_FOR = 7 * DAY


class RejectedRecord(NamedTuple):
    """A record of the rejected bucket; `arrived_at` in epoch milliseconds."""

    shop_id: str
    position: str
    reason: str
    arrived_at: int
    data: bytes


def put_back_parked(
    records: Iterable[RejectedRecord], *, run: str, now: int, until: str = START
) -> list[ControlRecord]:
    """The parked records of one shop in order of their first positions, each once, and the end of the run.

    `until` is the shop's `Parked.until`, read before the records were listed. Empty without parked records.
    """
    first = {record.position: record for record in records}
    ordered = [first[position] for position in sorted(first)]
    if not ordered:
        return []
    last = ordered[-1]
    end = ShopUnparked(shop_id=last.shop_id, run=run, until=max(until, last.position))
    return [*(_put_back(record, run=run, now=now) for record in ordered), end]


def put_back_rejected(records: Iterable[RejectedRecord], *, now: int) -> list[ControlRecord]:
    """Rejected records of any shops, each once, in order of their positions."""
    first = {(record.shop_id, record.position): record for record in records}
    return [_put_back(first[key], run="", now=now) for key in sorted(first)]


def _put_back(record: RejectedRecord, *, run: str, now: int) -> RecordPutBack:
    fresh = now - record.arrived_at <= KEEPS_ARRIVAL_FOR
    return RecordPutBack(
        shop_id=record.shop_id,
        run=run,
        order=record.position,
        arrived_at=record.arrived_at if fresh else now,
        data=record.data if fresh else _without_arrival(record.data),
    )


def _without_arrival(data: bytes) -> bytes:
    """The record without the arrival that its inlet stamped; unchanged without such a stamp."""
    try:
        form = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(form, dict) or "received_at" not in form:
        return data
    return json.dumps({name: value for name, value in form.items() if name != "received_at"}).encode()
