"""Features over a shop's folded log as columns, against numbers worked out by hand."""

from math import isnan

import numpy as np
import pyarrow as pa
import pytest

from service_quality.events.identifiers import SEPARATOR
from service_quality.facts.entities import ATTRIBUTES
from service_quality.features.declarations import EventValue, FeatureSet, Mean, Rate, TimeSince, Total, WindowRatio
from service_quality.instants import DAY, HOUR
from spark_jobs.logs.folding import LIVE_SCHEMA
from spark_jobs.reader.attribute_sets import AttributeSets
from tests.parity.spark_reader import read_folded

NOON = 19_600 * DAY + 12 * HOUR
SHOP = Rate("shop", "dissatisfied", "7d", prior_weight=10, parent=0.2)
AGENT = Rate("agent", "dissatisfied", "7d", prior_weight=2, parent=SHOP)
READ = FeatureSet(
    (
        EventValue("waiting_ms"),
        Total("agent", "replies", "1d"),
        Mean("agent", "reply_ms", "timed_replies", "1d"),
        WindowRatio("agent", "replies", "1h", "1d", prior_weight=2),
        TimeSince("agent", "replies", "1d"),
        AGENT,
    )
)


def attributes(**named: str) -> str:
    return SEPARATOR.join(["", *(named.get(name, "") for name in ATTRIBUTES)])


def fact(name: str, value: int, at: int = NOON, **named: str) -> dict:
    return {"attributes": attributes(**named), "at": at, "name": name, "value": value}


def row(
    log_index: int, *facts: dict, clock: int = NOON, waiting: float | None = None, scored=True, **named: str
) -> dict:
    return {
        "shop_id": "shop",
        "log_index": log_index,
        "clock": clock,
        "event_id": f"e{log_index}",
        "conversation_id": "c1",
        "kind": "agent_message",
        "occurred_at": clock,
        "scored": scored,
        "rating": None,
        "attributes": attributes(**named),
        "values": [waiting] if scored else None,
        "facts": list(facts),
    }


def table(*rows: dict) -> pa.Table:
    """The rows in pieces, as Arrow hands them over."""
    pieces = [pa.RecordBatch.from_pylist([one], schema=LIVE_SCHEMA) for one in rows]
    return pa.Table.from_batches(pieces, schema=LIVE_SCHEMA)


def vectors(folded: pa.Table, features: FeatureSet) -> np.ndarray:
    served = read_folded(folded, features, {})
    flat = served.column("features").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(served.num_rows, len(features.features))


def test_vector_is_read_before_its_own_facts_and_after_all_earlier_ones():
    answers = [fact("replies", 1, agent_id="ann"), fact("timed_replies", 1, agent_id="ann")]
    rated = [fact("ratings", 1, agent_id="ann"), fact("dissatisfied_ratings", 1, agent_id="ann")]
    folded = table(
        row(1, *answers, fact("reply_ms", 900, agent_id="ann"), agent_id="ann", waiting=5.0),
        row(2, *rated, scored=False),
        row(3, *answers, agent_id="ann", waiting=None, clock=NOON + HOUR // 2),
    )

    first, last = vectors(folded, READ)

    assert [first[0], first[1], first[5]] == [5.0, 0.0, np.float32((0 + 2 * 0.2) / 2)]
    assert first[3] == np.float32((0 + 2 / 24) / 2)
    assert isnan(first[2])
    assert isnan(first[4])
    shop_rate = (1 + 10 * 0.2) / 11
    assert isnan(last[0])
    assert last[1:].tolist() == [
        1.0,
        900.0,
        np.float32((1 + 2 / 24) / 3),
        HOUR // 2,
        np.float32((1 + 2 * shop_rate) / 3),
    ]


def test_entity_that_is_missing_has_no_history():
    folded = table(row(1, fact("replies", 1, agent_id="ann"), scored=False), row(2), row(3, agent_id="bob"))

    assert vectors(folded, READ)[:, 1].tolist() == [0.0, 0.0]


def test_sum_that_was_taken_back_twice_reads_as_nothing():
    taken_back = [fact("replies", value, agent_id="ann") for value in (1, -1, -1)]
    folded = table(row(1, *taken_back, agent_id="ann"), row(2, agent_id="ann"))

    assert vectors(folded, READ)[:, 1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("folded", [table(), table(row(1, fact("replies", 1), scored=False))])
def test_log_without_a_scored_event_has_no_vectors(folded):
    assert vectors(folded, READ).shape == (0, len(READ.features))


def test_no_features_are_vectors_of_no_width():
    assert vectors(table(row(1), row(2)), FeatureSet(())).shape == (2, 0)


def test_vectors_are_float32_and_rounded_once():
    big = 2**24 + 1
    folded = table(row(1, fact("replies", big, agent_id="ann"), agent_id="ann"), row(2, agent_id="ann"))

    found = vectors(folded, READ)

    assert found.dtype == np.float32
    assert found[1, 1] == np.float32(big)


def test_entities_are_numbered_by_their_keys():
    texts = [attributes(agent_id="ann", category="a"), attributes(agent_id="ann", category="b"), attributes()]

    keys, codes = AttributeSets(pa.chunked_array([texts[:1], texts[1:], texts[:1]])).entities("agent")

    assert [keys[code] if code >= 0 else None for code in codes] == [
        f"agent{SEPARATOR}ann", f"agent{SEPARATOR}ann", None, f"agent{SEPARATOR}ann",
    ]  # fmt: skip
