"""Previews: the same numbers as the stream would serve, or an error rather than a torn answer."""

import json
import zlib
from copy import deepcopy

import pytest

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.preview import Previewer
from service_quality.commit.shop_item import ShopItem, encode_shop
from service_quality.errors import DependencyError, RejectedEventError, StateVersionError
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_event
from service_quality.features.feature_set import FEATURES
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer

NOW = 1_795_165_200_000
AT = "2026-11-20T08:{:02d}:00Z"


def raw(minute: int, kind: str, **values) -> dict:
    fields = {"shop_id": "s", "conversation_id": "c", "kind": kind, "event_id": f"{kind}-{minute}"}
    return fields | {"occurred_at": AT.format(minute), "received_at": AT.format(minute)} | values


LOG = [
    raw(0, "conversation_opened", agent_id="ann", customer_id="bob", category="returns"),
    raw(1, "customer_message"),
    raw(9, "agent_message", agent_id="ann"),
    raw(10, "rated", rating=2),
]
LATER = raw(20, "conversation_opened", conversation_id="d", agent_id="ann", customer_id="bob", category="returns")


def commit(store: MemoryStore, events: list[dict]) -> None:
    records = [LogRecord(f"p{event['occurred_at']}", json.dumps(event).encode(), NOW) for event in events]
    OnlineCommit(store, FixedScorer, FEATURES, ()).advance_shop("s", records)


def preview(store, *events: dict):
    return Previewer(store, FixedScorer(), FEATURES).preview("s", [parse_event(one, arrived_at=NOW) for one in events])


def test_preview_is_the_vector_that_the_stream_then_serves():
    store = MemoryStore()
    commit(store, LOG)
    served = MemoryStore(shops=dict(store.shops), items=dict(store.items))

    (one,) = preview(store, LATER)
    commit(served, [LATER])

    before = store.read_shop("s")
    assert before is not None
    archived = served.rows["s\x1farchive", before.last_position]
    entry = json.loads(zlib.decompress(archived.body))["entries"][0]
    assert one.score.probability == entry["score"]


def test_preview_changes_nothing():
    store = MemoryStore()
    commit(store, LOG)
    before = deepcopy((store.shops, store.items, store.rows, store.rejected))

    preview(store, LATER, LATER | {"event_id": "again"})

    assert (store.shops, store.items, store.rows, store.rejected) == before


def test_events_after_one_another_see_one_another():
    first, second = preview(MemoryStore(), LOG[0], LOG[2])

    assert (first.values["answered"], second.values["answered"]) == (0, 1)


def test_duplicates_and_ratings_have_no_score():
    store = MemoryStore()
    commit(store, LOG[:3])

    assert preview(store, LOG[0], LOG[3]) == [None, None]


def test_event_that_the_fold_rejects_comes_back_as_its_reason():
    old = LATER | {"occurred_at": "2026-01-01T00:00:00Z"}

    (one,) = preview(MemoryStore(), old)

    assert isinstance(one, RejectedEventError)
    assert one.reason == "older_than_retention"


def test_state_that_moves_meanwhile_is_read_again():
    class Moving(MemoryStore):
        moves = 1

        def read_items(self, shop_id, keys):
            if self.moves:
                self.moves -= 1
                commit(self, LOG[:2])
            return super().read_items(shop_id, keys)

    (one,) = preview(Moving(), LOG[2])

    assert one.values["customer_messages"] == 1


def test_state_that_changes_at_every_read_is_an_error():
    class Restless(MemoryStore):
        version = 0

        def read_shop(self, shop_id):
            self.version += 1
            fold_version = OnlineCommit(self, FixedScorer, FEATURES, ()).fold_version
            return ShopItem(version=self.version, fold_version=fold_version)

    with pytest.raises(DependencyError, match="5 attempts"):
        preview(Restless(), LATER)


def test_state_of_another_version_is_an_error():
    with pytest.raises(StateVersionError, match=r"found state of version 0\.old"):
        preview(MemoryStore(shops={"s": encode_shop(ShopItem(version=1, fold_version="0.old"))}), LATER)
