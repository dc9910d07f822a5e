"""In place of AWS: what `materialize_histories` writes for the functions, each shop's log, and what is archived."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from pyspark.sql import DataFrame

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.control_records import HistoryImported
from service_quality.events.control_signatures import sign_control
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.scoring.scores import TaskScorer
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs import materialize_histories
from tests.properties.online_run import SCORER, batches, new_worker
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import KEY
from tests.stand_ins.memory_store import MemoryStore

#: Options of `materialize_histories` that name what this side stands for.
TARGET = "--state-table state --alerts-table alerts --event-stream events --control-key-secret key".split()


@dataclass
class FunctionsSide:
    """Packs and import records that the job writes, each shop's log, and the state; `now` is when records arrive."""

    now: int
    store: MemoryStore = field(default_factory=MemoryStore)
    logs: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    packs: list[dict[tuple[str, str], bytes]] = field(default_factory=list)
    import_records: list[HistoryImported] = field(default_factory=list)

    @contextmanager
    def takes_imports(self) -> Iterator[None]:
        """While this lasts `materialize_histories` writes to this side."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("write_packs", "put_control_records"):
                patch.setattr(materialize_histories, name, getattr(self, name))
            patch.setattr(materialize_histories, "read_control_key", lambda secret: KEY)
            patch.setattr(materialize_histories, "seal_imports", lambda imports, table: None)
            patch.setattr(materialize_histories, "unsealed", lambda imports, table: [])
            yield

    def write_packs(self, packs: DataFrame, table: str) -> int:
        self.packs.append({(row["shop_id"], row["key"]): bytes(row["data"]) for row in packs.collect()})
        self.store.items |= self.packs[-1]
        return len(self.packs[-1])

    def put_control_records(self, stream: str, import_records: Sequence[HistoryImported], key: bytes) -> None:
        self.import_records += import_records
        for import_record in import_records:
            self.logs[import_record.shop_id].append(sign_control(import_record, key, issued_at=self.now))

    def serve(self) -> None:
        """Let the functions take all that is on the logs."""
        for shop_id, data in self.logs.items():
            worker = new_worker(self.store, FEATURES, shipped_rules())
            worker.entity_scorers = lambda: (TaskScorer(CHURN, SCORER),)
            records = [LogRecord(str(Position(1, number)), one, self.now) for number, one in enumerate(data)]
            for batch in batches(records, [70]):
                worker.advance_shop(shop_id, batch)

    def links(self, *, but_last: int = 0) -> list[dict]:
        """The archive's rows of all shops; without the last ones of each shop."""
        links = [archive_links(self.store.rows, shop_id) for shop_id in self.logs]
        return [link for one in links for link in one[: len(one) - but_last]]
