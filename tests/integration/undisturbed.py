"""Run with the core of a release: a run in memory that met no trouble, compared with what another left in its tables.

`python -m tests.integration.undisturbed OUTPUT < {"events": […], "state": {…}}`
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.shop_item import SHOP_KEY, decode_shop
from service_quality.commit.state_items import decode_histories, entity_name, stored_key
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_event
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from tests.properties.online_run import new_worker
from tests.stand_ins.memory_store import MemoryStore

GENERATION = f"{SEPARATOR}@"
_OTHERS = (SHOP_KEY, "contact", "visit", "count", "import")


def main(output: str) -> None:
    given = json.load(sys.stdin)
    lived = {key: bytes.fromhex(data) for key, data in given["state"].items()}
    store = MemoryStore()
    worker = new_worker(store, FEATURES, shipped_rules() if given.get("alerts") is not None else ())
    by_shop: dict[str, list[LogRecord]] = {}
    for number, text in enumerate(given["events"]):
        event = parse_event(json.loads(text), arrived_at=2**62)
        record = LogRecord(str(Position(1, number)), text.encode(), event.received_at)
        by_shop.setdefault(event.shop_id, []).append(record)
    for shop_id, records in by_shop.items():
        worker.advance_shop(shop_id, records)
    found = {f"{shop_id}{SEPARATOR}{key}": data for (shop_id, key), data in store.items.items()}
    own, others = histories_of(found), histories_of(lived)
    differing = sorted(key for key in own.keys() | others.keys() if own.get(key) != others.get(key))
    found_alerts = alerts_of(store)
    lived_alerts = given.get("alerts")
    compared = {"differing": differing, "histories": len(own), "alerts": len(found_alerts)}
    compared["differing_alerts"] = sorted(
        key
        for key in found_alerts.keys() | (lived_alerts or found_alerts).keys()
        if lived_alerts is not None and found_alerts.get(key) != lived_alerts.get(key)
    )
    Path(output).write_text(json.dumps(compared), "utf-8")


def alerts_of(store: MemoryStore) -> dict[str, object]:
    """The messages of alerts by key, without what the model says."""
    return by_subject(row.body for row in store.rows.values() if row.row_kind == "alert")


def by_subject(messages: Iterable[bytes]) -> dict[str, object]:
    """Messages by rule, subject and number: an alert's own id is made with the salt of a deployment."""
    bodies = [json.loads(one) for one in messages]
    return {
        "|".join((one["shop_id"], one["kind"], one["subject"]["id"], str(one["sequence"]))): without_score(one)
        for one in bodies
    }


def without_score(body: dict[str, object]) -> dict[str, object]:
    """An alert's body, but for what depends on the model."""
    return {
        name: body[name] for name in ("kind", "state", "severity", "subject", "occurred_at", "opened_at", "repeats")
    }


def histories_of(items: dict[str, bytes]) -> dict[str, object]:
    """Every history by shop and key, as far as it counts."""
    shops = {
        name.partition(SEPARATOR)[0]: decode_shop(data)
        for name, data in items.items()
        if name.endswith(f"{SEPARATOR}{SHOP_KEY}")
    }
    found: dict[str, object] = {}
    for name, data in items.items():
        shop_id, _, stored = name.partition(SEPARATOR)
        end = stored_key("", shops[shop_id].generation if shop_id in shops else "")
        if not stored.endswith(end) or (not end and GENERATION in stored):
            continue
        key = stored.removesuffix(end)
        if entity_name(key) in _OTHERS and key != f"{SHOP_KEY}{SEPARATOR}":
            continue
        counting = shops[shop_id].counting if shop_id in shops else None
        item = decode_histories(data, FEATURES.plan, counting) if counting else decode_histories(data, FEATURES.plan)
        for entity, history in item.histories.items():
            found[f"{shop_id}{SEPARATOR}{entity}"] = history.to_stored()
    return found


if __name__ == "__main__":
    main(sys.argv[1])
