"""Findings on a shop's log: which count, what rules make of them, and how what they said ends."""

import json
from dataclasses import replace

import pytest

from service_quality.alerts.conditions import AtLeast
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.state_items import KnownFinding, carry_alerts, decode_histories, encode_histories
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector, to_vector, vector_bytes
from service_quality.instants import DAY, HOUR
from service_quality.scoring.scores import Score, TaskScorer
from service_quality.tasks.declared_tasks import CHURN
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event

CUSTOMER = "customer\x1fann"
LEAVING = [rule for rule in shipped_rules() if rule.name == "customer_leaving"]


class Foretelling:
    """A model of churn that always says the same."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def score(self, vector: Vector) -> Score:
        return Score(self._probability, tuple(0.5 for _ in vector), 0.0, "churn-1")


class Failing:
    """A model that fails on every vector."""

    def score(self, vector: Vector) -> Score:
        raise ArithmeticError("no number")


def found(probability: float | None, at: int = 0, **changed) -> FindingReported:
    """A finding about ann, as of so many milliseconds after noon, that holds for eight days."""
    values = {"churn_score": probability, "customer_order_days_365d": 4}
    form = {"shop_id": "shop", "finding": "churn", "subject_kind": "customer", "subject_id": "ann", "values": values}
    scored = {"score": probability, "model_version": "churn-1", "reasons": (("customer_orders_365d", 9, -0.25),)}
    times = {"as_of": NOON + at, "valid_until": NOON + at + 8 * DAY}
    return FindingReported(**form | times | (scored if probability is not None else {}) | changed)


def order(at: int, kind: str = "order_placed", customer_id: str = "ann") -> InteractionEvent:
    return event(kind, at, conversation_id=None, customer_id=customer_id)


def advance(
    store: MemoryStore, *records: InteractionEvent | FindingReported, first: int = 0, model=None, rules=LEAVING
):
    """The counts of folding records by a new process; a finding arrives an hour after it was found."""
    given = []
    for number, one in enumerate(records):
        at = one.received_at if isinstance(one, InteractionEvent) else one.as_of + HOUR
        given.append(LogRecord(str(Position(1, first + number)), record_json(one, issued_at=at), at))
    scorers = (TaskScorer(CHURN, model),) if model is not None else ()
    commit = OnlineCommit(store, FixedScorer, FEATURES, tuple(rules), control_key, entity_scorers=lambda: scorers)
    return commit.advance_shop("shop", given)


def messages(store: MemoryStore) -> list[dict]:
    bodies = [json.loads(row.body) for row in store.rows.values() if row.row_kind == "alert"]
    return sorted(bodies, key=lambda body: body["sequence"])


def states(store: MemoryStore) -> list[str]:
    return [body["state"] for body in messages(store)]


def test_finding_opens_an_alert_with_its_score_and_reasons():
    store = MemoryStore()

    stats = advance(store, order(-DAY), found(0.81))

    (alert,) = messages(store)
    assert (stats.accepted, stats.findings, stats.alerts) == (2, 1, 1)
    assert (alert["kind"], alert["state"], alert["subject"]) == (
        "customer_leaving", "opened", {"kind": "customer", "id": "ann"}
    )  # fmt: skip
    assert (alert["score"], alert["model_version"]) == (0.81, "churn-1")
    assert alert["reasons"] == [{"feature": "customer_orders_365d", "value": 9, "contribution": -0.25}]
    assert alert["evidence"]["churn_score"] == 0.81
    assert alert["evidence"]["customer_order_days_365d"] == 4


def test_finding_is_stamped_with_the_clock_and_moves_none():
    store = MemoryStore()

    advance(store, order(-DAY), found(0.81))

    shop, (_, entry) = store.read_shop("shop"), archived_entries(store.rows, "shop")
    assert shop is not None
    assert (shop.clock, shop.received_clock) == (NOON - DAY, NOON - DAY)
    assert entry["clock"] == NOON - DAY
    assert entry["event"]["kind"] == "finding_reported"
    assert "signature" not in entry["event"]
    assert messages(store)[0]["occurred_at"] == messages(store)[0]["opened_at"] == "2023-08-30T12:00:00.000Z"


@pytest.mark.parametrize("again", [found(0.81), found(0.95), found(0.2), found(0.81, -1)])
def test_repeated_run_and_an_earlier_finding_say_nothing(again):
    store = MemoryStore()
    advance(store, order(-DAY), found(0.81))

    stats = advance(store, again, first=2)

    assert (stats.accepted, stats.duplicates) == (0, 1)
    assert states(store) == ["opened"]
    assert archived_entries(store.rows, "shop")[-1].get("duplicate")


def test_later_finding_ends_what_it_does_not_bear_out():
    store = MemoryStore()

    advance(store, order(-DAY), found(0.81), found(0.6, DAY), found(0.4, 2 * DAY))

    assert states(store) == ["opened", "resolved"]
    assert messages(store)[-1]["ended_by"] is None
    assert messages(store)[-1]["evidence"]["churn_score"] == 0.4


def test_finding_that_has_expired_when_it_arrives_says_nothing():
    store = MemoryStore()

    stats = advance(store, order(8 * DAY), found(0.81))

    assert (stats.accepted, stats.silent) == (1, 1)
    assert states(store) == []
    assert archived_entries(store.rows, "shop")[-1].get("silent")


def test_alert_of_an_expired_finding_ends_at_the_customers_next_contact():
    store = MemoryStore()
    advance(store, order(-DAY), found(0.81), event("conversation_opened", 7 * DAY, customer_id="ann"))
    assert states(store) == ["opened"]

    advance(store, event("conversation_opened", 8 * DAY, customer_id="ann", conversation_id="c2"), first=3)

    assert states(store) == ["opened", "resolved"]
    assert messages(store)[-1]["ended_by"] == "finding_expired"


def test_alert_that_an_event_opens_behind_an_expiry_rests_on_no_finding():
    store = MemoryStore()
    opened = event("conversation_opened", 9 * DAY, customer_id="ann")
    advance(store, *(order(day * DAY) for day in (-3, -2, -1)), found(0.1))
    advance(store, opened, first=4, model=Foretelling(0.9))

    advance(store, event("agent_message", 9 * DAY + HOUR, agent_id="bob"), first=5, model=Foretelling(0.9))

    assert states(store) == ["opened"]


def test_score_of_a_finding_is_one_of_its_values_wherever_it_says_it():
    store, by_score = MemoryStore(), replace(LEAVING[0], tiers=(("warning", AtLeast("churn_score", 0.7)),))

    advance(store, order(-DAY), found(0.81, values={"customer_orders_90d": 4}), rules=[by_score])

    assert messages(store)[0]["evidence"]["churn_score"] == 0.81


def test_expired_finding_gives_way_to_what_the_event_itself_says():
    store = MemoryStore()
    advance(store, *(order(day * DAY) for day in (-3, -2, -1)), found(0.81))

    opened = event("conversation_opened", 9 * DAY, customer_id="ann")
    advance(store, opened, first=4, model=Foretelling(0.9))

    assert states(store) == ["opened"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"finding": "mood"}, "unknown_finding"), ({"subject_kind": "agent"}, "unknown_subject")],
)
def test_finding_of_another_release_is_rejected_and_kept(changed, reason):
    store = MemoryStore()

    stats = advance(store, order(-DAY), found(0.81, **changed), order(-HOUR))

    assert (stats.accepted, stats.rejected) == (2, {reason: 1})
    assert len(store.rejected) == 1


def test_shop_without_a_clock_takes_no_finding():
    store = MemoryStore()

    stats = advance(store, found(0.81), order(0))

    assert (stats.accepted, stats.rejected) == (1, {"no_history": 1})
    assert states(store) == []


def test_finding_about_somebody_without_history_counts():
    store = MemoryStore()

    advance(store, order(-DAY), found(0.81, subject_id="bob"))

    assert messages(store)[0]["subject"]["id"] == "bob"


def test_finding_waits_with_its_shop_and_is_put_back_with_it():
    store = MemoryStore()
    commit = OnlineCommit(store, FixedScorer, FEATURES, tuple(LEAVING), control_key)
    advance(store, order(-DAY))

    record = LogRecord(str(Position(1, 1)), record_json(found(0.81), issued_at=NOON), NOON)
    stats = commit.park_shop("shop", [record])

    assert stats.parked == 1
    assert states(store) == []


def test_entity_is_scored_behind_the_orders_of_its_own_events():
    store = MemoryStore()

    stats = advance(store, order(-DAY), order(0), order(1, customer_id="bob"), model=Foretelling(0.9))

    entries = archived_entries(store.rows, "shop")
    served = [entry["tasks"]["churn"] for entry in entries]
    assert (stats.scored, stats.accepted) == (0, 3)
    assert {(one["score"], one["model"]) for one in served} == {(0.9, "churn-1")}
    at = CHURN.features.names.index("customer_orders_90d")
    assert [vector_of(one)[at] for one in served] == [1, 2, 1]


def vector_of(served: dict) -> Vector:
    from base64 import b64decode

    from service_quality.features.vectors import vector_from_bytes

    found = vector_from_bytes(b64decode(served["vector"]))
    assert vector_bytes(to_vector(found)) == b64decode(served["vector"])
    return found


def test_score_of_an_order_alone_opens_and_ends_an_alert():
    store = MemoryStore()
    advance(store, *(order(day * DAY) for day in (-3, -2, -1)), model=Foretelling(0.9))
    advance(store, order(0), first=3, model=Foretelling(0.1))

    opened, ended = messages(store)
    assert (opened["state"], opened["score"], len(opened["reasons"])) == ("opened", 0.9, 5)
    assert {reason["feature"] for reason in opened["reasons"]} <= {*CHURN.features.names}
    assert (ended["state"], ended["score"]) == ("resolved", 0.1)


@pytest.mark.parametrize(
    "other",
    [order(0, "page_viewed"), event("stock_counted", 0, conversation_id=None, sku="s1"), event("customer_message", 0)],
    ids=["page_viewed", "stock_counted", "message without a name"],
)
def test_events_of_other_kinds_and_without_a_name_score_no_entity(other):
    store = MemoryStore()

    advance(store, other, model=Foretelling(0.9))

    (entry,) = archived_entries(store.rows, "shop")
    assert "tasks" not in entry


def test_failing_model_of_a_task_costs_its_score_alone():
    store = MemoryStore()

    stats = advance(store, event("conversation_opened", 0, customer_id="ann"), model=Failing())

    (entry,) = archived_entries(store.rows, "shop")
    assert (stats.accepted, stats.scored, stats.unscored) == (1, 1, 0)
    assert [(one.stage, one.subject) for one in stats.failures] == [("task", "churn")]
    assert "score" in entry
    assert entry["tasks"]["churn"].keys() == {"features", "vector"}


def test_without_a_model_of_the_task_nothing_is_archived_of_it():
    store = MemoryStore()

    advance(store, order(0))

    assert "tasks" not in archived_entries(store.rows, "shop")[0]


def test_what_was_found_is_stored_and_outlives_a_rebuild():
    store = MemoryStore()
    advance(store, order(-DAY), found(0.81))
    plan, stored = FEATURES.plan, store.items["shop", CUSTOMER]
    item = decode_histories(stored, plan)

    known = {"churn": KnownFinding(NOON, NOON + 8 * DAY)}
    assert item.findings == known
    assert encode_histories(item, plan) == stored
    item.findings, item.alert_states = {}, {}
    rebuilt = carry_alerts(encode_histories(item, plan), before=stored)
    assert decode_histories(rebuilt, plan).findings == known


def test_findings_about_more_than_a_thousand_subjects_are_folded_thirty_a_transaction():
    """Each is a record of its own, and a transaction takes at most a hundred items (docs/adr/0054)."""
    store = MemoryStore()
    many = [found(0.81, subject_id=f"customer-{number}") for number in range(1_500)]

    stats = advance(store, order(-DAY), *many)

    assert (stats.accepted, stats.findings, stats.alerts) == (1_501, 1_500, 1_500)
    assert {body["subject"]["id"] for body in messages(store)} == {one.subject_id for one in many}
    assert stats.transactions <= 1_501 // 30 + 1
