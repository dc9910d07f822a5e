"""Rules on a shop's log: which are taken, where they are asked, and how the alerts of withdrawn ones end."""

import json
from operator import itemgetter

import pytest

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.own_rules import decode_rules
from service_quality.commit.rule_decisions import MOST_ENDED_AT_ONCE
from service_quality.commit.shop_item import RulesInForce, ShopItem, decode_shop, encode_shop
from service_quality.commit.state_items import decode_conversation, rules_key, stored_days
from service_quality.commit.timers import TIMER, read_timer
from service_quality.events.control_records import ControlRecord, SettingsChanged, control_to_dict
from service_quality.events.control_signatures import sign_control
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.instants import DAY, MINUTE
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import KEY, control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.rule_documents import RATED_BADLY, WAITS, rule, rules_set
from tests.unit.core.sample_events import NOON, event


def advance(store: MemoryStore, *found: InteractionEvent | ControlRecord, first: int = 0):
    """The counts of folding records, each a new process; they arrive at one instant."""
    records = [
        LogRecord(str(Position(1, first + number)), record_json(one, issued_at=NOON), NOON)
        for number, one in enumerate(found)
    ]
    return OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key).advance_shop("shop", records)


def in_force(store: MemoryStore) -> RulesInForce | None:
    shop = store.read_shop("shop")
    return shop.rules if shop else None


