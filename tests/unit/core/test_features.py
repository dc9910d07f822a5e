"""Declarations: their names, what they compute, and what contradicts itself."""

from array import array
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

import pytest

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.conversations.conversation import Conversation
from service_quality.conversations.event_values import EVENT_VALUES, read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.errors import DeclarationError
from service_quality.facts import conversation_facts
from service_quality.facts.conversation_facts import FACTS, Fact, total_facts
from service_quality.facts.declared_facts import REPLY_HISTOGRAM, SEARCH_TERMS, ordered_sku_fact
from service_quality.facts.entities import ENTITIES, Entity
from service_quality.features.declarations import (
    LEAST,
    MINUS,
    MOST,
    PER,
    PLUS,
    RATES,
    Combined,
    Distinct,
    EventValue,
    Feature,
    FeatureSet,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TimeSinceFirst,
    TopShare,
    Total,
    WindowRatio,
    compute_features,
)
from service_quality.features.feature_context import FeatureContext
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import to_vector, vector_bytes, vector_from_bytes
from service_quality.histories.history import History, build_history
from service_quality.histories.windows import WINDOWS, Window
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.policies.policy import DEFAULT_POLICY
from tests.unit.core.sample_events import NOON, conversation, event

SHOP = Rate("shop", "dissatisfied", "7d", prior_weight=50, parent=0.2)
AGENT = Rate("agent", "dissatisfied", "30d", prior_weight=20, parent=SHOP)


def value_of(feature, *facts: tuple[str, int, str, int], clock: int = 0):
    """A feature's value from facts given as (entity, milliseconds after noon, name, value)."""
    parts = (feature.first, feature.second) if isinstance(feature, Combined) else ()
    plan = FeatureSet((*parts, feature)).plan.windows
    histories: dict[str, History | None] = {
        entity: build_history(
            [Fact(entity, NOON + at, name, value) for of, at, name, value in facts if of == entity],
            plan[entity],
            clock=NOON + clock,
        )
        for entity in {of for of, *_ in facts}
    }
    return compute_features([feature], FeatureContext(histories, {"answered": 1}, NOON + clock))[0]


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        (EventValue("waiting_ms"), "waiting_ms"),
        (Total("agent", "contacts", "1h"), "agent_contacts_1h"),
        (Mean("agent", "reply_ms", "timed_replies", "1d"), "agent_reply_ms_per_timed_replies_1d"),
        (WindowRatio("category", "contacts", "1d", "7d", prior_weight=20), "category_contacts_1d_of_7d"),
        (TimeSince("customer", "orders", "90d"), "customer_time_since_orders_90d"),
        (TimeSinceFirst("customer", "orders", "365d"), "customer_time_since_first_orders_365d"),
        (AGENT, "agent_dissatisfied_rate_30d"),
    ],
)
def test_name_follows_from_the_declaration(feature, name):
    assert feature.name == name


def test_total_of_what_is_unknown_is_zero():
    assert value_of(Total("agent", "contacts", "1h")) == 0


def test_total_sums_the_window():
    feature = Total("agent", "contacts", "1h")

    facts = [("agent", 0, "contacts", 1), ("agent", 50 * MINUTE, "contacts", 2), ("agent", 51 * MINUTE, "contacts", 4)]

    assert value_of(feature, *facts, clock=HOUR) == 7
    assert value_of(feature, *facts, clock=HOUR + 5 * MINUTE) == 6


def test_mean_is_missing_where_nothing_was_counted():
    feature = Mean("agent", "reply_ms", "timed_replies", "1d")

    assert value_of(feature) is None
    assert value_of(feature, ("agent", 0, "timed_replies", 2), ("agent", 0, "reply_ms", 90)) == 45.0


def test_window_ratio_starts_from_an_even_spread_and_is_not_carried_off_by_the_first_of_a_kind():
    feature = WindowRatio("category", "contacts", "1d", "7d", prior_weight=13)
    old, new = ("category", 0, "contacts", 3), ("category", 2 * DAY, "contacts", 4)

    assert value_of(feature) == pytest.approx(1 / 7)
    assert value_of(feature, ("category", 0, "contacts", 1)) == pytest.approx((1 + 13 / 7) / 14)
    assert value_of(feature, old, new, clock=2 * DAY) == pytest.approx((4 + 13 / 7) / 20)


