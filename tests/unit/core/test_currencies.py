"""Amounts are summed by currency: that of the event, of its conversation or visit, else of the policy in force."""

from collections import Counter
from dataclasses import replace

import pytest

from service_quality.conversations.conversation import EMPTY
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.errors import DeclarationError
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation
from service_quality.facts.entities import CUSTOMER_CURRENCY, ENTITIES, item_key_of
from service_quality.features.declarations import AmountTotal, FeatureSet, Mean, Total
from service_quality.features.feature_context import FeatureContext
from service_quality.histories.history import History
from service_quality.instants import HOUR
from service_quality.policies.policy import DEFAULT_POLICY, Policy
from tests.unit.core.sample_events import NOON, event

KEPT = {"order_amount_minor": (CUSTOMER_CURRENCY,)}
CNY = DEFAULT_POLICY._replace(currency="CNY")
SPENT = AmountTotal("customer_currency", "order_amount_minor", "90d")


def order(at: int, amount: int, currency: str | None = None):
    return event("order_placed", at, conversation_id=None, customer_id="zoe", amount_minor=amount, currency=currency)


def stepped(before: FoldedConversation, one: InteractionEvent, policies: tuple[Policy, ...] = ()) -> ConversationStep:
    step = step_conversation(before, one, received_clock=NOON + 9 * HOUR, policies=policies)
    assert step is not None
    return step


def sums(*events, policies: tuple[Policy, ...] = ()) -> dict[str, int]:
    """The amounts by currency after a visit's events."""
    held = FoldedConversation(EMPTY, KEPT, policies)
    found: dict[str, int] = {}
    for one in events:
        step = stepped(held, one, policies)
        held = step.after
        for fact in step.facts:
            currency = fact.key.rpartition("\x1f")[2]
            found[currency] = found.get(currency, 0) + fact.value
    return {currency: value for currency, value in found.items() if value}


def test_orders_in_two_currencies_are_never_in_one_sum():
    assert sums(order(0, 1_999, "EUR"), order(1, 3_000, "JPY"), order(2, 1, "EUR")) == {"EUR": 2_000, "JPY": 3_000}


def test_order_that_states_no_currency_has_the_one_stated_last_before_it_in_the_visit():
    assert sums(order(0, 10, "EUR"), order(1, 5), order(2, 700, "JPY")) == {"EUR": 15, "JPY": 700}


def test_late_order_that_states_the_currency_corrects_the_sums():
    assert sums(order(0, 10, "EUR"), order(2, 5), order(1, 700, "JPY")) == {"EUR": 10, "JPY": 705}


def test_order_without_any_currency_enters_no_sum():
    assert sums(order(0, 10)) == {}


def test_order_without_a_currency_has_that_of_the_policy_in_force():
    assert sums(order(0, 10), order(1, 7, "EUR"), policies=(CNY,)) == {"CNY": 10, "EUR": 7}


def test_policy_that_is_not_valid_yet_gives_no_currency():
    assert sums(order(0, 10), policies=(CNY._replace(valid_from=NOON + 1),)) == {}


@pytest.mark.parametrize(
    ("entity", "owner"),
    [
        ("customer", "customer\x1fzoe"),
        ("category", "category\x1flamps"),
        ("sku", "sku\x1flamp"),
        ("shop", "shop\x1f"),
    ],
)
def test_amounts_of_customer_category_article_and_shop_are_summed_by_currency_and_stored_with_them(entity, owner):
    of_currency = ENTITIES[f"{entity}_currency"]
    held, found = FoldedConversation(EMPTY, {"order_amount_minor": (of_currency,)}), Counter[str]()
    for one in (order(0, 1_999, "EUR"), order(1, 3_000, "JPY"), order(2, 1, "EUR")):
        step = stepped(held, replace(one, category="lamps", sku="lamp"))
        held = step.after
        found.update({fact.key: fact.value for fact in step.facts})

    name = owner.partition(SEPARATOR)[2]
    prefix = SEPARATOR.join([of_currency.name, name] if name else [of_currency.name])
    assert found == {f"{prefix}{SEPARATOR}EUR": 2_000, f"{prefix}{SEPARATOR}JPY": 3_000}
    assert {item_key_of(key) for key in found} == {owner}


def test_contact_is_scored_with_the_orders_in_its_own_currency():
    asked = event("customer_message", 0, customer_id="zoe", currency="JPY", amount_minor=9)
    step = stepped(FoldedConversation(EMPTY, KEPT), asked)
    noted = stepped(step.after, event("internal_note", 1))

    assert step.keys["customer_currency"] == noted.keys["customer_currency"] == "customer_currency\x1fzoe\x1fJPY"
    assert noted.values["currency_known"] == 1


def test_contact_without_a_currency_has_that_of_the_policy():
    asked = event("customer_message", 0, customer_id="zoe")
    step = stepped(FoldedConversation(EMPTY, KEPT), asked, (CNY,))

    assert step.keys["customer_currency"] == "customer_currency\x1fzoe\x1fCNY"


@pytest.mark.parametrize(("known", "value"), [(1, 0), (0, None)])
def test_sum_is_missing_where_no_currency_is_known_and_0_without_orders(known, value):
    histories: dict[str, History | None] = {"customer_currency": None}

    assert SPENT.compute(FeatureContext(histories, {"currency_known": known}, NOON)) == value


def test_unknown_currency_is_said_of_a_conversation_and_of_a_visit():
    asked = event("customer_message", 0)

    assert read_event_values(read_conversation([]), asked)["currency_known"] == 0
    assert sums(replace(order(0, 5), amount_minor=None)) == {}


@pytest.mark.parametrize(
    "feature",
    [Total("customer", "order_amount_minor", "90d"), Mean("shop", "order_amount_minor", "orders", "90d")],
)
def test_amounts_of_an_entity_of_many_currencies_cannot_be_declared(feature):
    with pytest.raises(DeclarationError, match=r"found order_amount_minor of '.*', expected an entity of one currency"):
        FeatureSet((feature,))


def test_feature_set_reads_the_currency_for_its_amounts():
    assert FeatureSet((SPENT,)).event_values == ("currency_known",)
