"""The results of a backfill on the functions' side, and the functions' own results from them."""

from collections.abc import Sequence

from infra.local.cloud import Cloud
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.control_records import HistoryImported
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore

SEPARATOR = "\x1f"
Packs = dict[str, bytes]


def packs_in(cloud: Cloud, table: str) -> Packs:
    """Every pack by its whole key, which depends on no machine's clock."""
    pages = cloud.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {item["item_key"]["S"]: bytes(item["data"]["B"]) for page in pages for item in page["Items"]}


def import_records_on(cloud: Cloud, stream: str) -> list[HistoryImported]:
    """Every import record on the stream, in order."""
    (shard,) = cloud.kinesis.list_shards(StreamName=stream)["Shards"]
    start = cloud.kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    records = cloud.kinesis.get_records(ShardIterator=start["ShardIterator"], Limit=1000)["Records"]
    import_records = [
        parse_record(
            one["Data"],
            arrived_at=round(one["ApproximateArrivalTimestamp"].timestamp() * 1000),
            shop_id=one["PartitionKey"],
            key=control_key,
        )
        for one in records
    ]
    return [one for one in import_records if isinstance(one, HistoryImported)]


def serve(packs: Packs, import_records: Sequence[HistoryImported], events: Sequence[InteractionEvent]) -> MemoryStore:
    """The items that the functions store when the shops' logs hold first the import records and then the events."""
    store = MemoryStore(items={_place(key): data for key, data in packs.items()})
    worker = new_worker(store, FEATURES, shipped_rules())
    for shop_id in sorted({event.shop_id for event in events}):
        records = [
            LogRecord(str(Position(1, number)), record_json(one, issued_at=one.clock), one.clock)
            for number, one in enumerate(import_records)
            if one.shop_id == shop_id
        ] + [
            LogRecord(str(Position(2, number)), event_to_json(event), event.received_at)
            for number, event in enumerate(events)
            if event.shop_id == shop_id
        ]
        for batch in batches(records, [100]):
            worker.advance_shop(shop_id, batch)
    return store


def _place(key: str) -> tuple[str, str]:
    shop_id, _, item = key.partition(SEPARATOR)
    return shop_id, item