def test_time_since_is_measured_from_the_newest_tile_and_missing_beyond_the_window():
    feature = TimeSince("customer", "orders", "1h")
    facts = (("customer", 0, "orders", 1), ("customer", 7 * MINUTE, "orders", 1))

    assert value_of(feature) is None
    assert value_of(feature, *facts, clock=20 * MINUTE) == 15 * MINUTE
    assert value_of(feature, *facts, clock=2 * HOUR) is None


def test_time_since_the_first_is_measured_from_the_oldest_tile_that_the_window_holds():
    feature = TimeSinceFirst("customer", "orders", "1h")
    facts = (("customer", 0, "orders", 1), ("customer", 27 * MINUTE, "orders", 1))

    assert value_of(feature) is None
    assert value_of(feature, *facts, clock=30 * MINUTE) == 30 * MINUTE
    assert value_of(feature, *facts, clock=HOUR + 6 * MINUTE) == 41 * MINUTE
    assert value_of(feature, *facts, ("customer", 27 * MINUTE, "orders", -1), clock=HOUR + 6 * MINUTE) is None


def test_different_articles_are_counted_by_their_groups_and_taken_back():
    feature = Distinct("customer", "skus", "90d")
    facts = tuple(("customer", 0, ordered_sku_fact(sku), 1) for sku in ("a-1", "a-1", "b-7", "e-4"))
    groups = {ordered_sku_fact(sku) for sku in ("a-1", "b-7", "e-4")}

    assert value_of(feature) == 0
    assert value_of(feature, *facts) == len(groups) == 3
    assert value_of(feature, *facts, ("customer", 0, ordered_sku_fact("b-7"), -1)) == 2


def test_most_frequent_of_what_is_counted_in_groups_has_its_share():
    feature = TopShare("shop", "search_terms", "7d")
    facts = tuple(("shop", 0, SEARCH_TERMS[term], 1) for term in (3, 3, 3, 7))

    assert value_of(feature) is None
    assert value_of(feature, *facts) == 0.75
    assert value_of(feature, *facts, ("shop", 0, SEARCH_TERMS[3], -1)) == 2 / 3


@pytest.mark.parametrize(
    ("operation", "expected"),
    [(PLUS, 10 * HOUR), (MINUS, 4 * HOUR), (PER, 7 / 3), (LEAST, 3 * HOUR), (MOST, 7 * HOUR)],
)
def test_features_are_put_together_and_missing_where_one_is(operation, expected):
    first, last = TimeSinceFirst("customer", "orders", "1d"), TimeSince("customer", "orders", "1d")
    facts = (("customer", 0, "orders", 1), ("customer", 4 * HOUR, "orders", 1))
    feature = Combined("span", "duration", operation, first, last)

    assert value_of(feature, *facts, clock=7 * HOUR) == pytest.approx(expected)
    assert value_of(feature, clock=7 * HOUR) is None


def test_feature_of_parts_that_are_not_served_is_refused():
    first, last = TimeSinceFirst("customer", "orders", "1d"), TimeSince("customer", "orders", "1d")

    with pytest.raises(DeclarationError, match="found no feature customer_time_since_orders_1d"):
        FeatureSet((first, Combined("span", "duration", MINUS, first, last)))
    with pytest.raises(DeclarationError, match="found operation 'times'"):
        FeatureSet((first, last, Combined("span", "duration", "times", first, last)))


def test_rate_without_trials_is_its_parents():
    assert value_of(AGENT) == pytest.approx(0.2)
    assert value_of(AGENT, ("shop", 0, "ratings", 50), ("shop", 0, "dissatisfied_ratings", 30)) == (30 + 50 * 0.2) / 100


def test_rate_of_a_small_sample_stays_near_its_parents():
    facts = (("agent", 0, "ratings", 1), ("agent", 0, "dissatisfied_ratings", 1))

    assert value_of(AGENT, *facts) == (1 + 20 * 0.2) / 21


