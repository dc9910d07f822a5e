"""The rows that a commit writes of an alert: true after every event, known by one public id, and few."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import alert_fields, decode_alert, encode_alert
from service_quality.alerts.alert_state import IdSalt
from service_quality.alerts.conditions import AtLeast, Below
from service_quality.alerts.publications import as_published
from service_quality.alerts.rule_forms import MOST_RULES
from service_quality.alerts.rules import Rule
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import STATE, AlertRow, alert_stream_key, read_alert
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.transactions import MAX_ITEMS
from service_quality.errors import DeclarationError, DeploymentError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SERVICE
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE
from tests.properties.feature_sets import SMALL
from tests.stand_ins.alert_rows import BODY
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event

#: Calls while a customer waits; graver from an hour on.
WAITS = Rule(
    name="waits",
    version=1,
    subject="conversation",
    kinds=SERVICE,
    tiers=(("critical", AtLeast("conversation_age_ms", HOUR)), ("warning", AtLeast("waiting", 1))),
    resolved_when=Below("waiting", 1),
    cooldown_ms=2 * HOUR,
    audiences=(("info", "team"), ("warning", "team"), ("critical", "team")),
)
ASKED, ANSWERED, NOTED = "customer_message", "agent_message", "internal_note"


def salt() -> bytes:
    return b"salt"


def fold(*events: InteractionEvent, rules: tuple[Rule, ...] = (WAITS,), id_salt: IdSalt = salt) -> MemoryStore:
    """A store after one transaction an event."""
    store = MemoryStore()
    for number, one in enumerate(events):
        record = LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), one.received_at)
        OnlineCommit(store, FixedScorer, SMALL, rules, id_salt=id_salt).advance_shop("shop", [record])
    return store


def rows_of(store: MemoryStore, kind: str) -> list[OutboxRow]:
    return [row for row in store.rows.values() if row.row_kind == kind]


def stated(store: MemoryStore) -> list[tuple[bool | None, str, str, int, int]]:
    """Of every state row, in order of the alerts' beginning: open, state, severity, repeats, and since when."""
    rows = [(row.open, decode_alert(row.body)) for row in rows_of(store, STATE)]
    return [(is_open, one.state, one.severity, one.repeats, (one.opened_at or 0) - NOON) for is_open, one in rows]


def at(kind: str, minute: int) -> InteractionEvent:
    return event(kind, minute * MINUTE)


def test_row_follows_an_open_alert_through_counting_saying_again_and_its_end():
    events = [at(ASKED, 0), at(NOTED, 5), at(NOTED, 61), at(NOTED, 62), at(NOTED, 190), at(ANSWERED, 191)]

    lives = [stated(fold(*events[:length])) for length in range(1, 7)]

    assert lives == [
        [(True, "opened", "warning", 0, 0)],
        [(True, "repeated", "warning", 1, 0)],
        [(True, "worsened", "critical", 0, 0)],
        [(True, "repeated", "critical", 1, 0)],
        [(True, "repeated", "critical", 0, 0)],
        [(False, "resolved", "critical", 0, 0)],
    ]


def test_row_of_a_silent_alert_is_open_and_listed_and_closes_without_a_message():
    asked_again = [at(ASKED, 0), at(ANSWERED, 1), at(ASKED, 2)]

    held, over = fold(*asked_again), fold(*asked_again, at(ANSWERED, 3))

    assert stated(held)[1] == (True, "silent", "warning", 1, 2 * MINUTE)
    assert stated(over)[1] == (False, "silent", "warning", 1, 2 * MINUTE)
    assert len(rows_of(held, "alert")) == len(rows_of(over, "alert")) == 2


def test_silent_row_names_no_message_and_the_told_one_the_last():
    store = fold(at(ASKED, 0), at(ANSWERED, 1), at(ASKED, 2))
    told, silent = (decode_alert(row.body) for row in rows_of(store, STATE))

    assert (silent.message_id, silent.sequence) == (None, None)
    assert told.message_id == decode_alert(rows_of(store, "alert")[-1].body).message_id


