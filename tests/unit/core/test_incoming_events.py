"""Events as sources really send them, from the log into state: none is lost for a value that is not needed."""

import json
from typing import Any

import pytest

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import HOUR, MINUTE, format_instant
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.ringing import pending
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON

Sent = tuple[int, dict[str, object]]


def sent(at: int, kind: str, *, conversation_id: str = "c1", ahead: int = 0, **fields: object) -> Sent:
    """An event that arrives so many milliseconds after noon, as its source wrote it."""
    known = {"event_id": f"{conversation_id}-{kind}-{at}", "shop_id": "shop", "kind": kind}
    return at, {
        **known,
        "conversation_id": conversation_id,
        "occurred_at": format_instant(NOON + at + ahead),
        **fields,
    }


def take(store: MemoryStore, *events: Sent) -> CommitStats:
    """Commit the events in the order of their arrival."""
    records = [
        LogRecord(str(Position(1, index)), json.dumps(raw).encode(), NOON + at)
        for index, (at, raw) in enumerate(sorted(events, key=lambda one: one[0]))
    ]
    return worker(store).advance_shop("shop", records)


def worker(store: MemoryStore) -> OnlineCommit:
    return OnlineCommit(store, FixedScorer, FEATURES, shipped_rules(), control_key)


def alerts(store: MemoryStore) -> list[str]:
    """The rules of the alerts that leave."""
    return [json.loads(row.body)["kind"] for row in store.rows.values() if row.row_kind == "alert"]


@pytest.mark.parametrize(
    "message",
    [
        sent(0, "customer_message", text="please read this. " * 500),
        sent(0, "customer_message", ahead=6 * MINUTE),
        sent(0, "customer_message", ahead=3 * HOUR),
        sent(0, "customer_message", category="Returns\u00a0and refunds", agent_id="x" * 300, amount_minor=-1),
        sent(0, "customer_message", text="\ud83d", rating="Good", precision="hour", received_at="soon"),
    ],
    ids=["long mail", "six minutes ahead", "three hours ahead", "odd fields", "more odd fields"],
)
def test_customer_who_waits_is_seen_whatever_else_the_message_says(message):
    store = MemoryStore()

    stats = take(store, message)

    [timer] = pending(store)
    reached = record_json(timer.reached, issued_at=timer.rings_at)
    worker(store).advance_shop("shop", [LogRecord(str(Position(1, 9)), reached, timer.rings_at)])
    assert (stats.accepted, stats.rejected) == (1, {})
    assert timer.deadline.due_at == NOON + 30 * MINUTE
    assert "waiting_too_long" in alerts(store)


def test_agent_under_three_spellings_is_one_agent():
    store, spellings = MemoryStore(), ("cy", "cy ", "Cy", "\u00a0CY")
    events = [
        event
        for number, name in enumerate(spellings)
        for event in (
            sent(number * MINUTE, "customer_message", conversation_id=f"c{number}"),
            sent(number * MINUTE + 1, "agent_message", conversation_id=f"c{number}", agent_id=name),
            sent(number * MINUTE + 2, "rated", conversation_id=f"c{number}", rating=1),
        )
    ]

    take(store, *events)

    assert [key for _, key in store.items if key.startswith("agent\x1f")] == ["agent\x1fcy"]


def test_odd_values_are_counted_by_field_where_the_event_is_accepted():
    store, message = MemoryStore(), sent(0, "customer_message", sku=7, agent_id="a\x00", ahead=6 * MINUTE)
    twice, refused = (0, message[1]), sent(1, "customer_message", sku=7, occurred_at="soon")

    stats = take(store, message, twice, refused, sent(2, "customer_message", sku=True))

    assert (stats.accepted, stats.duplicates, sum(stats.rejected.values())) == (2, 1, 1)
    assert stats.odd == {"occurred_at": 1, "sku": 2, "agent_id": 1}


def test_what_the_archive_holds_was_derived_and_not_claimed():
    store = MemoryStore()
    claims: dict[str, Any] = {"courtesy": 1, "stated_at": "2020-01-01T00:00:00Z", "rating_given": "5"}

    take(
        store,
        sent(0, "customer_message", text="Where is it?", **claims),
        sent(1, "customer_message", text="Thank you!", **claims),
        sent(2, "rated", rating="满意", **claims),
        sent(3, "agent_message", ahead=MINUTE, **claims),
    )

    derived = [
        {name: value for name, value in entry["event"].items() if name in claims}
        for entry in archived_entries(store.rows, "shop")
    ]
    stated_at = format_instant(NOON + 3 + MINUTE)
    assert derived == [{}, {"courtesy": 1}, {"rating_given": "满意"}, {"stated_at": stated_at}]


def test_shops_clock_never_runs_ahead_of_arrival():
    store = MemoryStore()

    take(store, sent(0, "customer_message", ahead=3 * HOUR), sent(MINUTE, "internal_note"))

    assert [entry["clock"] for entry in archived_entries(store.rows, "shop")] == [NOON, NOON + MINUTE]
