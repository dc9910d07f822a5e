"""One shop's archive of a number of events, and its state as another version of the fold left it."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyarrow import parquet

from benchmarks.one_shop_runs.synthetic_events import write_events
from infra.local.cloud import Cloud
from service_quality.commit.archive_objects import archive_objects, unpack_archive_row
from service_quality.commit.archived_ranges import LEDGER, Range, encode_ranges
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.commit.shop_item import SHOP_KEY, ShopItem, encode_shop
from service_quality.commit.transactions import Transaction, declaration
from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.events.positions import START, Position
from service_quality.features.feature_set import FEATURES

SHOP = "shop"
STATE, ALERTS = "state", "alerts"
OTHER_FOLD = "0"
_EVENTS_A_ROW, _ROWS_AN_OBJECT = 300, 100


def write_chain(folder: Path, *, events: int) -> ShopItem:
    """Write the archive below a folder; the shop's item as it is at its end."""
    source = folder / "events.parquet"
    write_events(source, events=events)
    table = parquet.read_table(source).sort_by([("received_at", "ascending"), ("event_id", "ascending")])
    follows, number, clock, received_clock = START, 0, 0, 0
    rows: list[InsertedRow] = []
    for batch in table.to_batches(max_chunksize=_EVENTS_A_ROW):
        transaction = Transaction(SHOP, follows)
        position = follows
        for row in batch.to_pylist():
            event = InteractionEvent(**{name: row[name] for name in FIELDS if row[name] is not None})
            position, number = str(Position(1, number)), number + 1
            clock = max(clock, min(event.occurred_at, event.received_at))
            received_clock = max(received_clock, event.received_at)
            transaction.add_entry({"position": position, "event": event_to_dict(event), "clock": clock}, 0)
        first = declaration(FEATURES) if follows == START else None
        row = transaction.archive_row(
            last=position, fold_version=OTHER_FOLD, fingerprint=FEATURES.fingerprint, declared=first
        )
        rows.append(InsertedRow(row.stream_key, row.sequence, SHOP, row.body, received_clock))
        follows = position
    _write_objects(folder, rows)
    return ShopItem(
        version=len(rows),
        fold_version=OTHER_FOLD,
        clock=clock,
        received_clock=received_clock,
        last_position=follows,
        fingerprint=FEATURES.fingerprint,
    )


def _write_objects(folder: Path, rows: Sequence[InsertedRow]) -> None:
    for first in range(0, len(rows), _ROWS_AN_OBJECT):
        some = rows[first : first + _ROWS_AN_OBJECT]
        for one in archive_objects([unpack_archive_row(row) for row in some]):
            path = folder / one.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(one.lines, compresslevel=1, mtime=0))


def put_shop(cloud: Cloud, shop: ShopItem) -> None:
    """Make the tables, with the shop's item and its archive's ledger in them."""
    for table, keys in ((STATE, ("item_key",)), (ALERTS, ("stream_key", "sequence"))):
        schema: list[Any] = [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        cloud.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        )
    item: dict[str, Any] = {"item_key": {"S": f"{SHOP}\x1f{SHOP_KEY}"}, "data": {"B": encode_shop(shop)}}
    cloud.dynamodb.put_item(TableName=STATE, Item=item)
    ledger = encode_ranges([Range(START, shop.last_position)])
    row: dict[str, Any] = {"stream_key": {"S": LEDGER}, "sequence": {"S": SHOP}, "body": {"B": ledger}}
    cloud.dynamodb.put_item(TableName=ALERTS, Item=row)
