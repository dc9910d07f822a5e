"""Records that were parked or rejected, made into the control records that bring them back to their shops' logs."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from service_quality.events.control_records import ControlRecord, RecordPutBack, ShopUnparked
from service_quality.events.positions import START
from service_quality.instants import DAY

#: Until so long after its first arrival a record comes back with it; later it arrives when it comes back. State expires
#: by the wall clock, so a record that came with an older arrival could look for what is deleted.
KEEPS_ARRIVAL_FOR = 7 * DAY


class KeptRecord(NamedTuple):
    """A record as the bucket keeps it; `arrived_at` in epoch milliseconds."""

    shop_id: str
    position: str
    reason: str
    arrived_at: int
    data: bytes


def put_back_parked(kept: Iterable[KeptRecord], *, run: str, now: int, until: str = START) -> list[ControlRecord]:
    """The parked records of one shop in the order they first had, each once, and the end of the run.

    `until` is what the shop said of what is parked (`Parked.until`) before these were listed. Empty where nothing is.
    """
    first = {record.position: record for record in kept}
    ordered = [first[position] for position in sorted(first)]
    if not ordered:
        return []
    last = ordered[-1]
    end = ShopUnparked(shop_id=last.shop_id, run=run, until=max(until, last.position))
    return [*(_put_back(record, run=run, now=now) for record in ordered), end]


def put_back_rejected(kept: Iterable[KeptRecord], *, now: int) -> list[ControlRecord]:
    """Rejected records of any shops, each once, in order of their positions."""
    first = {(record.shop_id, record.position): record for record in kept}
    return [_put_back(first[key], run="", now=now) for key in sorted(first)]


def _put_back(record: KeptRecord, *, run: str, now: int) -> RecordPutBack:
    fresh = now - record.arrived_at <= KEEPS_ARRIVAL_FOR
    return RecordPutBack(
        shop_id=record.shop_id,
        run=run,
        order=record.position,
        arrived_at=record.arrived_at if fresh else now,
        data=record.data if fresh else _without_arrival(record.data),
    )


def _without_arrival(data: bytes) -> bytes:
    """The record without the arrival that its inlet stamped; unchanged where it has none."""
    try:
        form = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(form, dict) or "received_at" not in form:
        return data
    return json.dumps({name: value for name, value in form.items() if name != "received_at"}).encode()