def served(entity: str, *conversations: Conversation, clock: int) -> dict[str, float | int | None]:
    """The served features that read one entity's history alone, after these conversations."""
    own = [one for one in FEATURES.features if one.reads and {read[0] for read in one.reads} == {entity}]
    plan = FeatureSet(tuple(own)).plan.windows[entity]
    kept = dict.fromkeys(FACTS, (ENTITIES[entity],))
    facts = [
        Fact(*key, value)
        for one in conversations
        for key, value in total_facts(one, read_conversation(in_order(one)), kept).items()
    ]
    histories = {entity: build_history(facts, plan, clock=clock)}
    values = compute_features(own, FeatureContext(histories, {}, clock))
    return dict(zip((one.name for one in own), values, strict=True))


def asked(number: int, *events: tuple[str, int]) -> Conversation:
    """A conversation of ann's in which the customer asks at noon."""
    named = {"conversation_id": f"c{number}", "agent_id": "ann"}
    return conversation(
        event("assigned", 0, **named),
        event("customer_message", 1, **named),
        *(event(kind, at, **named) for kind, at in events),
    )


@pytest.mark.parametrize("entity", ["agent", "shop"])
def test_average_has_its_tail_and_unanswered_questions_beside_it(entity):
    quick = [asked(number, ("agent_message", MINUTE + 1)) for number in range(8)]
    slow = asked(8, ("agent_message", 3 * HOUR + 1), ("resolved", 4 * HOUR), ("reopened", 5 * HOUR))
    left = asked(9, ("resolved", HOUR))

    values = served(entity, *quick, slow, left, clock=NOON + 6 * HOUR)

    mean = values[f"{entity}_reply_ms_per_timed_replies_7d"]
    middle, tail = (values[f"{entity}_reply_ms_p{share}_7d"] for share in (50, 90))
    assert mean == (8 * MINUTE + 3 * HOUR) / 9
    assert middle is not None
    assert tail is not None
    assert middle <= MINUTE < mean < HOUR < tail
    names = ("unanswered", "abandoned", "resolutions", "reopenings", "transfers")
    assert [values[f"{entity}_{name}_7d"] for name in names] == [1, 0, 1, 1, 0]
    assert values[f"{entity}_resolution_ms_per_timed_resolutions_7d"] == 4 * HOUR


def test_event_value_passes_through():
    assert value_of(EventValue("answered")) == 1


def test_plan_holds_what_some_feature_reads_and_no_more():
    plan = FeatureSet((AGENT, Total("agent", "contacts", "1h"))).plan

    assert plan.windows == {
        "agent": {"1h": ("contacts",), "30d": ("dissatisfied_ratings", "ratings")},
        "shop": {"7d": ("dissatisfied_ratings", "ratings")},
    }


def test_plan_does_not_depend_on_the_order_of_features():
    features = (AGENT, Total("agent", "contacts", "1h"))

    assert FeatureSet(features).plan.digest == FeatureSet(features[::-1]).plan.digest


@pytest.mark.parametrize(
    "other",
    [
        (AGENT, SHOP),
        (SHOP, replace(AGENT, prior_weight=21)),
        (SHOP, replace(AGENT, parent=0.2)),
        (SHOP,),
    ],
)
def test_other_declaration_has_another_fingerprint(other):
    assert FeatureSet(other).fingerprint != FeatureSet((SHOP, AGENT)).fingerprint