def messages(store: MemoryStore) -> list[tuple[str, str, str | None]]:
    """Rule, state and cause of each message, in order."""
    bodies = [json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    return [(body["kind"], body["state"], body["ended_by"]) for body in sorted(bodies, key=itemgetter("occurred_at"))]


def asked(minutes: int = -30, **values: str) -> list[InteractionEvent | ControlRecord]:
    """A customer who waits for so long, comes to the stage of the rule `waiting`, and is not answered."""
    asks = event("customer_message", minutes * MINUTE, **values)
    reached = TimeReached(
        shop_id=asks.shop_id,
        conversation_id=asks.conversation_id or "",
        round=1,
        turn=1,
        stage=f"waiting_ms:{3 * MINUTE}",
        due_at=asks.occurred_at + 3 * MINUTE,
    )
    return [asks, reached, event("internal_note", -20 * MINUTE, **values)]


def test_rules_are_stored_by_the_transaction_that_names_them():
    store, record = MemoryStore(), rules_set(WAITS)

    stats = advance(store, record)

    assert (stats.accepted, stats.transactions) == (1, 1)
    assert in_force(store) == RulesInForce("a", str(Position(1, 0)), 1)
    own = decode_rules(store.items["shop", rules_key(1)], SMALL)
    assert (own.document.encode(), [one.name for one in own.rules], own.withdrawn) == (record.document, ["waits"], ())
    (entry,) = archived_entries(store.rows, "shop")
    assert (entry["event"]["kind"], entry["event"]["section"]) == ("settings_changed", "rules")


def test_own_rules_alone_are_asked_from_their_position_on():
    store = MemoryStore()

    advance(store, *asked(), rules_set(WAITS), event("internal_note", -10 * MINUTE))

    assert [kind for kind, *_ in messages(store)] == ["waiting", "waiting", "waits"]
    assert messages(store)[0] == ("waiting", "opened", None)


#: Waits for a stage.
LATE = rule(
    tiers={"warning": {"at_least": {"value": "waiting_ms", "limit": "PT30M"}}},
    examples=[
        {"values": {"waiting_ms": "PT30M"}, "expect": "warning"},
        {"values": {"waiting_ms": "PT1M"}, "expect": "none"},
    ],
)


def timers(store: MemoryStore) -> list[str | None]:
    """The stage of each timer, by conversation; None for one that rings no more."""
    rows = sorted((row for row in store.rows.values() if row.row_kind == TIMER), key=lambda row: row.stream_key)
    found = [read_timer("shop", row.body) for row in rows]
    return [None if timer is None else timer.deadline.stage for timer in found]


def test_turn_that_waits_when_rules_are_set_has_their_timer_with_its_next_event():
    store = MemoryStore()
    question = event("customer_message", -2 * MINUTE)

    advance(store, question)
    before = timers(store)
    advance(store, rules_set(LATE), first=1)
    kept = timers(store)
    advance(store, event("internal_note", -MINUTE), first=2)

    assert before == kept == [f"waiting_ms:{3 * MINUTE}"]
    assert timers(store) == [f"waiting_ms:{30 * MINUTE}"]


def test_turn_without_a_timer_when_rules_are_set_is_looked_at_with_its_next_event():
    store = MemoryStore()

    advance(store, rules_set(), event("customer_message", -2 * MINUTE))
    advance(store, rules_set(LATE, revision="b", follows="a"), first=2)
    before = timers(store)
    advance(store, event("internal_note", -MINUTE), first=3)

    assert (before, timers(store)) == ([], [f"waiting_ms:{30 * MINUTE}"])


def test_alert_has_the_texts_of_its_rule():
    store = MemoryStore()

    advance(store, rules_set(WAITS), *asked())

    (body,) = (json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert")
    assert (body["title"], body["advice"]) == ({"en": "Waits", "zh": "等待"}, {"en": "Answer", "zh": "回复"})


def test_other_shops_keep_the_rules_of_the_release():
    store = MemoryStore()
    advance(store, rules_set())
    records = [
        LogRecord(str(Position(1, n)), record_json(one, issued_at=NOON), NOON)
        for n, one in enumerate(asked(shop_id="other"))
    ]

    other = [record._replace(data=record.data.replace(b'"shop_id":"shop"', b'"shop_id":"other"')) for record in records]
    OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key).advance_shop("other", other)
    advance(store, *asked(), first=5)

    assert {row.shop_id for row in store.rows.values() if row.row_kind == "alert"} == {"other"}


def test_rules_that_come_again_are_a_duplicate():
    store = MemoryStore()

    stats = advance(store, rules_set(WAITS), rules_set(WAITS))

    assert (stats.accepted, stats.duplicates, in_force(store)) == (1, 1, RulesInForce("a", str(Position(1, 0)), 1))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (rules_set(WAITS, revision="c"), "other_revision"),
        (rules_set(WAITS, revision="c", follows="a"), "other_revision"),
        (rules_set(rule(version=0), revision="c", follows="b"), "wrong_rules"),
        (rules_set(WAITS, WAITS, revision="c", follows="b"), "wrong_rules"),
        (SettingsChanged(shop_id="shop", document=b"{}", section="colours"), "unknown_section"),
    ],
)
def test_rules_that_cannot_be_taken_are_rejected_and_the_present_ones_stay(wrong, reason):
    store = MemoryStore()
    advance(store, rules_set(WAITS), rules_set(revision="b", follows="a"))
    before = in_force(store)

    stats = advance(store, wrong, *asked(), first=5)

    assert (stats.rejected, in_force(store)) == ({reason: 1}, before)
    assert [stored.reason for stored in store.rejected.values()] == [reason]
    assert messages(store) == []


def test_alert_of_a_withdrawn_rule_ends_at_the_next_event_of_its_subject_and_says_why():
    store = MemoryStore()
    advance(store, rules_set(WAITS), *asked())
    withdrawn = rules_set(revision="b", follows="a")

    advance(store, withdrawn, event("internal_note", -10 * MINUTE, conversation_id="c2"), first=5)
    untouched = messages(store)
    advance(store, event("internal_note", -9 * MINUTE), event("internal_note", -8 * MINUTE), first=9)

    assert untouched == [("waits", "opened", None)]
    assert messages(store) == [("waits", "opened", None), ("waits", "resolved", "rule_withdrawn")]
    (ended,) = (json.loads(row.body) for row in store.rows.values() if row.row_kind == "state")
    *_, last = (json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert")
    assert (ended["state"], ended["title"]["zh"], ended["ended_by"]) == ("resolved", "等待", "rule_withdrawn")
    assert last["advice"]["zh"] == "回复"
    assert ended["evidence"]["waiting_ms"] == 21 * MINUTE


def test_forgotten_conversation_has_no_alert_of_a_withdrawn_rule():
    store, later = MemoryStore(), event("customer_message", 40 * DAY)
    advance(store, rules_set(WAITS), *asked(), rules_set(revision="b", follows="a"))

    records = [LogRecord(str(Position(1, 5)), record_json(later, issued_at=NOON), later.received_at)]
    stats = OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key).advance_shop("shop", records)

    assert (stats.accepted, [*stats.failures]) == (1, [])
    assert messages(store) == [("waits", "opened", None)]


