"""Documents of rules: taken whole, or rejected with every mistake, its path, and what may be meant."""

import json

import pytest

from service_quality.alerts.conditions import AboveParent, AtLeast, Between, Not
from service_quality.alerts.rule_document import find_problems, parse_rules
from service_quality.alerts.rule_forms import DEEPEST, MOST_RULES
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.alerts.stored_rules import read_rules, store_rules
from service_quality.errors import RejectedRulesError
from service_quality.features.declarations import FeatureSet, Rate, Total
from service_quality.features.feature_set import FEATURES
from service_quality.instants import HOUR, MINUTE
from service_quality.policies.document_values import Problem
from service_quality.policies.json_documents import MAX_DOCUMENT_BYTES
from tests.unit.core.rule_documents import RATED_BADLY, WAITS, document, rule

COUNTED = FeatureSet(
    (
        *FEATURES.features,
        Total("sku", "complaints", "1d"),
        Total("sku", "complaints", "30d"),
    )
)


def problems_of(*rules: object, features: FeatureSet = FEATURES) -> list[Problem]:
    return [*find_problems(document(*rules), features)[1]]  # type: ignore[arg-type]


def paths_of(*rules: object) -> list[str]:
    return [one.path for one in problems_of(*rules)]


def condition(kind: str, held: object) -> list[Problem]:
    """The mistakes of a rule with such a condition; its examples are not met."""
    found = problems_of(rule(tiers={"warning": {kind: held}}), features=COUNTED)
    return [one for one in found if not one.path.startswith("rules[0].examples")]


def test_document_says_rules():
    found = parse_rules(document(WAITS, RATED_BADLY, revision="b", follows="a"), FEATURES)

    waits, rated_badly = found.rules
    assert (found.revision, found.follows) == ("b", "a")
    assert waits.tiers == (("warning", AtLeast("conversation_age_ms", MINUTE)),)
    assert (waits.cooldown_ms, waits.audiences_up_to("critical"), waits.owner) == (HOUR, ("team",), "shift lead")
    assert (waits.title.zh, waits.advice.en, waits.known_false_alarms.en) == ("等待", "Answer", "A last word")
    assert {"customer_message", "agent_message"} < waits.kinds
    assert (rated_badly.subject, rated_badly.evidence) == ("agent", ("agent_dissatisfied_rate_30d",))


def test_tiers_are_asked_gravest_first_however_they_are_written():
    tiers = {name: {"at_least": {"value": "replies", "limit": 1}} for name in ("info", "critical", "warning")}

    (found,), _ = find_problems(document(rule(tiers=tiers)), FEATURES)[0].rules, ()

    assert [severity for severity, _ in found.tiers] == ["critical", "warning", "info"]


def test_word_that_resembles_a_known_one_may_mean_it():
    (found,) = problems_of(rule(audience="teem"))

    assert str(found) == (
        'rules[0].audience: found "teem", expected one of operations, team, coaching, marketing, buying; '
        "did you mean team?"
    )


def test_duration_that_is_too_long_is_answered_with_the_longest():
    (limit,) = condition("at_least", {"value": "waiting_ms", "limit": "P400D"})
    (cooldown,) = problems_of(rule(cooldown="P400D"))

    assert (limit.found, limit.expected) == ('"P400D"', "an ISO 8601 duration such as PT30M, at most P366D")
    assert cooldown.expected == "an ISO 8601 duration from PT1S to P366D"


def test_document_wrong_in_ten_places_has_ten_mistakes():
    wrong = rule(
        name="Waits!",
        version=0,
        subject="agents",
        kinds=["services"],
        tiers={"fatal": {}},
        resolved_when={"atleast": {}},
        cooldown="an hour",
        title={"en": "Waits"},
        evidence=["wating_ms"],
        audience="everybody",
    )

    found = problems_of(wrong)

    assert len(found) == 10
    assert [(one.path, one.meant) for one in found] == [
        ("rules[0].subject", "agent"),
        ("rules[0].name", None),
        ("rules[0].version", None),
        ("rules[0].kinds[0]", "service"),
        ("rules[0].tiers.fatal", None),
        ("rules[0].resolved_when", "at_least"),
        ("rules[0].cooldown", None),
        ("rules[0].title.zh", None),
        ("rules[0].audience", None),
        ("rules[0].evidence[0]", "waiting_ms"),
    ]
    assert all(": found " in str(one) and ", expected " in str(one) for one in found)


