"""Figures that wait for a calendar: which replies are marked, what counts them, and which alerts say so."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from service_quality.alerts.conditions import AtLeast, Below
from service_quality.alerts.provisional import is_judged, provisional_counts, provisional_figures, provisional_waits
from service_quality.alerts.rules import Rule
from service_quality.commit.online_commit import OnlineCommit
from service_quality.conversations.conversation import Conversation
from service_quality.conversations.description import describe_conversation
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.events.control_records import SettingsChanged
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import FACTS, total_facts
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import Rate, Total
from service_quality.features.feature_set import BESIDE_THE_MODEL, FEATURES
from service_quality.instants import HOUR, MINUTE, parse_instant
from service_quality.policies.policy import BUSINESS, CALENDAR, Policy, Target
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import conversation, event

OFFICE = Policy(
    "office",
    valid_from=0,
    zone="Asia/Shanghai",
    opening=(((540, 1080),),) * 7,
    holidays="CN",
    targets=(
        Target(HOUR, HOUR, CALENDAR, when=(("channel", ("phone",)),)),
        Target(HOUR, HOUR, BUSINESS),
    ),
)


def at(instant: str, kind: str, **fields: object) -> InteractionEvent:
    """An event at an instant of a shop that has the policy."""
    occurred_at = parse_instant(instant)
    given = event(kind, 0, event_id=f"{kind} {instant}", **fields)
    return replace(given, occurred_at=occurred_at, received_at=occurred_at)


def judged(*events: InteractionEvent) -> Conversation:
    held = conversation(*events)
    return replace(held, events=tuple(replace(one, policies_known=1) for one in held.events))


def marks(*events: InteractionEvent, policy: Policy = OFFICE) -> list[bool]:
    state = read_conversation(in_order(judged(*events)), (policy,))
    return [reply.provisional for one in state.rounds for reply in one.replies]


def only_round(held: Conversation, *, until: int | None = None) -> dict[str, Any]:
    rounds = describe_conversation(held, (OFFICE,), until=until)["rounds"]
    assert isinstance(rounds, list)
    (only,) = rounds
    return dict(only)


def counted(*events: InteractionEvent, entity: str) -> dict[tuple[str, str], int]:
    """The sums of the counts of timed and provisional replies by key of the entity."""
    held = judged(*events)
    totals = total_facts(held, read_conversation(in_order(held), (OFFICE,)), dict.fromkeys(FACTS, (ENTITIES[entity],)))
    sums: Counter[tuple[str, str]] = Counter()
    for (key, _, name), value in totals.items():
        if name in ("timed_replies", "provisional_replies"):
            sums[key.partition("\x1f")[2], name] += value
    return dict(sums)


@pytest.mark.parametrize(
    ("asked", "answered", "is_marked"),
    [
        ("2026-12-31T15:00+08:00", "2027-01-02T10:00+08:00", True),
        ("2026-12-31T15:00+08:00", "2026-12-31T23:59+08:00", False),
        ("2026-12-31T15:00Z", "2026-12-31T16:00Z", True),  # midnight in the shop's zone
        ("2026-09-30T17:00+08:00", "2026-10-06T10:00+08:00", False),
        ("2027-03-01T10:00+08:00", "2027-03-01T10:05+08:00", True),
        ("2031-03-03T10:00+08:00", "2031-03-03T10:05+08:00", True),
        ("2018-12-31T23:00+08:00", "2019-01-02T10:00+08:00", True),
        ("2018-06-01T10:00+08:00", "2018-06-01T10:05+08:00", True),
    ],
)
def test_reply_in_business_time_is_marked_where_it_meets_a_year_without_a_decree(asked, answered, is_marked):
    assert marks(at(asked, "customer_message"), at(answered, "agent_message")) == [is_marked]


@pytest.mark.parametrize("of_shop", [{"targets": ()}, {"holidays": None}])
def test_reply_in_calendar_time_or_of_a_shop_without_a_calendar_is_never_marked(of_shop):
    contact = (at("2026-12-31T15:00+08:00", "customer_message"), at("2027-01-02T10:00+08:00", "agent_message"))

    assert marks(*contact, policy=OFFICE._replace(**of_shop)) == [False]
    assert marks(replace(contact[0], channel="phone"), contact[1]) == [False]
    assert marks(replace(contact[0], channel="chat"), contact[1]) == [True]


def test_reply_whose_wait_is_known_to_the_day_only_is_not_marked():
    asked = at("2026-12-31T15:00+08:00", "customer_message", precision="day")

    assert marks(asked, at("2027-01-02T10:00+08:00", "agent_message")) == [False]


def test_each_share_of_a_provisional_reply_counts_once_for_its_agent_and_the_reply_once_for_the_shop():
    contact = (
        at("2026-12-31T10:00+08:00", "conversation_opened", agent_id="ann", text="Where is it?"),
        at("2026-12-31T15:00+08:00", "assigned", agent_id="bob"),
        at("2027-01-02T10:00+08:00", "agent_message", agent_id="bob"),
        at("2027-01-02T11:00+08:00", "customer_message"),
        at("2027-01-02T11:01+08:00", "agent_message", agent_id="bob"),
    )

    names = ("timed_replies", "provisional_replies")
    assert counted(*contact, entity="shop") == {("", name): 2 for name in names}
    assert counted(*contact, entity="agent") == {
        (who, name): n for who, n in (("ann", 1), ("bob", 2)) for name in names
    }


def test_settled_reply_has_no_fact():
    contact = (at("2026-03-02T10:00+08:00", "customer_message"), at("2026-03-02T10:05+08:00", "agent_message"))

    assert counted(*contact, entity="agent") == {("ann", "timed_replies"): 1}


@pytest.mark.parametrize(("until", "is_marked"), [("2026-12-31T23:00+08:00", False), ("2027-01-01T00:00+08:00", True)])
def test_running_wait_is_marked_from_the_new_year_on(until, is_marked):
    asked = judged(at("2026-12-31T15:00+08:00", "customer_message"))

    assert only_round(asked, until=parse_instant(until))["wait_is_provisional"] is is_marked


@pytest.mark.parametrize(("closed", "is_marked"), [("2026-12-31T23:00+08:00", False), ("2027-01-01T00:00+08:00", True)])
def test_wait_that_nobody_answered_is_marked_by_its_end(closed, is_marked):
    contact = judged(at("2026-12-31T15:00+08:00", "customer_message"), at(closed, "resolved"))

    only = only_round(contact)
    assert [turn["provisional"] for turn in only["unanswered"]] == [is_marked]
    assert only["wait_is_provisional"] is False


def test_every_judged_feature_in_service_has_its_count_in_service_beside_the_model():
    judged_features = [feature for feature in FEATURES.features if is_judged(feature)]
    counts = {count for feature in judged_features for count in provisional_counts(feature)}

    assert {"shop_slow_rate_7d", "agent_slow_rate_7d"} <= {feature.name for feature in judged_features}
    assert counts <= set(FEATURES.names) & BESIDE_THE_MODEL


@pytest.mark.parametrize(
    ("named", "shop", "agent", "expected"),
    [
        ("agent_slow_rate_7d", 1.0, 0.0, True),  # its parent is the shop's
        ("shop_slow_rate_7d", 0.0, 1.0, False),
        ("shop_slow_rate_7d", 1.0, 0.0, True),
        ("agent_slow_rate_7d", 0.0, 0.0, False),
        ("agent_slow_rate_7d", None, None, False),
        ("agent_dissatisfied_rate_30d", 1.0, 1.0, False),
        ("waiting_ms", 1.0, 1.0, False),
        ("of another release", 1.0, 1.0, False),
    ],
)
def test_named_figure_is_provisional_where_a_reply_behind_it_is(named, shop, agent, expected):
    values = {"shop_provisional_replies_7d": shop, "agent_provisional_replies_7d": agent}

    assert provisional_figures([named, "score"], values, FEATURES) == ((named,) if expected else ())


@pytest.mark.parametrize(
    ("asked", "now", "expected"),
    [
        ("2026-12-31T15:00+08:00", "2026-12-31T15:30+08:00", ()),
        ("2026-12-31T17:30+08:00", "2026-12-31T17:45+08:00", ("answer_due_at",)),
        ("2026-12-31T17:30+08:00", "2027-01-01T09:00+08:00", ("waited_share", "answer_due_at")),
        ("2026-12-31T15:00+08:00", "2027-01-01T09:00+08:00", ("waited_share",)),
    ],
)
def test_value_of_a_wait_is_provisional_where_a_day_up_to_its_own_end_is(asked, now, expected):
    held = judged(at(asked, "customer_message"))

    assert provisional_waits(read_conversation(in_order(held), (OFFICE,)), parse_instant(now)) == expected


def test_how_late_an_answer_was_is_provisional_with_its_reply():
    contact = (at("2026-12-31T17:30+08:00", "customer_message"), at("2027-01-02T10:00+08:00", "agent_message"))
    held = in_order(judged(*contact))

    assert provisional_waits(read_conversation(held, (OFFICE,)), contact[1].occurred_at) == ("answer_over_ms",)


def test_missing_value_of_a_provisional_wait_is_no_figure():
    values = {"waited_share": 0.5, "answer_due_at": None}

    assert provisional_figures(values, values, FEATURES, waits=("waited_share", "answer_due_at")) == ("waited_share",)


def test_rate_on_time_and_counts_of_judged_replies_are_judged():
    on_time = Rate("shop", "on_time", "7d", prior_weight=1, parent=0.5)

    assert is_judged(on_time)
    assert is_judged(Total("agent", "on_time_replies", "1d"))
    assert not is_judged(Total("agent", "timed_replies", "1d"))


SLOW_SHOP = Rule(
    name="slow_shop",
    version=1,
    subject="shop",
    kinds=frozenset({"customer_message"}),
    tiers=(("warning", AtLeast("shop_slow_rate_7d", 0.36)),),
    resolved_when=Below("shop_slow_rate_7d", 0.01),
    cooldown_ms=0,
    evidence=("shop_slow_rate_7d",),
)


def bodies(*log: InteractionEvent | SettingsChanged) -> list[dict]:
    """The alerts that a rule about the slow replies of a shop sends."""
    store, arrived_at = MemoryStore(), parse_instant("2027-01-03T00:00Z")
    records = [
        LogRecord(str(Position(1, number)), record_json(one, issued_at=arrived_at), arrived_at)
        for number, one in enumerate(log)
    ]
    OnlineCommit(store, FixedScorer, FEATURES, (SLOW_SHOP,), control_key).advance_shop("shop", records)
    return [json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert"]


@pytest.mark.parametrize(("judged_by", "is_marked"), [("business", True), ("calendar", False)])
def test_alert_says_that_its_rate_rests_on_provisional_replies(judged_by, is_marked):
    document = {
        "revision": "a",
        "valid_from": "2020-01-01T00:00:00Z",
        "holidays": "CN",
        "targets": [{"next_reply": "PT1H", "judged_by": judged_by}],
    }
    settings = SettingsChanged(shop_id="shop", document=json.dumps(document).encode())
    asked = at("2027-01-02T10:00+08:00", "customer_message")

    (alert,) = bodies(settings, asked, at("2027-01-02T12:00+08:00", "agent_message"), _next(asked, 3 * HOUR))

    assert alert["kind"] == "slow_shop"
    assert alert["provisional"] is is_marked


def _next(asked: InteractionEvent, later: int) -> InteractionEvent:
    occurred_at = asked.occurred_at + later
    return replace(asked, event_id="next", occurred_at=occurred_at, received_at=occurred_at + MINUTE)
