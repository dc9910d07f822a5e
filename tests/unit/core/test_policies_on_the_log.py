"""A policy on a shop's log: which one is taken, what it judges from then on, and whose calendar has run out."""

import json

import pytest

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import MAX_POLICIES, ShopItem
from service_quality.commit.state_items import decode_conversation, policy_key
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import ControlRecord, SettingsChanged
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.instants import MINUTE, parse_instant
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event


def settings(revision: str, **fields: object) -> SettingsChanged:
    document = {"revision": revision, "valid_from": "2020-01-01T00:00:00Z", **fields}
    return SettingsChanged(shop_id="shop", document=json.dumps(document).encode())


def advance(store: MemoryStore, *found: InteractionEvent | ControlRecord, arrived_at: int = NOON, first: int = 0):
    """The counts of folding records, each a new process; they arrive at one instant."""
    records = [
        LogRecord(str(Position(1, first + number)), record_json(one, issued_at=arrived_at), arrived_at)
        for number, one in enumerate(found)
    ]
    return OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key).advance_shop("shop", records)


def policies_of(store: MemoryStore) -> tuple[str, ...]:
    shop = store.read_shop("shop")
    return shop.policies if shop else ()


def test_policy_is_stored_whole_by_the_transaction_that_names_it():
    store, record = MemoryStore(), settings("a", zone="Asia/Shanghai")

    stats = advance(store, record)

    assert (stats.accepted, stats.transactions, policies_of(store)) == (1, 1, ("a",))
    assert store.items["shop", policy_key(1)] == record.document
    assert [entry["event"]["kind"] for entry in archived_entries(store.rows, "shop")] == ["settings_changed"]


def alerts_of(store: MemoryStore) -> list[tuple[str, str | None, str | None]]:
    """The subject's kind, the zone and the currency of every alert."""
    bodies = [json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    return [(body["subject"]["kind"], body["time_zone"], body["currency"]) for body in bodies]


def answered(**asked: object) -> list[InteractionEvent]:
    """A contact whose second question finds that the agent has answered: an alert about the agent."""
    return [
        event("customer_message", -3 * MINUTE, **asked),
        event("agent_message", -2 * MINUTE),
        event("customer_message", -MINUTE),
    ]


def test_alert_names_zone_and_currency_of_the_policy_that_judges_the_round():
    store = MemoryStore()

    advance(store, settings("a", zone="Asia/Shanghai", currency="CNY"), *answered())

    assert alerts_of(store) == [("agent", "Asia/Shanghai", "CNY")]


def test_alert_names_the_currency_of_its_conversation_before_that_of_the_policy():
    store = MemoryStore()

    advance(store, settings("a", currency="CNY"), *answered(amount_minor=5, currency="EUR"))

    assert alerts_of(store) == [("agent", "UTC", "EUR")]


def test_alert_of_a_round_without_a_policy_names_neither_zone_nor_currency():
    store, (asked, *later) = MemoryStore(), answered()

    advance(store, asked, settings("a", zone="Asia/Shanghai"), *later)

    assert alerts_of(store) == [("agent", None, None)]


def test_policy_that_comes_again_is_a_duplicate():
    store = MemoryStore()

    stats = advance(store, settings("a"), settings("a"))

    assert (stats.accepted, stats.duplicates, policies_of(store)) == (1, 1, ("a",))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (settings("c"), "other_revision"),
        (settings("c", follows="a"), "other_revision"),
        (settings("a", follows="b"), "known_revision"),
        (settings("c", follows="b", owner="nobody"), "wrong_policy"),
    ],
)
def test_policy_that_cannot_be_taken_is_rejected_and_the_present_one_stays(wrong, reason):
    store = MemoryStore()
    advance(store, settings("a"), settings("b", follows="a"))

    stats = advance(store, wrong, first=5)

    assert (stats.rejected, policies_of(store)) == ({reason: 1}, ("a", "b"))
    assert [stored.reason for stored in store.rejected.values()] == [reason]


def test_shop_has_a_bounded_number_of_policies():
    full = ShopItem(policies=tuple(f"r{number}" for number in range(MAX_POLICIES)))

    with pytest.raises(RejectedEventError) as rejected:
        full.with_policy(Policy(revision="more", valid_from=0, follows=full.policies[-1]))

    assert rejected.value.reason == "too_many_policies"


def test_reply_is_judged_by_the_policy_that_was_on_the_log_when_its_question_came():
    store = MemoryStore()
    advance(
        store,
        event("customer_message", 0),
        settings("a", on_time_within="PT10M"),
        event("agent_message", 5 * MINUTE),
        event("customer_message", 6 * MINUTE),
        event("agent_message", 11 * MINUTE),
        arrived_at=NOON + 11 * MINUTE,
    )

    conversation = decode_conversation(store.items["shop", "contact\x1fc1"], "shop").conversation
    policy = parse_policy(store.items["shop", policy_key(1)])
    first, second = read_conversation(in_order(conversation), (policy,)).rounds[0].replies
    assert [(reply.waited_ms, reply.on_time_within_ms) for reply in (first, second)] == [
        (5 * MINUTE, 3 * MINUTE),
        (5 * MINUTE, 10 * MINUTE),
    ]


@pytest.mark.parametrize(
    ("calendar", "day", "missing"),
    [
        ("CN", "2026-11-30T23:59:59Z", 0),
        ("CN", "2026-12-01T00:00:00Z", 1),
        ("CN", "2027-01-05T00:00:00Z", 1),
        (None, "2026-12-01T00:00:00Z", 0),
    ],
)
def test_shop_whose_calendar_has_run_out_is_counted_from_december_on(calendar, day, missing):
    store, now = MemoryStore(), parse_instant(day)
    keeps = {"holidays": calendar} if calendar else {}

    set_up = advance(store, settings("a", **keeps), arrived_at=now)
    later = advance(store, event("customer_message", now - NOON), arrived_at=now, first=9)

    assert [set_up.missing_calendars, later.missing_calendars] == [missing, missing]


def test_only_the_present_policys_calendar_counts():
    store, december = MemoryStore(), parse_instant("2026-12-01T00:00:00Z")

    stats = advance(store, settings("a", holidays="CN"), settings("b", follows="a"), arrived_at=december)

    assert stats.missing_calendars == 0