def test_rejected_document_says_every_mistake():
    with pytest.raises(RejectedRulesError) as rejected:
        parse_rules(document(rule(version=0, audience="me")), FEATURES)

    assert rejected.value.problems == (
        "rules[0].version: found 0, expected a whole number from 1 to 1000000",
        'rules[0].audience: found "me", expected one of operations, team, coaching, marketing, buying',
    )


@pytest.mark.parametrize("key", list(WAITS))
def test_every_key_of_a_rule_is_required(key):
    lacking = {name: value for name, value in WAITS.items() if name != key}

    assert Problem(f"rules[0].{key}", "nothing", "a value") in problems_of(lacking)


def test_unknown_key_names_the_nearest_known_one():
    (found,) = problems_of(rule(audiense="team"))

    assert str(found).startswith(
        "rules[0].audiense: found an unknown key, expected one of name, version, subject, kinds,"
    )
    assert found.meant == "audience"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (b"[]", "document"),
        (b"{", "document"),
        (b'{"revision": "a", "revision": "b", "rules": []}', "document"),
        (b" " * (MAX_DOCUMENT_BYTES + 1), "document"),
        (b'{"rules": []}', "revision"),
        (b'{"revision": "a"}', "rules"),
        (b'{"revision": "a", "rules": {}}', "rules"),
        (b'{"revision": "a", "rules": [3]}', "rules[0]"),
        (b'{"revision": "a", "follows": "a", "rules": []}', "follows"),
        (b'{"revision": "a", "rules": [], "rule": 1}', "rule"),
    ],
)
def test_document_of_another_form_is_rejected(given, path):
    assert [one.path for one in find_problems(given, FEATURES)[1]] == [path]


def test_shop_may_have_no_rule_at_all_and_not_too_many():
    many = [rule(name=f"waits_{number}") for number in range(MOST_RULES + 1)]

    assert parse_rules(document(), FEATURES).rules == ()
    assert len(parse_rules(document(*many[1:]), FEATURES).rules) == MOST_RULES
    assert paths_of(*many) == ["rules"]


@pytest.mark.parametrize(
    ("audience", "path"),
    [
        ({"warning": "team", "critical": "team"}, ".critical"),
        ({"info": "team"}, ".info"),
        ({"warning": "teem"}, ".warning"),
        ({}, ".warning"),
        (["team"], ""),
    ],
)
def test_audience_by_severity_names_each_severity_of_a_tier(audience, path):
    found = problems_of(rule(audience=audience))

    assert f"rules[0].audience{path}" in {one.path for one in found}


AGES = {"info": "PT1M", "warning": "PT2M", "critical": "PT3M"}


def test_audience_may_be_another_one_for_each_severity():
    tiers = {name: {"at_least": {"value": "conversation_age_ms", "limit": limit}} for name, limit in AGES.items()}
    called = {"info": "operations", "warning": "team", "critical": "operations"}
    examples = [
        {"values": {"conversation_age_ms": "PT1M"}, "expect": "info"},
        {"values": {"conversation_age_ms": "PT1S"}, "expect": "none"},
    ]

    (found,) = parse_rules(document(rule(tiers=tiers, audience=called, examples=examples)), FEATURES).rules

    upto = [found.audiences_up_to(severity) for severity in ("info", "warning", "critical")]
    assert upto == [("operations",), ("operations", "team"), ("operations", "team")]


def test_two_rules_of_one_name_are_a_mistake():
    assert paths_of(WAITS, RATED_BADLY, WAITS) == ["rules[2].name"]