def test_alert_about_an_agent_ends_with_its_rule_too():
    store = MemoryStore()
    advance(store, rules_set(RATED_BADLY), event("customer_message", -5 * MINUTE), event("agent_message", -4 * MINUTE))

    advance(store, rules_set(revision="b", follows="a"), event("customer_message", -MINUTE), first=5)

    assert messages(store) == [("rated_badly", "opened", None), ("rated_badly", "resolved", "rule_withdrawn")]


def test_alert_of_a_shipped_rule_ends_when_the_shop_has_rules_of_its_own_without_it():
    store = MemoryStore()
    advance(store, *asked())

    advance(store, rules_set(), event("internal_note", -10 * MINUTE), first=5)

    assert messages(store) == [("waiting", "opened", None), ("waiting", "resolved", "rule_withdrawn")]


def test_rule_that_stays_under_its_name_keeps_its_alert():
    store = MemoryStore()
    changed = rule(version=2, tiers={"critical": {"at_least": {"value": "conversation_age_ms", "limit": "PT2M"}}})
    changed["examples"] = [
        {"values": {"conversation_age_ms": "PT2M"}, "expect": "critical"},
        {"values": {"conversation_age_ms": "PT1M"}, "expect": "none"},
    ]

    advance(store, rules_set(WAITS), *asked())
    advance(store, rules_set(changed, revision="b", follows="a"), event("internal_note", -10 * MINUTE), first=5)

    assert messages(store) == [("waits", "opened", None), ("waits", "worsened", None)]


def test_rule_of_another_subject_under_the_same_name_is_another_rule():
    store = MemoryStore()
    advance(store, rules_set(WAITS), *asked())
    other = rule(RATED_BADLY, name="waits")

    advance(store, rules_set(other, revision="b", follows="a"), event("internal_note", -10 * MINUTE), first=5)

    assert messages(store)[1:] == [("waits", "resolved", "rule_withdrawn")]


def test_rule_that_was_withdrawn_two_revisions_ago_still_ends_its_alert():
    store = MemoryStore()
    advance(store, rules_set(WAITS), *asked())

    advance(store, rules_set(revision="b", follows="a"), rules_set(RATED_BADLY, revision="c", follows="b"), first=5)
    advance(store, event("internal_note", -10 * MINUTE), first=9)

    assert messages(store)[1] == ("waits", "resolved", "rule_withdrawn")


def test_rule_that_comes_back_opens_its_alert_anew_after_the_cooldown():
    store = MemoryStore()
    advance(store, rules_set(WAITS), *asked(-300))
    advance(store, rules_set(revision="b", follows="a"), event("internal_note", -19 * MINUTE), first=5)

    again = rules_set(rule(cooldown="PT1S"), revision="c", follows="b")
    advance(store, again, event("internal_note", -10 * MINUTE), event("internal_note", -9 * MINUTE), first=9)

    ids = [row.sequence for row in store.rows.values() if row.row_kind == "alert"]
    assert [state for _, state, _ in messages(store)] == ["opened", "resolved", "opened", "repeated"]
    assert len({*ids}) == len(ids)


