"""The records of the rejected bucket, listed and counted."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cli.progress import Signs
from infra.operations.given_up import FOLDER as GIVEN_UP_FOLDER
from infra.operations.given_up import outbox_rows, read_given_up, read_unsent
from infra.operations.outbox_batches import UNSENT_FOLDERS
from infra.operations.outcome import Counts
from infra.operations.rejected_objects import RejectedObjects, Unreadable, read_lines
from infra.operations.selection import GIVEN_UP, UNSENT, Selection
from infra.operations.ways_back import event_id_of, shop_of
from service_quality.adapters.buckets.rejected_store import PARKED_FOLDER, REJECTED_FOLDER
from service_quality.commit.put_back import RejectedRecord
from service_quality.events.log_records import PARKED
from service_quality.instants import format_instant


class Listed(NamedTuple):
    """A record of the bucket without its content, which holds customers' words; `event_id` is "" where it has none."""

    reason: str
    shop_id: str
    position: str
    arrived_at: str
    message: str
    key: str
    event_id: str

    def line(self) -> str:
        """The record for people, on one line."""
        event = (f"event {self.event_id}",) if self.event_id else ()
        return "  ".join((self.reason, self.shop_id, self.position, self.arrived_at, *event, self.message, self.key))


def list_records(
    selection: Selection, objects: RejectedObjects, *, generation: int, unreadable: Unreadable
) -> Iterator[Listed]:
    """The selected records, object by object; `unreadable` gets the error of each object without records."""
    signs, seen = Signs("rejected bucket"), 0
    for record, message, key in _all(objects, generation=generation, unreadable=unreadable):
        seen += 1
        signs.show(f"{seen} records seen")
        shop_id = shop_of(record)
        if selection.reasons and record.reason not in selection.reasons:
            continue
        if selection.takes(shop_id, record.arrived_at):
            arrived_at = format_instant(record.arrived_at)
            yield Listed(record.reason, shop_id, record.position, arrived_at, message, key, event_id_of(record))


def count_records(selection: Selection, objects: RejectedObjects, *, generation: int, unreadable: Unreadable) -> Counts:
    """The number of selected records by reason and shop; `unreadable` gets the error of each object without records.

    A parked record counts once, by its first position: each put-back that fails leaves one more copy of it.
    """
    counts: Counts = Counter()
    parked: set[tuple[str, str]] = set()
    for one in list_records(selection, objects, generation=generation, unreadable=unreadable):
        if one.reason == PARKED:
            parked.add((one.shop_id, one.position))
        else:
            counts[one.reason, one.shop_id] += 1
    counts.update((PARKED, shop_id) for shop_id, _ in parked)
    return counts


def _all(
    objects: RejectedObjects, *, generation: int, unreadable: Unreadable
) -> Iterator[tuple[RejectedRecord, str, str]]:
    for folder in (PARKED_FOLDER, REJECTED_FOLDER):
        for one in objects.below(f"{folder}/"):
            for lines in objects.readable(one.key, read_lines, unreadable):
                for line in lines:
                    yield line.record, line.message, one.key
    for one in objects.below(GIVEN_UP_FOLDER):
        for batch in objects.readable(one.key, read_given_up, unreadable):
            for record in batch.records(generation) if batch.is_of_stream else outbox_rows(batch.event, GIVEN_UP):
                yield record, "the event source tried in vain", one.key
    for folder in UNSENT_FOLDERS:
        for one in objects.below(folder):
            for event in objects.readable(one.key, read_unsent, unreadable):
                for record in outbox_rows(event, UNSENT):
                    yield record, "its function could not send it", one.key