@pytest.mark.parametrize(
    ("kind", "held", "path"),
    [
        ("at_least", {"value": "waiting_ms"}, ".at_least"),
        ("at_least", {"value": "waiting_ms", "limit": 60_000}, ".at_least.limit"),
        ("at_least", {"value": "replies", "limit": "PT1M"}, ".at_least.limit"),
        ("at_least", {"value": "replies", "limit": True}, ".at_least.limit"),
        ("at_least", {"value": "replies", "limit": 1e300}, ".at_least.limit"),
        ("at_least", {"value": "replies", "limit": 1, "of": "replies"}, ".at_least"),
        ("at_least", {"value": "replies", "limit": 1, "times": 2}, ".at_least"),
        ("below", {"value": "score", "of": "score", "times": 0}, ".below.times"),
        ("below", {"value": "score", "limit": 1, "unit": "%"}, ".below.unit"),
        ("below", [], ".below"),
        ("at_least", {"value": "waiting_ms", "of": "last_reply_ms"}, ".at_least.of"),
        ("at_least", {"value": "last_reply_ms", "of": "waiting_ms", "times": 2}, ".at_least.of"),
        ("below", {"value": "waited_share", "of": "score"}, ".below.of"),
        ("between", {"value": "opened_hour", "from": 9, "below": 9}, ".between.below"),
        ("between", {"value": "opened_hour", "from": 9}, ".between.below"),
        ("one_of", {"value": "event_weekday", "numbers": []}, ".one_of.numbers"),
        ("one_of", {"value": "event_weekday", "numbers": ["Monday"]}, ".one_of.numbers[0]"),
        ("missing", {"value": "score"}, ".missing"),
        ("missing", "scores", ".missing"),
        ("not", [], ".not"),
        ("all_of", {}, ".all_of"),
        ("any_of", [], ".any_of"),
        ("any_of", [{}], ".any_of[0]"),
        ("above_parent", {"rate": "agent_slow_rate_7d", "at_least": 9, "confidence": 0.95}, ".above_parent.rate"),
        (
            "above_parent",
            {"rate": "agent_dissatisfied_rate_30d", "at_least": 9, "confidence": 0.5},
            ".above_parent.confidence",
        ),
        ("above_parent", {"rate": "agent_dissatisfied_rate_30d", "at_least": 9}, ".above_parent.confidence"),
        ("for", {"duration": "PT5M"}, ".for.condition"),
        ("for", {"duration": "PT0S", "condition": {"missing": "score"}}, ".for.duration"),
        ("for", {"duration": 300_000, "condition": {"missing": "score"}}, ".for.duration"),
        ("for", {"duration": "PT5M", "condition": {"missing": "scores"}}, ".for.condition.missing"),
        ("for", {"condition": {"missing": "score"}}, ".for.duration"),
        (
            "for",
            {"duration": "PT5M", "condition": {"for": {"duration": "PT1M", "condition": {"missing": "score"}}}},
            ".for.condition",
        ),
        ("since", {"duration": "PT5M", "condition": {"missing": "score"}}, ""),
    ],
)
def test_condition_with_a_mistake_names_its_place(kind, held, path):
    (found,) = condition(kind, held)

    assert found.path == f"rules[0].tiers.warning{path}"


def test_wait_beside_another_value_is_refused_since_no_timer_knows_when_it_is_reached():
    (found,) = condition("at_least", {"value": "last_reply_ms", "of": "waiting_ms", "times": 2})

    assert found.found == "last_reply_ms beside waiting_ms"
    assert found.expected == "a limit: time does not say when waiting_ms reaches another value"


def test_wait_in_days_may_be_asked_at_events():
    assert not condition("at_least", {"value": "waiting_days", "limit": 2})
    assert not condition("below", {"value": "waiting_days", "of": "first_response_days"})