def limit_of_the_policy(name: str, value: int) -> Callable[[], AbstractContextManager[object]]:
    changed = DEFAULT_POLICY._replace(**{name: value})  # type: ignore[arg-type]
    return lambda: mock.patch.object(conversation_facts, "DEFAULT_POLICY", changed)


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        pytest.param(changed, fact, id=said)
        for said, changed, fact in (
            ("hop", lambda: mock.patch.dict(WINDOWS, {"7d": Window("7d", 7 * DAY, 12 * HOUR)}), "contacts"),
            ("length", lambda: mock.patch.dict(WINDOWS, {"7d": Window("7d", 8 * DAY, 6 * HOUR)}), "contacts"),
            ("rate", lambda: mock.patch.dict(RATES, {"slow": ("late_replies", "timed_replies")}), "slow_replies"),
            ("bucket", lambda: mock.patch.dict(REPLY_HISTOGRAM, {"reply_ms_to_3m": 2 * MINUTE}), "reply_ms_to_3m"),
            ("dissatisfied", limit_of_the_policy("dissatisfied_at_most", 2), "dissatisfied_ratings"),
            ("on time", limit_of_the_policy("on_time_within_ms", 2 * MINUTE), "on_time_replies"),
            ("half spent", limit_of_the_policy("on_time_within_ms", 2 * MINUTE), "half_spent_replies"),
            ("late", limit_of_the_policy("on_time_within_ms", 2 * MINUTE), "late_replies"),
            ("slow", limit_of_the_policy("slow_beyond_ms", 10 * MINUTE), "slow_replies"),
        )
    ],
)
def test_another_window_rate_or_limit_has_another_fingerprint_and_digest_and_other_columns(changed, fact):
    features: tuple[Feature, ...] = (
        *(Rate("shop", rate, "7d", prior_weight=50, parent=0.2) for rate in ("dissatisfied", "on_time", "slow")),
        *(Rate("shop", "late_past_half", "7d", prior_weight=20, parent=0.5), Quantile("shop", 0.5, "7d")),
        Total("shop", "contacts", "7d"),
    )
    before = FeatureSet(features)
    fingerprint, digest = before.fingerprint, before.plan.digest
    columns = {column for column in before.plan.columns if f".{fact}." in column}

    with changed():
        after = FeatureSet(features)

        assert after.fingerprint != fingerprint
        assert after.plan.digest != digest
        assert columns - set(after.plan.columns)


def test_fingerprint_of_equal_declarations_is_equal():
    again = Rate("agent", "dissatisfied", "30d", prior_weight=20, parent=replace(SHOP))

    assert FeatureSet((SHOP, again)).fingerprint == FeatureSet((SHOP, AGENT)).fingerprint


@pytest.mark.parametrize(
    ("features", "found"),
    [
        ((SHOP, replace(SHOP, prior_weight=1)), "shop_dissatisfied_rate_7d"),
        ((Total("agnet", "contacts", "1h"),), "agnet"),
        ((Total("agent", "contracts", "1h"),), "contracts"),
        ((Total("agent", "contacts", "2h"),), "2h"),
        ((replace(SHOP, prior_weight=0),), "prior_weight 0"),
        ((Rate("agent", "dissatisfied", "30d", prior_weight=1, parent=replace(SHOP, entity="shpo")),), "shpo"),
        ((replace(SHOP, rate="unresolved"),), "found rate 'unresolved', expected one of dissatisfied, "),
        ((replace(AGENT, parent=replace(SHOP, rate="unresolved")),), "found rate 'unresolved'"),
        ((EventValue("wating_ms"),), "found value of the conversation 'wating_ms', expected one of answered, "),
    ],
)
def test_contradiction_is_found_while_declaring(features, found):
    with pytest.raises(DeclarationError, match=found):
        FeatureSet(features)


def test_rates_are_of_known_facts():
    assert {fact for pair in RATES.values() for fact in pair} <= set(FACTS)


def test_event_values_that_may_be_declared_are_those_that_are_read():
    values = read_event_values(read_conversation([]), event("customer_message", 0))

    assert sorted(EVENT_VALUES) == sorted(values), "EVENT_VALUES of conversations/event_values.py names every value"


def test_rules_in_force_look_at_values_that_exist():
    known = {*read_event_values(read_conversation([]), event("rated", 0)), *FEATURES.names, "score", "churn_score"}

    for rule in shipped_rules():
        assert {*rule.evidence, *rule.reads} <= known


def test_entity_may_be_composite():
    assert Entity("pair", ("a", "b")).key({"a": "1", "b": "2"}) == "pair\x1f1\x1f2"


def test_missing_becomes_nan_and_zero_stays():
    assert [str(value) for value in to_vector([None, 0, 0.5])] == ["nan", "0.0", "0.5"]


def test_vector_holds_float32():
    assert to_vector([0.1])[0] == array("f", [0.1])[0] != 0.1


def test_vector_bytes_are_little_endian_and_come_back():
    vector = to_vector([1.0, 2.5, None])

    assert vector_bytes(to_vector([1.0])) == b"\x00\x00\x80?"
    assert vector_bytes(vector_from_bytes(vector_bytes(vector))) == vector_bytes(vector)
