"""The Spark reader without Spark: the jobs' own parsing, fold and columns, on what a shop's chain of archive rows
holds; only shuffles and joins are replaced, by plain loops."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import pyarrow as pa

from service_quality.commit.state_items import ConversationItem, encode_conversation
from service_quality.conversations.conversation import conversation_key
from service_quality.conversations.turns import read_standing
from service_quality.events.interaction_event import FIELDS
from service_quality.facts.conversation_facts import total_facts
from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.archive import _entries
from spark_jobs.logs.folding import LIVE_SCHEMA, _batched, _fold_live_group, event_value_names, to_event, whole_facts
from spark_jobs.reader.served_features import _served
from tests.parity.log_rows import Row
from tests.properties.import_packs import Backfill

PAST_FACTS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("attributes", "name")),
        *((name, pa.int64()) for name in ("at", "value", "place", "clock")),
    ]
)


@dataclass(frozen=True)
class SparkPast:
    """What the Spark side knows of a backfill: conversations as stored, by fold key, and facts under all attributes."""

    conversations: Mapping[str, bytes]
    facts: list[Row]


def past_of(backfill: Backfill, features: FeatureSet) -> SparkPast:
    """A test's backfill as the jobs would have folded it."""
    kept = whole_facts(features)
    totals = [total_facts(conversation, read_standing(conversation), kept) for conversation in backfill.folded]
    facts = [
        {"attributes": key, "at": at, "name": name, "value": value}
        for one in totals
        for (key, at, name), value in one.items()
    ]
    stored = {key: encode_conversation(ConversationItem(conversation)) for key, conversation in backfill.kept.items()}
    return SparkPast(stored, facts)


def recompute_by_spark(
    links: Iterable[dict], features: FeatureSet, pasts: Mapping[str, SparkPast]
) -> dict[str, tuple[int, bytes]]:
    """Clock and vector of every event that should have been scored, by position; `pasts` by import id."""
    rows, imports, facts, positions = _log_of(links, pasts)
    kept, names = whole_facts(features), event_value_names(features)
    rows.sort(key=itemgetter("fold_key", "place"))
    live = (
        folded
        for key, group in groupby(rows, key=itemgetter("fold_key"))
        for folded in _fold_live_group((row | {"imports": imports.get(key)} for row in group), kept, names)
    )
    folded = pa.Table.from_batches(_batched(live, LIVE_SCHEMA), schema=LIVE_SCHEMA)
    past = pa.Table.from_pylist(facts, schema=PAST_FACTS_SCHEMA) if facts else None
    served = _served(folded, features, past)
    return {
        positions[row["place"]]: (row["clock"], np.array(row["features"], dtype="<f4").tobytes())
        for row in served.to_pylist()
    }


def served_vectors(links: Iterable[dict]) -> dict[str, tuple[int, bytes]]:
    """What the functions served, in the same form."""
    entries = [entry for link in links for entry in link["entries"] if "vector" in entry]
    return {entry["position"]: (entry["clock"], b64decode(entry["vector"])) for entry in entries}


def _log_of(
    links: Iterable[dict], pasts: Mapping[str, SparkPast]
) -> tuple[list[Row], dict[str, list[Row]], list[Row], dict[int, str]]:
    rows: list[Row] = []
    imports: dict[str, list[Row]] = {}
    facts: list[Row] = []
    positions: dict[int, str] = {}
    clock = received_clock = 0
    accepted = (entry for link in links for entry in _entries(link) if not entry["refused"] and not entry["duplicate"])
    for place, entry in enumerate(accepted, 1):
        clock, received_clock = max(clock, entry["occurred_at"]), max(received_clock, entry["received_at"])
        positions[place] = entry["position"]
        if "import_id" in entry:
            past = pasts[entry["import_id"]]
            facts += [fact | {"place": place, "clock": clock} for fact in past.facts]
            for key, conversation in past.conversations.items():
                imports.setdefault(key, []).append({"place": place, "conversation": conversation})
            continue
        rows.append(
            {name: entry[name] for name in FIELDS}
            | {"place": place, "clock": clock, "received_clock": received_clock}
            | {"fold_key": conversation_key(to_event(entry))}
        )
    return rows, imports, facts, positions