@pytest.mark.parametrize(
    ("kind", "held", "expected"),
    [
        ("at_least", {"value": "score", "limit": 1.5}, "a number from 0 to 1, as score can be"),
        ("at_least", {"value": "agent_dissatisfied_rate_30d", "limit": 20},
         "a number from 0 to 1, as agent_dissatisfied_rate_30d can be"),
        ("at_least", {"value": "replies", "limit": 2.5}, "a whole number of at least 0, as replies can be"),
        ("at_least", {"value": "waited_share", "limit": -1},
         "a number of at least 0 (1 for all of the time), as waited_share can be"),
        ("at_least", {"value": "closed", "limit": 2}, "a whole number from 0 to 1 (1 for yes), as closed can be"),
        ("at_least", {"value": "opened_hour", "limit": 24},
         "a whole number from 0 to 23 (hour of the day in the zone of the policy), as opened_hour can be"),
        ("below", {"value": "score", "limit": 35}, "a number above 0, at most 1, as score can be"),
        ("below", {"value": "replies", "limit": 0}, "a whole number above 0, as replies can be"),
        ("below", {"value": "waiting_ms", "limit": "PT0S"}, "a duration above PT0S, as waiting_ms can be"),
        ("one_of", {"value": "event_weekday", "numbers": [6, 7]},
         "a whole number from 0 to 6 (0 for Monday to 6 for Sunday, in the zone of the policy), as event_weekday can"
         " be"),
        ("one_of", {"value": "waiting_ms", "numbers": [-5]}, "a duration of at least PT0S, as waiting_ms can be"),
        ("between", {"value": "opened_hour", "from": 22, "below": 30},
         "a whole number above 0, at most 24 (hour of the day in the zone of the policy), as opened_hour can be"),
        ("between", {"value": "price_minor", "from": -5, "below": 100},
         "a whole number of at least 0 (minor units of the currency), as price_minor can be"),
    ],
)  # fmt: skip
def test_limit_that_its_value_can_never_meet_is_refused_with_the_range(kind, held, expected):
    (found,) = condition(kind, held)

    assert found.expected == expected


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("at_least", {"value": "score", "limit": 1}),
        ("at_least", {"value": "waited_share", "limit": 1.5}),
        ("at_least", {"value": "sku_returned_rate_30d", "limit": 1.5}),
        ("at_least", {"value": "agent_reply_ms_per_timed_replies_1d", "limit": "PT1S"}),
        ("below", {"value": "closed", "limit": 1}),
        ("below", {"value": "score", "limit": 1}),
        ("between", {"value": "opened_hour", "from": 22, "below": 24}),
        ("one_of", {"value": "opened_weekday", "numbers": [0, 6.0]}),
        ("at_least", {"value": "waiting_ms", "limit": "PT0S"}),
    ],
)
def test_limit_at_the_edge_of_a_range_is_taken(kind, held):
    assert [one for one in condition(kind, held) if "can be" in one.expected] == []


@pytest.mark.parametrize(
    ("name", "impossible"), [("score", 1.5), ("opened_weekday", 9), ("event_hour", 30), ("replies", 0.5), ("closed", 2)]
)
def test_example_with_an_impossible_value_is_refused(name, impossible):
    examples = [
        {"values": {"conversation_age_ms": "PT1M", name: impossible}, "expect": "warning"},
        WAITS["examples"][1],
    ]

    (found,) = problems_of(rule(examples=examples))

    assert (found.path, found.found) == (f"rules[0].examples[0].values.{name}", str(impossible))
    assert found.expected.endswith(f"as {name} can be")


def test_every_value_has_a_range():
    assert set(Vocabulary(FEATURES).ranges) == set(Vocabulary(FEATURES).values)


def spike(**changed: object) -> dict[str, object]:
    asked = {"recent": "sku_complaints_1d", "past": "sku_complaints_30d", "at_least": 5, "past_at_least": 5, "times": 2}
    return {**asked, "confidence": 0.99, **changed}


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({}, None),
        ({"recent": "sku_complaints_30d"}, "recent"),
        ({"past": "sku_complaints_1d"}, "past"),
        ({"past": "customer_complaints_90d"}, "past"),
        ({"times": 0}, "times"),
    ],
)
def test_spike_compares_a_count_with_a_longer_window_of_the_same(changed, path):
    found = condition("above_past", spike(**changed))

    assert {one.path.rpartition(".")[2] for one in found} <= {"past", path}
    assert bool(found) == bool(path)


