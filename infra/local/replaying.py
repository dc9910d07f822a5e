"""Events and reached stages put on the deployed stream in log order, and awaited in the archive."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cli.progress import Signs, wait_until
from infra.local.archive import ArchivedSequences
from infra.local.cloud import Cloud
from infra.local.errors import NotReceivedError, ReplayError
from service_quality.errors import RejectedEventError
from service_quality.events.control_parsing import parse_time_reached
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.parsing import parse_event, parse_json
from service_quality.events.time_reached import TimeReached

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

RECORDS_PER_CALL = 250
ATTEMPTS = 8
QUIET_SECONDS = 180
"""The time without a new archive entry after which a replay counts as stuck."""


#: A record of a replay.
Record = InteractionEvent | TimeReached


class Signed(NamedTuple):
    """A signed record of a shop as it is put."""

    shop_id: str
    data: bytes


#: What is put on the stream.
Put = InteractionEvent | Signed


def read_events(path: Path) -> list[InteractionEvent]:
    """The canonical events among the records of a JSON-lines file, in log order."""
    return events_among(read_records(path))


def events_among(records: Iterable[Record]) -> list[InteractionEvent]:
    """The events among records, in their order."""
    return [record for record in records if isinstance(record, InteractionEvent)]


def read_records(path: Path) -> list[Record]:
    """The canonical events of a JSON-lines file in log order, each behind the reached stages that stand before it.

    ReplayError at the first line that is neither. An event without `received_at` was received when it occurred.
    """
    placed: list[tuple[InteractionEvent, list[Record]]] = []
    waiting: dict[str, list[Record]] = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                record = _parse_line(line, f"{path.name}, line {number}")
                if isinstance(record, TimeReached):
                    waiting.setdefault(record.shop_id, []).append(record)
                else:
                    placed.append((record, [*waiting.pop(record.shop_id, []), record]))
    except OSError as error:
        raise ReplayError(f"{path}: found {error.strerror}, expected a file of JSON lines") from None
    if not placed:
        raise ReplayError(f"{path}: found no event, expected at least one")
    in_order = sorted(placed, key=lambda one: log_order(one[0]))
    return [record for records in (*(own for _, own in in_order), *waiting.values()) for record in records]


def sign_stages(records: Iterable[Record], key: bytes) -> list[Put]:
    """Records as they are put: reached stages are signed with the deployment's key."""
    return [
        one if isinstance(one, InteractionEvent) else Signed(one.shop_id, sign_control(one, key, issued_at=now_ms()))
        for one in records
    ]


def put_events(
    cloud: Cloud,
    stream: str,
    events: Iterable[Put],
    *,
    per_second: float | None = None,
    expected: int = 0,
) -> list[int]:
    """Put records on the stream in the order given, the shop's id as partition key; return their sequence numbers.

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


def put_live(cloud: Cloud, stream: str, events: Iterable[InteractionEvent]) -> list[int]:
    """Put each event when it occurs; return their sequence numbers."""
    numbers: list[int] = []
    left = sorted(events, key=lambda event: event.occurred_at)
    while left:
        now = now_ms()
        due = [event for event in left if event.occurred_at <= now]
        if due:
            numbers += put_events(cloud, stream, due)
            left = left[len(due) :]
        time.sleep(0.02)
    return numbers


def wait_for_archive(
    cloud: Cloud, bucket: str, numbers: Iterable[int], *, quiet: float = QUIET_SECONDS
) -> dict[int, str]:
    """Wait until the archive holds all these sequence numbers; by number why the fold did not take it.

    NotReceivedError when no more entries come.
    """
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
    return {number: reason for number, reason in archived.left_out.items() if number in wanted}


def _parse_line(line: bytes, where: str) -> Record:
    try:
        raw = dict(parse_json(line))
        if raw.get("kind") == TimeReached.kind:
            return parse_time_reached(raw, now_ms())
        raw.setdefault("received_at", raw.get("occurred_at"))
        return parse_event(raw, arrived_at=now_ms())
    except RejectedEventError as error:
        raise ReplayError(f"{where}: {error}") from None


def now_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _batches(events: Iterable[Put], size: int) -> Iterator[list[Put]]:
    iterator = iter(events)
    while batch := list(islice(iterator, size)):
        yield batch


def _put_batch(cloud: Cloud, stream: str, batch: Sequence[Put]) -> list[int]:
    records: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": one.data if isinstance(one, Signed) else event_to_json(one), "PartitionKey": one.shop_id}
        for one in batch
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