def test_one_event_ends_so_many_alerts_and_the_next_one_the_others():
    store = MemoryStore()
    many = [rule(name=f"waits_{number}") for number in range(MOST_ENDED_AT_ONCE + 2)]
    advance(store, rules_set(*many), *asked())

    advance(store, rules_set(revision="b", follows="a"), event("internal_note", -10 * MINUTE), first=5)
    ended = [state for _, state, _ in messages(store)].count("resolved")
    advance(store, event("internal_note", -9 * MINUTE), event("internal_note", -8 * MINUTE), first=9)

    assert ended == MOST_ENDED_AT_ONCE
    assert [state for _, state, _ in messages(store)].count("resolved") == len(many)


def test_which_alerts_one_event_ends_does_not_depend_on_what_a_cache_holds():
    names = [f"waits_{number}" for number in reversed(range(MOST_ENDED_AT_ONCE + 1))]
    opening = [rules_set(*[rule(name=name) for name in names]), *asked()]
    ending: list[InteractionEvent | ControlRecord] = [
        rules_set(revision="b", follows="a"),
        event("internal_note", -10 * MINUTE),
    ]
    stores = MemoryStore(), MemoryStore()

    advance(stores[0], *opening, *ending)
    advance(stores[1], *opening)
    advance(stores[1], *ending, first=len(opening) + 1)

    assert messages(stores[0]) == messages(stores[1])


def test_shop_without_rules_of_its_own_withdraws_none_when_a_release_does():
    store = MemoryStore()
    advance(store, *asked())
    records = [LogRecord(str(Position(1, 9)), record_json(event("internal_note", -MINUTE), issued_at=NOON), NOON)]

    OnlineCommit(store, FixedScorer, SMALL, (), control_key).advance_shop("shop", records)

    assert messages(store) == [("waiting", "opened", None)]


def test_record_of_a_policy_is_what_it_was_before_there_were_sections():
    record = SettingsChanged(shop_id="shop", document=b"{}")

    assert control_to_dict(record) == {"version": 1, "kind": "settings_changed", "shop_id": "shop", "document": "e30="}
    assert sign_control(record, KEY, issued_at=0) == (
        b'{"version":1,"kind":"settings_changed","shop_id":"shop","document":"e30=",'
        b'"issued_at":"1970-01-01T00:00:00.000Z",'
        b'"signature":"%s"}' % SIGNATURE
    )


#: Made by the release before.
SIGNATURE = b"58f3043e12188a3ff384f2531fe9e8b8bf5385e921ba125996952f2e76f3be92"


def test_item_of_a_shop_without_rules_of_its_own_is_what_it_was():
    plain, own = ShopItem(version=3, policies=("p",)), RulesInForce("a", "pos", 2)

    with_rules = plain._replace(rules=own)

    assert json.loads(encode_shop(with_rules)) == [*json.loads(encode_shop(plain)), ["a", "pos", 2]]
    assert (decode_shop(encode_shop(plain)), decode_shop(encode_shop(with_rules))) == (plain, with_rules)


def test_no_time_deletes_rules():
    assert stored_days(rules_key(1)) is None


def test_state_of_a_withdrawn_alert_stays_closed_in_its_item():
    store = MemoryStore()
    advance(store, rules_set(WAITS), *asked(), rules_set(revision="b", follows="a"))
    advance(store, event("internal_note", -10 * MINUTE), first=9)

    states = decode_conversation(store.items["shop", "contact\x1fc1"], "shop").alert_states

    assert {name: state.open for name, state in states.items()} == {"waits": False}


def test_withdrawal_is_looked_for_only_in_items_that_every_such_event_reads():
    """An agent's item that a cache holds beside an unscored event decides nothing."""
    store = MemoryStore()
    agent = [event("customer_message", -5 * MINUTE), event("agent_message", -4 * MINUTE)]
    worker = OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key)
    withdrawn = rules_set(revision="b", follows="a")
    found: list[InteractionEvent | ControlRecord] = [rules_set(RATED_BADLY), *agent, withdrawn]
    found.append(event("rated", -MINUTE, rating=2))

    for number, one in enumerate(found):
        worker.advance_shop("shop", [LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), NOON)])

    assert messages(store) == [("rated_badly", "opened", None)]