def test_release_without_such_counts_says_so():
    tiers = {"warning": {"above_past": spike()}}

    (found, *_) = problems_of(rule(tiers=tiers), features=FeatureSet(FEATURES.features[:3]))

    assert found.expected == "none: this release has no counts that are served in two windows"


def test_conditions_nest_only_so_deep():
    deep: dict = {"missing": "score"}
    for _ in range(DEEPEST):
        deep = {"not": deep}

    (found,) = condition("not", deep["not"])

    assert found.found == f"conditions within {DEEPEST} others"
    assert not condition("not", deep["not"]["not"])


def test_alert_about_an_agent_shows_no_value_of_a_conversation():
    (found,) = problems_of(rule(RATED_BADLY, evidence=["agent_ratings_30d", "waiting_ms"]))

    assert found.path == "rules[0].evidence[1]"
    assert "an alert about agent shows nothing of a single conversation" in found.expected


RATE: dict = {"at_least": {"value": "agent_dissatisfied_rate_30d", "limit": 0.3}}
BUSY: dict = {"at_least": {"value": "agent_contacts_1h", "limit": 20}}
SHARE: dict = {"at_least": {"value": "category_contacts_1d_of_7d", "limit": 0.5}}
ABOVE: dict = {"above_parent": {"rate": "agent_dissatisfied_rate_30d", "at_least": 20, "confidence": 0.95}}


def problems_of_tier(tier: object, subject: str) -> list[Problem]:
    found = problems_of(rule(RATED_BADLY, subject=subject, tiers={"critical": tier}), features=COUNTED)
    return [one for one in found if ".tiers" in one.path]


@pytest.mark.parametrize(
    "tier",
    [
        RATE,
        SHARE,
        {"below": {"value": "agent_dissatisfied_rate_30d", "of": "supervisor_dissatisfied_rate_30d"}},
        {"all_of": [RATE, BUSY]},
        {"any_of": [RATE, ABOVE]},
        {"all_of": [RATE, {"any_of": [ABOVE, BUSY]}]},
        {"not": {"all_of": [ABOVE]}},
        {"for": {"duration": "PT1H", "condition": RATE}},
    ],
)
def test_rate_of_many_conversations_calls_only_with_an_interval(tier):
    (found,) = problems_of_tier(tier, "agent")

    assert found.path == "rules[0].tiers.critical"
    assert found.found.endswith(" without an interval")
    assert found.expected.startswith("above_parent or above_past, which must hold with it")
    assert not problems_of_tier(tier, "conversation")


@pytest.mark.parametrize(
    "tier",
    [
        ABOVE,
        BUSY,
        {"above_past": {**spike(), "confidence": 0.95}},
        {"all_of": [RATE, BUSY, ABOVE]},
        {"any_of": [BUSY, {"all_of": [ABOVE, RATE]}]},
        {"all_of": [RATE, {"any_of": [ABOVE, {"all_of": [ABOVE, BUSY]}]}]},
        {"for": {"duration": "PT1H", "condition": {"all_of": [ABOVE, RATE]}}},
    ],
)
def test_rate_beside_its_interval_and_a_count_alone_are_taken(tier):
    assert not problems_of_tier(tier, "agent")


