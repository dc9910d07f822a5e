"""What a fixed log leaves in tables and archive, byte for byte: a change of it is another version of the fold.

A fold that reads its own old state otherwise than it was meant corrupts it silently. So the bytes are held here beside
CODE_VERSION, of the facts and kinds of events of this version. A new fact is a new column and changes no old one
(docs/adr/0029-a-plan-that-changes-stops-nothing.md): it leaves the hash alone, as a new kind does, and joins the lists
with the next version of the fold. Where the test fails, there are three causes:

- The change was not meant: take it back.
- What was folded before has another result now: raise CODE_VERSION, and enter the new hash beside it.
- A window or a limit is declared otherwise: its columns are new ones, so the hash is replaced and CODE_VERSION stays.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service_quality.conversations import reading
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.facts import conversation_facts
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.declarations import AmountTotal, EventValue, FeatureSet, Total
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.policies import policy
from service_quality.policies.policy import DEFAULT_POLICY
from tests.properties.online_run import new_worker
from tests.stand_ins.control import make_import_record, record_json
from tests.stand_ins.memory_store import MemoryStore

START = 19_600 * DAY
#: The facts and kinds of events that this version of the fold began with, not those that were added since.
FACTS = (
    "contacts", "replies", "first_replies", "timed_replies", "reply_ms", "on_time_replies", "slow_replies",
    "half_spent_replies", "late_replies",
    "reply_ms_to_30s", "reply_ms_to_1m", "reply_ms_to_3m", "reply_ms_to_5m", "reply_ms_to_15m", "reply_ms_to_1h",
    "reply_ms_to_4h", "reply_ms_to_1d", "reply_ms_over_1d", "provisional_replies", "unanswered", "abandoned",
    "ratings", "dissatisfied_ratings", "rating_points",
    "resolutions", "timed_resolutions", "resolution_ms", "reopenings", "transfers", "complaints",
    "page_views", "browse_ms", "searches", "cart_additions", "orders", "order_amount_minor", "cancellations",
    "returns",
)  # fmt: skip
KINDS = (
    "agent_message", "assigned", "bot_message", "cart_added", "complaint_filed", "conversation_opened",
    "customer_message", "internal_note", "order_cancelled", "order_placed", "order_returned", "page_viewed",
    "rated", "reopened", "resolved", "searched", "status_changed", "suggestion_made",
)  # fmt: skip
#: Those of them in minor units of a currency.
MONEY_FACTS = ("order_amount_minor",)
#: Those facts, and the values of a conversation that a fold decides.
GOLDEN = FeatureSet(
    (
        *(
            EventValue(name)
            for name in ("waiting", "waiting_ms", "answered", "reopenings", "transfers", "longest_later_reply_ms")
        ),
        *(Total("shop", fact, "7d") for fact in FACTS if fact not in MONEY_FACTS),
        *(AmountTotal("customer_currency", fact, "7d") for fact in MONEY_FACTS),
        Total("agent", "replies", "1d"),
        Total("agent_category", "contacts", "30d"),
    )
)

#: By version of the fold: hashes of the items and of the archive.
EXPECTED = {7: ("c2578915dfdb3ef3", "39cc5f8b13aa5fdf")}


def golden_log() -> list[InteractionEvent]:
    """Two contacts and a visit, with every kind of event; some late, one twice, one corrected, one in conflict."""
    log = list(_events())
    opened, rated = (next(event for event in log if event.kind == kind) for kind in ("conversation_opened", "rated"))
    again = START + len(log) * 7 * MINUTE
    changed = (opened, replace(rated, rating=5), replace(opened, kind="reopened"))
    return [*log, *(replace(event, received_at=again) for event in changed)]


def _events() -> Iterator[InteractionEvent]:
    for number, kind in enumerate([*KINDS, "customer_message", "agent_message", "rated", "customer_message"]):
        at = START + number * 7 * MINUTE - (40 * MINUTE if number % 5 == 4 else 0)
        yield InteractionEvent(
            event_id=f"e{number}",
            shop_id="shop",
            kind=kind,
            occurred_at=at,
            received_at=START + number * 7 * MINUTE,
            conversation_id=f"c{number % 2}",
            customer_id="zoe",
            agent_id=f"agent{number % 3}",
            category="Returns",
            sku="s1",
            rating=2 if kind == "rated" else None,
            order_id="o1" if kind.startswith("order") else None,
            amount_minor=12_900 if kind == "order_placed" else None,
            currency="CNY" if kind == "order_placed" else None,
            duration_ms=4_000 if kind == "page_viewed" else None,
            query="shoes" if kind == "searched" else None,
            text="Where is my parcel?" if kind == "customer_message" else None,
            status="pending" if kind == "status_changed" else None,
        )


def events_at_the_limits() -> Iterator[InteractionEvent]:
    """Answers and ratings on both sides of each limit of the default policy, each in a conversation of its own."""
    said: tuple[tuple[str, int, int | None], ...] = (
        *(
            ("agent_message", limit + past, None)
            for limit in (3 * MINUTE // 2, 3 * MINUTE, 15 * MINUTE)
            for past in _PAST
        ),
        *(("rated", MINUTE, rating) for rating in (3, 4)),
    )
    for number, (kind, after, rating) in enumerate(said):
        for event_id, one, at in (
            (f"q{number}", "customer_message", START + 4 * HOUR),
            (f"a{number}", kind, START + 4 * HOUR + after),
        ):
            yield InteractionEvent(
                event_id=event_id,
                shop_id="shop",
                kind=one,
                occurred_at=at,
                received_at=at,
                conversation_id=f"limit{number}",
                agent_id=None if one == "customer_message" else "agent0",
                rating=rating if one == "rated" else None,
            )


#: The last instant before a limit, the limit, and the first behind it, in milliseconds from it.
_PAST = (-1, 0, 1)

#: The last question waits for so long.
REACHED = TimeReached(
    shop_id="shop", conversation_id="c1", round=1, turn=2, stage="waiting_ms:1800000",
    due_at=START + 21 * 7 * MINUTE + 30 * MINUTE,
)  # fmt: skip


def golden_store() -> MemoryStore:
    store = MemoryStore()
    mark = make_import_record("i1", clock=START, columns=GOLDEN.plan.columns)
    records = [event_to_json(event) for event in golden_log()]
    records.insert(9, record_json(mark, issued_at=START))
    records += [record_json(REACHED, issued_at=START + DAY)] * 2
    records += [event_to_json(event) for event in events_at_the_limits()]
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
    found = (hash_of([items, plain(store.shops["shop"])]), hash_of(archive))

    assert found == EXPECTED.get(CODE_VERSION), (
        f"found {found} for version {CODE_VERSION} of the fold, expected {EXPECTED.get(CODE_VERSION)}."
        " New columns: replace the hash; another result for old ones: raise CODE_VERSION (see the docstring)"
    )


def test_new_fact_leaves_the_bytes_alone(monkeypatch):
    def with_letters(changes, old, new):
        compare_rounds(changes, old, new)
        changes._compare(old.opened, new.opened, conversation_facts._once("letters"))
        ended = ([(owner, at) for owner, at, _ in one.resolved] for one in (old, new))
        changes._compare(*ended, conversation_facts._once("letters"))

    compare_rounds = conversation_facts._Changes._compare_rounds
    before = golden_store()
    monkeypatch.setattr(conversation_facts, "FACTS", (*conversation_facts.FACTS, "letters"))
    monkeypatch.setattr(conversation_facts._Changes, "_compare_rounds", with_letters)

    assert (golden_store().items, golden_store().shops) == (before.items, before.shops)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("dissatisfied_at_most", 1),
        ("dissatisfied_at_most", -1),
        ("on_time_within_ms", 1),
        ("on_time_within_ms", -1),
        ("slow_beyond_ms", 1),
        ("slow_beyond_ms", -1),
    ],
)
def test_another_default_of_the_policy_changes_the_histories(monkeypatch, name, by):
    before = golden_store()
    changed = DEFAULT_POLICY._replace(**{name: getattr(DEFAULT_POLICY, name) + by})
    monkeypatch.setattr(reading, "DEFAULT_POLICY", changed)
    monkeypatch.setattr(policy, "DEFAULT_POLICY", changed)

    assert golden_store().items != before.items


def test_every_kind_and_fact_of_this_version_a_duplicate_a_conflict_and_time_are_in_the_golden_log():
    entries = [
        entry
        for row in golden_store().rows.values()
        if row.row_kind == "archive"
        for entry in plain(row.body)["entries"]  # type: ignore[index]
    ]

    assert {entry["event"]["kind"] for entry in entries if "event" in entry} >= {*KINDS, "time_reached"}
    assert {entry.get("silent") for entry in entries} == {None, True}
    assert {entry.get("duplicate") for entry in entries} == {None, True}
    assert {entry.get("rejected") for entry in entries} == {None, "conflicting_content"}