def test_message_and_row_have_one_public_id_by_which_their_key_is_made():
    store = fold(at(ASKED, 0), at(NOTED, 5), at(ANSWERED, 6))

    ids = {decode_alert(row.body).alert_id for row in store.rows.values() if row.row_kind in ("alert", STATE)}

    (alert_id,) = ids
    assert {row.stream_key for row in store.rows.values() if row.row_kind == STATE} == {
        alert_stream_key("shop", alert_id)
    }


def test_public_id_is_another_for_each_opening_also_at_one_instant_and_the_same_for_each_attempt():
    flapping = [at(ASKED, 0), at(ANSWERED, 0), replace(at(ASKED, 0), event_id="again")]
    flapping = [replace(one, sequence=number) for number, one in enumerate(flapping)]
    resolving = replace(WAITS, cooldown_ms=0)

    ids = [[row.stream_key for row in rows_of(fold(*flapping, rules=(resolving,)), "alert")] for _ in range(2)]

    assert ids[0] == ids[1]
    assert len(ids[0]) == 3
    assert len(set(ids[0])) == 2


def test_public_id_is_another_under_another_salt_and_published_as_it_is():
    stored = [read_alert(read(row)) for row in rows_of(fold(at(ASKED, 0)), "alert")]
    others = [decode_alert(row.body) for row in rows_of(fold(at(ASKED, 0), id_salt=lambda: b"other"), "alert")]

    shown = [as_published(stored[0], ShopSettings(ids=ids), b"salt") for ids in ("hashed", "plain")]

    assert stored[0].alert_id != others[0].alert_id
    assert {one.alert_id for one in shown} == {stored[0].alert_id}
    assert [one.subject.id == "c1" for one in shown] == [False, True]


def read(row: OutboxRow) -> AlertRow:
    return AlertRow(row.stream_key, row.sequence, row.shop_id, row.body)


def test_missing_salt_stops_the_batch_and_loses_no_alert():
    def missing() -> bytes:
        raise DeploymentError("found nothing in secret arn, expected its bytes")

    with pytest.raises(DeploymentError):
        fold(at(ASKED, 0), id_salt=missing)
    assert len(rows_of(fold(at(ASKED, 0)), "alert")) == 1


def test_salt_is_read_for_an_alert_that_begins_alone():
    read_for: list[int] = []

    def counted() -> bytes:
        read_for.append(1)
        return b"salt"

    fold(at(ANSWERED, 0), at(ASKED, 1), at(NOTED, 5), at(NOTED, 70), at(ANSWERED, 71), id_salt=counted)

    assert len(read_for) == 1


def test_audience_of_the_rule_is_that_of_the_alert():
    (message,) = rows_of(fold(at(ASKED, 0)), "alert")

    assert decode_alert(message.body).audiences == ("team",)
    assert {rule.name: rule.audiences_up_to("critical") for rule in shipped_rules()} == {
        "waiting_too_long": ("operations",), "answer_due": ("operations", "team"), "high_risk": ("operations",),
        "agent_risk_above_team": ("coaching",), "complaints_above_past": ("operations",),
        "customer_leaving": ("marketing",),
    }  # fmt: skip


def test_graver_alert_calls_others_too_and_all_of_them_hear_of_its_end():
    by_severity = (("info", "operations"), ("warning", "team"), ("critical", "buying"))
    tiers = (("warning", AtLeast("customer_messages", 2)), ("info", AtLeast("waiting", 1)))
    rule = replace(WAITS, tiers=tiers, audiences=by_severity)
    rows = rows_of(fold(at(ASKED, 0), at(ASKED, 5), at(ANSWERED, 9), rules=(rule,)), "alert")

    called = [(one.state, one.severity, one.audiences) for one in (decode_alert(row.body) for row in rows)]

    assert called == [
        ("opened", "info", ("operations",)), ("worsened", "warning", ("operations", "team")),
        ("resolved", "warning", ("operations", "team")),
    ]  # fmt: skip


