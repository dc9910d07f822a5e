"""What a fixed log leaves in tables and archive, byte for byte: a change of it is another version of the fold.

A fold that reads its own old state otherwise than it was meant corrupts it silently. So the bytes are held here beside
CODE_VERSION. Where a test fails, either the change was not meant, or CODE_VERSION rises with the new hash. A window or
a limit that is declared otherwise changes the hash alone: its columns are new ones.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator

from service_quality.events.interaction_event import InteractionEvent, event_to_json
from service_quality.events.kinds import ALL
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import FACTS
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.declarations import EventValue, FeatureSet, Total
from service_quality.instants import DAY, MINUTE
from tests.properties.online_run import new_worker
from tests.stand_ins.control import make_import_record, record_json
from tests.stand_ins.memory_store import MemoryStore

START = 19_600 * DAY
#: Every fact, and the values of a conversation that a fold decides.
GOLDEN = FeatureSet(
    (
        *(EventValue(name) for name in ("waiting_ms", "answered", "reopenings", "transfers", "longest_later_reply_ms")),
        *(Total("shop", fact, "7d") for fact in FACTS),
        Total("agent", "replies", "1d"),
        Total("agent_category", "contacts", "30d"),
    )
)

#: By version of the fold: hashes of the items and of the archive.
EXPECTED = {4: ("e48a5e6313a4f662", "5a26a0f194023c7f")}


def golden_log() -> Iterator[InteractionEvent]:
    """Two contacts and a visit, with every kind of event; some late, one twice."""
    for number, kind in enumerate([*sorted(ALL), "customer_message", "agent_message", "rated", "customer_message"]):
        at = START + number * 7 * MINUTE - (40 * MINUTE if number % 5 == 4 else 0)
        yield InteractionEvent(
            event_id=f"e{number % 21}",
            shop_id="shop",
            kind=kind,
            occurred_at=at,
            received_at=START + number * 7 * MINUTE,
            conversation_id=f"c{number % 21 % 2}",
            customer_id="zoe",
            agent_id=f"agent{number % 3}",
            category="Returns",
            sku="s1",
            rating=2 if kind == "rated" else None,
            order_id="o1" if kind.startswith("order") else None,
            amount_minor=12_900 if kind == "order_placed" else None,
            duration_ms=4_000 if kind == "page_viewed" else None,
            query="shoes" if kind == "searched" else None,
        )


def golden_store() -> MemoryStore:
    store = MemoryStore()
    mark = make_import_record("i1", clock=START, columns=GOLDEN.plan.columns)
    records = [event_to_json(event) for event in golden_log()]
    records.insert(9, record_json(mark, issued_at=START))
    arrived = START + DAY
    log = [LogRecord(str(Position(1, number)), data, arrived) for number, data in enumerate(records)]
    new_worker(store, GOLDEN, ()).advance_shop("shop", log)
    return store


def hash_of(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def plain(data: bytes) -> object:
    """The JSON of stored bytes: how they are compressed is no matter of the fold."""
    return json.loads(data if data[:1] in (b"[", b"{") else zlib.decompress(data))


def test_bytes_of_state_and_archive_are_those_of_this_version_of_the_fold():
    store = golden_store()
    items = {f"{shop}/{key}": plain(data) for (shop, key), data in sorted(store.items.items())}
    archive = [plain(row.body) for row in store.rows.values() if row.row_kind == "archive"]

    assert (hash_of([items, plain(store.shops["shop"])]), hash_of(archive)) == EXPECTED[CODE_VERSION]


def test_every_fact_and_every_kind_is_in_the_golden_log():
    entries = [
        entry
        for row in golden_store().rows.values()
        if row.row_kind == "archive"
        for entry in plain(row.body)["entries"]  # type: ignore[index]
    ]

    assert {entry["event"]["kind"] for entry in entries if "event" in entry} >= ALL
    assert {entry.get("duplicate") for entry in entries} == {None, True}
