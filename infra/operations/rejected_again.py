"""Records that were put back and that the functions rejected again: they are stored under their new positions."""

from collections import Counter
from collections.abc import Collection

from infra.operations.errors import UnreadableObjectError
from infra.operations.outcome import Counts
from infra.operations.rejected_objects import RejectedObjects
from service_quality.adapters.buckets.rejected_store import REJECTED_FOLDER, folder_of
from service_quality.events.positions import is_position, sequence_of


def count_rejected_again(
    objects: RejectedObjects, shop_id: str, *, numbers: Collection[int], before: Collection[str]
) -> Counts:
    """The rejected records of a shop at these sequence numbers, by reason; objects with keys of `before` are not read.

    The shop's log must have come to all of the numbers: a record is stored before the log moves past it.
    """
    again: Counts = Counter()
    for one in objects.below(folder_of(shop_id, REJECTED_FOLDER)):
        if one.key in before:
            continue
        try:
            lines = objects.lines(one.key)
        except UnreadableObjectError:
            continue  # not of this run; the next look at the bucket names it
        for record in (line.record for line in lines):
            if is_position(record.position) and sequence_of(record.position) in numbers:
                again[record.reason, shop_id] += 1
    return again