def test_who_was_called_by_the_gravest_message_hears_of_a_later_end():
    rule = replace(
        WAITS,
        tiers=(("critical", Below("conversation_age_ms", 5 * MINUTE)), ("info", AtLeast("waiting", 1))),
        audiences=(("info", "operations"), ("critical", "team")),
        cooldown_ms=0,
    )
    rows = rows_of(fold(at(ASKED, 0), at(NOTED, 6), at(ANSWERED, 9), rules=(rule,)), "alert")

    said = [(one.severity, one.audiences) for one in (decode_alert(row.body) for row in rows)]

    both = ("operations", "team")
    assert said == [("critical", both), ("info", both), ("info", both)]


def test_unknown_audience_is_refused_where_it_is_declared():
    with pytest.raises(DeclarationError, match="found audience 'everybody', expected one of operations, team"):
        replace(WAITS, audiences=(("info", "everybody"),))


def test_row_of_a_scored_alert_is_below_a_write_unit_and_without_reasons():
    asked = [replace(event(ASKED, 0), conversation_id="c" * 64, event_id="e" * 64, currency="CNY")]
    store = MemoryStore()
    high = tuple(
        replace(rule, tiers=(("warning", AtLeast("score", 0.0)),))
        for rule in shipped_rules()
        if rule.name == "high_risk"
    )
    record = LogRecord(str(Position(1, 0)), record_json(asked[0], issued_at=NOON), NOON)
    OnlineCommit(store, FixedScorer, FEATURES, high, id_salt=salt).advance_shop("shop", [record])

    (row,), (message,) = rows_of(store, STATE), rows_of(store, "alert")

    assert decode_alert(message.body).reasons
    assert decode_alert(row.body).reasons == ()
    assert len(row.body) + len(row.stream_key) + 120 < 1024  # with the names of its attributes


def test_round_that_ends_an_alert_fits_where_no_more_rows_do():
    """Each conversation's next round ends an alert and opens another: four rows an event, whatever the packing."""
    names = [f"c{number}" for number in range(60)]
    rules = tuple(replace(WAITS, name=f"waits{number}") for number in range(4))
    log = [
        replace(event(ASKED, day * DAY), conversation_id=name, event_id=f"{name}-{day}")
        for day in (0, 8)
        for name in names
    ]
    records = [
        LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), one.received_at)
        for number, one in enumerate(log)
    ]
    store = MemoryStore()

    stats = OnlineCommit(store, FixedScorer, SMALL, rules, id_salt=salt).advance_shop("shop", records)

    assert stats.alerts == len(rules) * len(names) * 3
    assert max(1 + len(one.items) + len(one.rows) for one in store.commits) <= MAX_ITEMS + 1


def test_event_that_ends_and_opens_alerts_of_as_many_rules_as_a_shop_may_have_fits_into_a_transaction():
    rules = tuple(replace(WAITS, name=f"waits{number}") for number in range(MOST_RULES))
    asked = replace(
        event(ASKED, 0), agent_id="a", supervisor_id="s", customer_id="z", category="Returns", sku="p", currency="CNY"
    )
    again = asked.received_at + 8 * DAY
    log = [asked, replace(asked, event_id="again", occurred_at=again, received_at=again)]
    store = MemoryStore()
    records = [
        LogRecord(str(Position(1, number)), record_json(one, issued_at=NOON), one.received_at)
        for number, one in enumerate(log)
    ]

    stats = OnlineCommit(store, FixedScorer, FEATURES, rules, id_salt=salt).advance_shop("shop", records)

    assert (stats.accepted, stats.rejected, stats.alerts) == (2, {}, 3 * MOST_RULES)


@given(
    number=st.sampled_from(["", "00001692864000-0002"]),
    repeats=st.integers(0, 1000),
    score=st.one_of(st.none(), st.floats(0, 1)),
    instant=st.one_of(st.none(), st.integers(0, 2**42)),
)
def test_alert_is_what_its_json_is_read_as(number, repeats, score, instant):
    alert = replace(
        decode_alert(json.dumps(BODY).encode()), number=number, repeats=repeats, score=score, opened_at=instant
    )

    assert decode_alert(encode_alert(alert)) == alert
    assert isinstance(alert, Alert)
    assert list(alert_fields(alert)) == list(json.loads(encode_alert(alert)))