@pytest.mark.parametrize(
    ("examples", "expected"),
    [
        (
            [{"values": {"conversation_age_ms": "PT1M"}, "expect": "critical"}, {"values": {}, "expect": "none"}],
            ("rules[0].examples[0]", "what the rule decides of it: warning"),
        ),
        (
            [
                {"values": {"conversation_age_ms": "PT1M", "closed": 1}, "expect": "warning"},
                {"values": {}, "expect": "none"},
            ],
            ("rules[0].examples[0]", "what the rule decides of it: resolved"),
        ),
        (
            [{"values": {"conversation_age_ms": "PT1M"}, "expect": "warning"}],
            ("rules[0].examples", "one that expects none or resolved"),
        ),
        (
            [{"values": {"conversation_age_ms": None}, "expect": "none"}],
            ("rules[0].examples", "one that expects one of info, warning, critical"),
        ),
        ([], ("rules[0].examples", "a list of 1 to 50 examples")),
        ([{"values": {"waiting": "PT1M"}, "expect": "none"}], ("rules[0].examples[0].values.waiting", None)),
        ([{"values": {"wait": 1}, "expect": "none"}], ("rules[0].examples[0].values.wait", None)),
        ([{"values": [], "expect": "none"}], ("rules[0].examples[0].values", None)),
        (["none"], ("rules[0].examples[0]", None)),
    ],
)
def test_examples_are_run_before_a_document_is_taken(examples, expected):
    (found,) = problems_of(rule(examples=examples))

    path, words = expected
    assert (found.path, found.expected) == (path, words or found.expected)


def test_rules_come_back_from_their_stored_form():
    algebra = {
        "all_of": [
            {"not": {"between": {"value": "opened_hour", "from": 0, "below": 7}}},
            {"any_of": [{"one_of": {"value": "event_weekday", "numbers": [5, 6]}}, {"missing": "score"}]},
            {"at_least": {"value": "score", "of": "agent_dissatisfied_rate_30d", "times": 1.5}},
            {"below": {"value": "waiting_ms", "limit": "P1D"}},
            {"for": {"duration": "PT1H", "condition": {"not": {"missing": "score"}}}},
            {"above_parent": {"rate": "agent_dissatisfied_rate_30d", "at_least": 20, "confidence": 0.99}},
            {"above_past": spike()},
        ]
    }
    found, problems = find_problems(document(rule(tiers={"info": algebra}), RATED_BADLY), COUNTED)
    stored = json.loads(json.dumps(store_rules(found.rules)))

    assert all(one.path.startswith("rules[0].examples") for one in problems)
    assert read_rules(stored, COUNTED) == found.rules


def test_stored_rule_over_what_is_served_no_more_says_nothing():
    tiers = {"info": {"above_parent": {"rate": "agent_dissatisfied_rate_30d", "at_least": 1, "confidence": 0.9}}}
    found, _ = find_problems(document(rule(tiers=tiers)), FEATURES)
    values = {"agent_dissatisfied_rate_30d": 0.9, "supervisor_dissatisfied_rate_30d": 0.1, "agent_ratings_30d": 99}

    (later,) = read_rules(store_rules(found.rules), FeatureSet((Rate("shop", "slow", "7d", 1, 0.1),)))

    assert (found.rules[0].severity(values), later.severity(values)) == ("info", None)
    assert not Not(later.tiers[0][1]).holds(values)


def test_stored_rule_reads_a_rate_as_this_release_shrinks_it():
    tiers = {"info": {"above_parent": {"rate": "agent_dissatisfied_rate_30d", "at_least": 1, "confidence": 0.9}}}
    found, _ = find_problems(document(rule(tiers=tiers)), FEATURES)
    shop = Rate("shop", "dissatisfied", "7d", prior_weight=1, parent=0.2)
    other = FeatureSet(
        (shop, Rate("agent", "dissatisfied", "30d", prior_weight=7, parent=shop), Total("agent", "ratings", "30d"))
    )

    (later,) = read_rules(store_rules(found.rules), other)

    condition = later.tiers[0][1]
    assert isinstance(condition, AboveParent)
    assert (condition.parent, condition.prior_weight) == ("shop_dissatisfied_rate_7d", 7)


def test_durations_and_hours_are_read_in_their_units():
    tiers = {
        "info": {"at_least": {"value": "customer_time_since_orders_90d", "limit": "P3D"}},
        "warning": {"between": {"value": "opened_hour", "from": 9, "below": 18}},
    }
    found, _ = find_problems(document(rule(tiers=tiers)), FEATURES)

    assert dict(found.rules[0].tiers) == {
        "info": AtLeast("customer_time_since_orders_90d", 72 * HOUR),
        "warning": Between("opened_hour", 9, 18),
    }
