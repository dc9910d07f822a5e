"""The oracle's currencies and clocks on stories that were worked out by hand."""

from dataclasses import replace

import pytest

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.entities import currency_of
from tests.oracle.story import DEFAULT, Story
from tests.properties.stories_by_hand import NOON, answers, asks, event, sums, told, values_at_the_end

DAY_OF_NOON = NOON // 86_400_000


def order(minutes: float, amount: int, currency: str | None = None) -> InteractionEvent:
    return event(
        "order_placed", minutes, conversation_id=None, customer_id="zoe", amount_minor=amount, currency=currency
    )


def spent(story: Story, currency: str) -> int:
    return sums(story, f"customer_currency\x1fzoe\x1f{currency}").get("order_amount_minor", 0)


def test_orders_of_two_currencies_have_a_sum_each():
    story = told(order(0, 100, "EUR"), order(1, 7), order(2, 3_000, "JPY"), order(3, 1))

    assert (spent(story, "EUR"), spent(story, "JPY")) == (107, 3_001)


def test_amount_without_any_currency_is_in_no_sum_and_one_of_the_policy_is_in_its_own():
    assert not any(spent(told(order(0, 5)), one) for one in ("EUR", "CNY", ""))
    assert spent(told(order(0, 5), policy=DEFAULT._replace(currency="CNY")), "CNY") == 5


def test_contact_is_in_the_currency_named_last():
    story = told(asks(0), answers(1, currency="EUR"), asks(2, currency="JPY"))

    assert currency_of(story) == "JPY"
    assert currency_of(story.until(1)) == "EUR"
    assert values_at_the_end(story.until(0))["currency_known"] == 0


@pytest.mark.parametrize(
    ("zone", "hour", "weekday"), [("UTC", 12, 0), ("Asia/Kolkata", 17, 0), ("Pacific/Kiritimati", 2, 1)]
)
def test_noon_of_monday_is_another_hour_and_day_elsewhere(zone, hour, weekday):
    found = values_at_the_end(told(asks(0), policy=DEFAULT._replace(zone=zone)))

    assert (found["opened_hour"], found["opened_weekday"]) == (hour, weekday)


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 12), ("Asia/Shanghai", 4), ("Asia/Kolkata", 6.5)])
def test_reply_of_the_next_day_waited_at_least_until_it_began(zone, hours):
    reply = replace(answers(2 * 24 * 60), precision="day", occurred_at=(DAY_OF_NOON + 2) * 86_400_000 - 1)

    found = values_at_the_end(told(asks(0), reply, policy=DEFAULT._replace(zone=zone)))

    assert (found["first_response_days"], found["first_response_at_least_ms"]) == (1, round(hours * 3_600_000))
