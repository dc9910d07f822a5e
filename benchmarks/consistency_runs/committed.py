"""One shop's synthetic log through the commit of the functions, over a store in memory, and its archive as objects.

Timers ring between batches, customers are scored for churn, and some events come a second time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.archive_runs.synthetic_archive import write_batch
from benchmarks.cost_runs.scenarios import ARCHIVE_BATCH, BATCH, FIRST_SEQUENCE, LikeTheDemos, batches_of, in_order
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.archive_objects import unpack_archive_row
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score, TaskScorer
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs.backtest.backtest import RUN_KEY
from spark_jobs.backtest.memory_store import MemoryStore
from spark_jobs.synthetic_shop.world import World, events_of, shop_of

#: One event in so many comes again, with the batch behind its own.
_REPEATED = 97


class Steady:
    """The same score for every customer."""

    def score(self, vector: Vector) -> Score:
        """Contributions are as many as a model gives."""
        return Score(0.4, (0.0,) * len(vector), -0.4, "steady")


def commit_shop(world: World, number: int, folder: Path) -> int:
    """Commit a shop's events and write its archive below a folder; returns the number of its records."""
    shop = shop_of(world, number)
    events = in_order(events_of(world, shop, range(world.customers)))
    store = MemoryStore()
    scorer, churn = LikeTheDemos(), (TaskScorer(CHURN, Steady()),)
    commit = OnlineCommit(
        store, lambda: scorer, FEATURES, shipped_rules(), lambda: RUN_KEY, entity_scorers=lambda: churn
    )
    count = 0
    for records in _in_batches(events, store, shop.shop_id):
        given = [
            LogRecord(str(Position(1, FIRST_SEQUENCE + count + place)), data, arrived_at)
            for place, (data, arrived_at) in enumerate(records, 1)
        ]
        commit.advance_shop(shop.shop_id, given)
        count += len(given)
    if store.rejected:
        raise AssertionError(f"found {len(store.rejected)} rejected records, expected none")
    _write(sorted(store.rows.values(), key=lambda row: row.sequence), folder)
    return count


def _in_batches(events: list[InteractionEvent], store: MemoryStore, shop_id: str) -> Iterator[list[tuple[bytes, int]]]:
    """Records with their arrivals: the stages that time reached before each batch, the batch, what comes again."""
    again: list[tuple[bytes, int]] = []
    for batch in batches_of(events, BATCH):
        arrived_at = max(event.received_at for event in batch)
        rung: list[tuple[bytes, int]] = []
        while (timer := store.timers.ring(shop_id, before=arrived_at)) is not None:
            rung.append((sign_control(timer.reached, RUN_KEY, issued_at=timer.rings_at), timer.rings_at))
        if rung:
            yield rung
        own = [(event_to_json(event), event.received_at) for event in batch]
        yield [*own, *again]
        again = [(data, arrived_at) for data, _ in own[::_REPEATED]]


def _write(rows: Sequence[OutboxRow], folder: Path) -> None:
    own = [row for row in rows if row.row_kind == "archive"]
    inserted = (InsertedRow(row.stream_key, row.sequence, row.shop_id, row.body, written_at=0) for row in own)
    archived = [unpack_archive_row(row) for row in inserted]
    for first in range(0, len(archived), ARCHIVE_BATCH):
        write_batch(folder, archived[first : first + ARCHIVE_BATCH])
