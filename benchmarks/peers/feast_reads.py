"""Feast's online read, run by the peers' interpreter: CPU of reading features that lie in its local online store.

`feast_reads.py QUESTION`: QUESTION is a JSON file with `folder` (empty), `views` (entity → {"keys": join keys,
"features": names}), `events` (a list of {join key: value}) and `runs`. Prints {"batch": [...], "single": [...]}:
microseconds of CPU an event, a value a run, with all events in one request and with a request for each.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64
from feast.value_type import ValueType

NOW = datetime.now(UTC)


def main(question: dict) -> dict[str, list[float]]:
    """Fill a store, read it once to warm up, then measure."""
    store = make_store(Path(question["folder"]))
    service = fill(store, question["views"], question["events"])
    rows = question["events"]
    for values in read(store, service, rows).values():
        if None in values:
            raise ValueError("found a feature without a value, expected all of them to be read")
    return {
        "batch": [cpu_microseconds(lambda: read(store, service, rows), len(rows)) for _ in range(question["runs"])],
        "single": [
            cpu_microseconds(lambda: [read(store, service, [row]) for row in rows], len(rows))
            for _ in range(question["runs"])
        ],
    }


def make_store(folder: Path) -> FeatureStore:
    """A store with everything on this machine; the registry is read once and never again."""
    return FeatureStore(
        config=RepoConfig(
            project="peer",
            provider="local",
            registry={"path": str(folder / "registry.db"), "cache_ttl_seconds": 0},
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
        )
    )


def fill(store: FeatureStore, views: dict[str, dict], events: list[dict]) -> FeatureService:
    """Declare a view an entity, and write the values of every entity that an event names."""
    made = []
    for name, view in views.items():
        entities = [Entity(name=f"{name}_{key}", join_keys=[key], value_type=ValueType.STRING) for key in view["keys"]]
        source = FileSource(name=f"{name}_source", path=f"{name}.parquet", timestamp_field="at")
        schema = [Field(name=feature, dtype=Float64) for feature in view["features"]]
        declared = FeatureView(name=name, entities=entities, schema=schema, source=source, ttl=timedelta(days=90))
        store.apply([*entities, source, declared])
        store.write_to_online_store(name, values_of(view, events))
        made.append(store.get_feature_view(name))
    service = FeatureService(name="all", features=made)
    store.apply([service])
    return store.get_feature_service("all")


def values_of(view: dict, events: list[dict]) -> pd.DataFrame:
    """Made-up values for every combination of a view's keys that occurs."""
    rows = pd.DataFrame([{key: event[key] for key in view["keys"]} for event in events]).drop_duplicates()
    values = {name: [0.1 * number] * len(rows) for number, name in enumerate(view["features"], 1)}
    return rows.assign(at=NOW, **values)


def read(store: FeatureStore, service: FeatureService, rows: list[dict]) -> dict[str, list]:
    """One request of the online store, its values by feature."""
    return store.get_online_features(features=service, entity_rows=rows).to_dict()


def cpu_microseconds(work: Callable[[], object], events: int) -> float:
    """CPU an event of doing the work once."""
    start = time.process_time()
    work()
    return (time.process_time() - start) / events * 1e6


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
