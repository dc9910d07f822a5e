"""materialize_histories without Spark: a shop's first past through the job's own fold, items and packs."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from service_quality.conversations.conversation import CONVERSATION_RETENTION, conversation_key
from service_quality.events.control_records import HistoryImported
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.features.declarations import FeatureSet
from spark_jobs.backfill.history_items import ITEM_KEY, encode_items, sum_tiles
from spark_jobs.backfill.packs import _pack
from spark_jobs.logs.folding import _fold_import_group, whole_facts
from spark_jobs.logs.imported_log import NOT_YET
from tests.parity.log_rows import Row
from tests.properties.import_packs import Backfill
from tests.properties.naive_reader import ImportedPast

FACTS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("shop_id", "import_id", "attributes", "name")),
        *((name, pa.int64()) for name in ("at", "value", "clock")),
    ]
)


def materialize_items(
    past: Sequence[InteractionEvent], features: FeatureSet
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The items of the histories and of the conversations of a past, in order of time, as the job would make them."""
    of_import = {
        "number": 1,
        "behind": 0,
        "received_until": 0,
        "log_index": NOT_YET,
        "clock": NOT_YET,
        "policies_known": 0,
    }
    rows = [
        {name: getattr(event, name) for name in FIELDS}
        | of_import
        | {"received_clock": event.occurred_at, "fold_key": conversation_key(event), "turn": turn}
        for turn, event in enumerate(past)
    ]
    rows.sort(key=itemgetter("fold_key", "turn"))
    kept = whole_facts(features)
    folded = [_fold_import_group(group, kept) for _, group in groupby(rows, key=itemgetter("fold_key"))]
    clock = past[-1].occurred_at
    facts = [fact for row in folded for fact in row["facts"]]
    items = history_items(facts, features, shop_id=past[0].shop_id, clock=clock)
    histories = {row["key"]: row["data"] for row in items}
    return histories, {
        row["fold_key"]: row["part"] for row in folded if clock - row["touched_at"] <= CONVERSATION_RETENTION
    }


def materialize(past: Sequence[InteractionEvent], features: FeatureSet, *, buckets: int = 3) -> Backfill:
    """The past, in order of time, as the job would write it."""
    histories, parts = materialize_items(past, features)
    clock = past[-1].occurred_at
    import_record = HistoryImported(
        shop_id=past[0].shop_id,
        import_id="past",
        clock=clock,
        buckets=buckets,
        histories=len(histories),
        conversations=len(parts),
        columns=features.plan.columns,
    )
    return Backfill(
        import_record, packs_of({**histories, **parts}, import_record), ImportedPast(clock, (), {}), tuple(past), ""
    )


def history_items(facts: list[Row], features: FeatureSet, *, shop_id: str, clock: int) -> list[Row]:
    """Rows of history_items.ITEM_DDL."""
    table = pa.Table.from_pylist(
        [fact | {"shop_id": shop_id, "import_id": "past", "clock": clock} for fact in facts], schema=FACTS_SCHEMA
    )
    plans = {"past": features.plan}
    halves = [table.slice(0, len(facts) // 2), table.slice(len(facts) // 2)]  # as tasks have parts of a shop's facts
    tiles = pa.concat_tables([sum_tiles(half, plans) for half in halves])
    by_item = tiles.sort_by([(name, "ascending") for name in ITEM_KEY]).to_batches(3)
    return [row for batch in encode_items(by_item, plans) for row in batch.to_pylist()]


def packs_of(items: dict[str, bytes], import_record: HistoryImported) -> dict[str, bytes]:
    """The items packed, by pack key: each bucket by itself, as the job groups them."""
    packs: dict[str, bytes] = {}
    by_bucket: dict[int, list[Row]] = {}
    common = {"shop_id": import_record.shop_id, "import_id": import_record.import_id, "buckets": import_record.buckets}
    for key, data in items.items():
        by_bucket.setdefault(bucket_of(key, import_record.buckets), []).append({"key": key, "data": data, **common})
    for rows in by_bucket.values():
        (packed,) = _pack(pa.Table.from_pylist(rows)).to_pylist()
        packs[packed["key"]] = packed["data"]
    return packs


def bucket_of(key: str, buckets: int) -> int:
    """CRC-32 of the key, bit by bit, as Spark's crc32 and the functions' zlib both have to give it."""
    crc = 0xFFFFFFFF
    for byte in key.encode():
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF) % buckets
