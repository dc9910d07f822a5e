"""The Spark reader without Spark: the jobs' own parsing, fold and columns, on what a shop's chain of archive rows
holds; only shuffles and joins are replaced, by plain loops."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

import numpy as np
import pyarrow as pa

from service_quality.conversations.conversation import conversation_key
from service_quality.events.control_records import POLICY, SettingsChanged
from service_quality.events.interaction_event import FIELDS, log_order
from service_quality.features.declarations import FeatureSet
from service_quality.policies.policy_document import parse_policy
from spark_jobs.logs.archive import entries_of
from spark_jobs.logs.conversation_replay import to_event
from spark_jobs.logs.folding import LIVE_SCHEMA, _batched, _fold_live_group, whole_facts
from spark_jobs.logs.imported_log import NOT_YET
from spark_jobs.logs.policies import ShopPolicies
from spark_jobs.logs.time_rows import to_reached
from spark_jobs.reader.block_rows import BLOCK_SCHEMA
from spark_jobs.reader.counted_spans import CountedSpans, walk_changes
from spark_jobs.reader.entity_blocks import Cut
from spark_jobs.reader.served_features import SERVED_SCHEMA, Reading
from tests.parity.log_rows import Row
from tests.properties.import_packs import Backfill


def recompute_by_spark(
    links: Sequence[dict], features: FeatureSet, imports: Mapping[str, Backfill]
) -> dict[str, tuple[int, bytes]]:
    """Clock and vector of every event that should have been scored, by position; `imports` by their ids."""
    rows, positions = _log_of(links, imports)
    policies = _policies_of(links)
    kept, names = whole_facts(features), features.event_values
    rows.sort(key=itemgetter("fold_key", "behind", "number", "turn"))
    live = (
        folded
        for _, group in groupby(rows, key=itemgetter("fold_key"))
        for folded in _fold_live_group(group, kept, names, policies)
    )
    folded = pa.Table.from_batches(_batched(live, LIVE_SCHEMA), schema=LIVE_SCHEMA)
    if not folded.num_rows:
        return {}
    spans = {links[0]["shop_id"]: walk_changes(_changes_of(links), features.plan)}
    served = vectors_of(read_folded(folded, features, spans))
    cut = Cut(parts=3, events_a_piece=5)
    assert vectors_of(read_folded(folded, features, spans, cut=cut, read_at_once=6)) == served
    return {positions[log_index]: found for log_index, found in served.items()}


def vectors_of(served: pa.Table) -> dict[int, tuple[int, bytes]]:
    """Clock and vector by log index."""
    return {
        row["log_index"]: (row["clock"], np.array(row["features"], dtype="<f4").tobytes())
        for row in served.to_pylist()
        if row["features"] is not None
    }


def read_folded(
    folded: pa.Table,
    features: FeatureSet,
    spans: Mapping[str, CountedSpans],
    *,
    cut: Cut | None = None,
    read_at_once: int = 1_000,
) -> pa.Table:
    """The served features of a folded log of one shop (served_features.SERVED_SCHEMA), cut or whole."""
    cuts = {} if cut is None else dict.fromkeys(folded.column("shop_id").to_pylist(), cut)
    reading = Reading(features, spans, cuts, read_at_once=read_at_once)
    by_part = _shuffled(reading.cut(folded.to_batches()), "shop_id", "part", "piece")
    if not cuts:
        return pa.Table.from_batches(reading.read_and_assemble(by_part), schema=SERVED_SCHEMA)
    by_piece = _shuffled(reading.read(by_part), "shop_id", "piece")
    return pa.Table.from_batches(reading.assemble(by_piece), schema=SERVED_SCHEMA)


def _shuffled(batches: Iterable[pa.RecordBatch], *keys: str) -> list[pa.RecordBatch]:
    """The rows in the order of these keys, in batches of a few rows."""
    rows = pa.Table.from_batches(batches, schema=BLOCK_SCHEMA).to_pylist()
    rows.sort(key=itemgetter(*keys))
    return pa.Table.from_pylist(rows, schema=BLOCK_SCHEMA).to_batches(2)


def served_vectors(links: Iterable[dict]) -> dict[str, tuple[int, bytes]]:
    """The vectors that the functions served, in the same form."""
    entries = [entry for link in links for entry in link["entries"] if "vector" in entry]
    return {entry["position"]: (entry["clock"], b64decode(entry["vector"])) for entry in entries}


def is_accepted(entry: Row) -> bool:
    """Whether an entry is a record that `to_log` keeps."""
    is_control = "control" in entry and "import_id" not in entry
    is_aside = entry.get("rejected") or entry["duplicate"] or entry.get("silent")
    return not (is_aside or "declared" in entry or is_control)


def _policies_of(links: Iterable[dict]) -> dict[str, ShopPolicies]:
    """The policies of the shop, as policies.read_policies finds them."""
    found: dict[str, ShopPolicies] = {}
    for entry in (entry for link in links for entry in entries_of(link)):
        control = json.loads(entry.get("control") or "{}")
        is_policy = control.get("kind") == SettingsChanged.kind and control.get("section", POLICY) == POLICY
        if is_policy and not entry.get("rejected") and not entry["duplicate"]:
            known = found.get(entry["shop_id"], ShopPolicies())
            policy = parse_policy(b64decode(control["document"]))
            found[entry["shop_id"]] = ShopPolicies((*known.positions, entry["position"]), (*known.policies, policy))
    return found


def _changes_of(links: Iterable[dict]) -> list[Row]:
    """The rows of counted_spans._changes."""
    changes, log_index, clock = [], 0, 0
    names = ("position", "row_follows", "import_columns", "declared", "filled")
    for entry in (entry for link in links for entry in entries_of(link)):
        if is_accepted(entry):
            log_index, clock = log_index + 1, max(clock, min(entry["occurred_at"], entry["received_at"]))
        is_change = any(entry.get(name) for name in ("import_columns", "declared", "filled"))
        if is_change and not entry.get("rejected") and not entry["duplicate"]:
            row = {name: entry.get(name) for name in names}
            changes.append(row | {"log_index": log_index, "clock": clock})
    return changes


def _log_of(links: Iterable[dict], imports: Mapping[str, Backfill]) -> tuple[list[Row], dict[int, str]]:
    rows: list[Row] = []
    import_records: dict[str, Row] = {}
    positions: dict[int, str] = {}
    clock = received_clock = 0
    accepted = [entry for link in links for entry in entries_of(link) if is_accepted(entry)]
    brought = [position for one in _policies_of(links).values() for position in one.positions]
    for log_index, entry in enumerate(accepted, 1):
        clock, received_clock = (
            max(clock, min(entry["occurred_at"], entry["received_at"])),
            max(received_clock, entry["received_at"]),
        )
        positions[log_index] = entry["position"]
        clocks = {"log_index": log_index, "clock": clock, "received_clock": received_clock}
        if "import_id" in entry:
            import_records[entry["import_id"]] = clocks
            continue
        key = conversation_key(to_reached(entry) or to_event(entry))
        fold = {"fold_key": key, "behind": log_index, "number": 0, "turn": 0}
        known = {"policies_known": sum(position < entry["position"] for position in brought)}
        event = {name: entry[name] for name in FIELDS} | {"reached": entry.get("reached")}
        rows.append(event | known | clocks | fold)
    received = dict(zip(positions.values(), accumulate((e["received_at"] for e in accepted), max), strict=True))
    last = max((number for number, one in enumerate(imports, 1) if one in import_records), default=0)
    for number, (import_id, one) in enumerate([*imports.items()][:last], 1):
        behind = sum(position <= one.until for position in positions.values())
        import_record = import_records.get(import_id, {"log_index": NOT_YET, "clock": NOT_YET})
        until = received[positions[behind]] if behind else 0
        rows += _import_rows(
            one, [*rows], import_record | {"behind": behind, "number": number, "received_until": until}
        )
    return rows, positions


def _import_rows(one: Backfill, earlier: list[Row], of_import: Row) -> Iterator[Row]:
    """The events of an import but those that were known in another conversation (spark_jobs.logs.import_rows)."""
    in_time = sorted(one.events, key=log_order)
    events = [other for other in earlier if not other.get("reached")]
    known = [other for other in events if other["number"] or other["log_index"] <= of_import["behind"]]
    for turn, event in enumerate(in_time, 1):
        key = conversation_key(event)
        row = {name: getattr(event, name) for name in FIELDS} | of_import
        row |= {"received_clock": event.occurred_at, "turn": turn, "fold_key": key}
        first = next((other["fold_key"] for other in known if other["event_id"] == event.event_id), key)
        if first == key:
            yield row
