"""Events put on the deployed stream in log order, and awaited in the archive."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cli.progress import Signs, wait_until
from infra.local.archive import ArchivedSequences
from infra.local.cloud import Cloud
from infra.local.errors import NotReceivedError, ReplayError
from service_quality.errors import RejectedEventError
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.parsing import parse_event, parse_json

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

RECORDS_PER_CALL = 250
ATTEMPTS = 8
QUIET_SECONDS = 180
"""The time without a new archive entry after which a replay counts as stuck."""


def read_events(path: Path) -> list[InteractionEvent]:
    """The canonical events of a JSON-lines file in log order; raise ReplayError at the first line that is no event.

    An event without `received_at` was received when it occurred.
    """
    events = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    events.append(_parse_line(line, f"{path.name}, line {number}"))
    except OSError as error:
        raise ReplayError(f"{path}: found {error.strerror}, expected a file of JSON lines") from None
    if not events:
        raise ReplayError(f"{path}: found no event, expected at least one")
    return sorted(events, key=log_order)


def put_events(
    cloud: Cloud, stream: str, events: Iterable[InteractionEvent], *, per_second: float | None = None, expected: int = 0
) -> list[int]:
    """Put events on the stream in the order given, the shop's id as partition key; return their sequence numbers.

    What the stream does not take at once is put again before anything later is put. `per_second` holds the pace,
    `expected` is only for the signs of life.
    """
    signs, start = Signs("replay"), time.monotonic()
    numbers: list[int] = []
    for batch in _batches(events, RECORDS_PER_CALL if per_second is None else max(1, min(250, int(per_second)))):
        numbers += _put_batch(cloud, stream, batch)
        signs.show(f"{len(numbers)}{f' of {expected}' if expected else ''} events on the stream")
        if per_second is not None:
            time.sleep(max(0.0, start + len(numbers) / per_second - time.monotonic()))
    return numbers


def wait_for_archive(cloud: Cloud, bucket: str, numbers: Iterable[int], *, quiet: float = QUIET_SECONDS) -> None:
    """Wait until the archive holds all these sequence numbers; NotReceivedError when no more entries come."""
    wanted = set(numbers)
    archived = ArchivedSequences(cloud, bucket)
    left = len(wanted)

    def whole() -> bool:
        archived.look()
        return wanted <= archived.numbers

    while not wait_until(
        whole, title="archive", state=lambda: f"{len(wanted & archived.numbers)} of {len(wanted)} events", seconds=quiet
    ):
        if len(wanted - archived.numbers) == left:
            raise NotReceivedError(
                f"found {len(wanted) - left} of {len(wanted)} events in the archive and nothing new in {quiet:.0f} s, "
                "expected all of them; the log of the embedded AWS, emulator.log, says what the functions met"
            )
        left = len(wanted - archived.numbers)


def _parse_line(line: bytes, where: str) -> InteractionEvent:
    try:
        raw = dict(parse_json(line))
        raw.setdefault("received_at", raw.get("occurred_at"))
        return parse_event(raw, arrived_at=int(time.time() * 1000))
    except RejectedEventError as error:
        raise ReplayError(f"{where}: {error}") from None


def _batches(events: Iterable[InteractionEvent], size: int) -> Iterator[list[InteractionEvent]]:
    iterator = iter(events)
    while batch := list(islice(iterator, size)):
        yield batch


def _put_batch(cloud: Cloud, stream: str, batch: Sequence[InteractionEvent]) -> list[int]:
    records: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": event_to_json(event), "PartitionKey": event.shop_id} for event in batch
    ]
    numbers: list[int] = []
    for attempt in range(ATTEMPTS):
        answer = cloud.kinesis.put_records(StreamName=stream, Records=records)
        numbers += [int(taken["SequenceNumber"]) for taken in answer["Records"] if "SequenceNumber" in taken]
        records = [record for record, one in zip(records, answer["Records"], strict=True) if one.get("ErrorCode")]
        if not records:
            return numbers
        time.sleep(0.1 * 2**attempt)
    raise ReplayError(f"found {len(records)} events not taken by stream {stream} {ATTEMPTS} times, expected them taken")
