"""Visits of customers: views, searches, carts, orders, cancellations, returns."""

from dataclasses import dataclass

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR, SECOND
from spark_jobs.synthetic_shop.goods import Item
from spark_jobs.synthetic_shop.rhythm import count, spread
from spark_jobs.synthetic_shop.shop_model import Customer, Order, Shop, Story

SEARCHES = 0.45
PAGES = 1.6
CARTED = 0.3
ORDERED = 0.6  # of what is in a cart
CANCELLED = 0.06
RETURNED = {False: 0.06, True: 0.35}  # flawed or not
CHANNELS = ("web", "app", "app")


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit and its consequences."""

    events: list[InteractionEvent]


def visit(shop: Shop, customer: Customer, at: int, number: int) -> Visit:
    """One visit from an instant on; an order is added to the customer."""
    random = customer.random
    name = f"v-{customer.customer_id}-{number}"
    story = Story(shop, customer, name)
    channel = random.choice(CHANNELS)
    item = random.choice(shop.items)
    for _ in range(count(random, SEARCHES)):
        at = story.tell("searched", at, query=item.name, channel=channel) + spread(random, 6 * SECOND)
    for _ in range(1 + count(random, PAGES)):
        looked = spread(random, 25 * SECOND)
        at = story.tell("page_viewed", at, duration_ms=looked, channel=channel, **_about(item)) + looked
        item = item if random.random() < 0.5 else random.choice(shop.items)
    if random.random() < CARTED:
        at = story.tell("cart_added", at, channel=channel, **_about(item))
        if random.random() < ORDERED:
            _order(story, shop, customer, Order(f"o-{name}", item, at + spread(random, 90 * SECOND)))
    return Visit(story.events)


def _order(story: Story, shop: Shop, customer: Customer, order: Order) -> None:
    random = customer.random
    money: dict[str, str | int] = {"amount_minor": order.item.price_minor, "currency": shop.currency}
    ordered = {"order_id": order.order_id, **_about(order.item), **money}
    story.tell("order_placed", order.at, **ordered)
    customer.orders.append(order)
    if random.random() < CANCELLED:
        story.tell("order_cancelled", order.at + spread(random, 3 * HOUR), **ordered)
    elif random.random() < RETURNED[order.item.flawed]:
        story.tell("order_returned", order.at + 3 * DAY + spread(random, 2 * DAY), **ordered)


def _about(item: Item) -> dict[str, str | int]:
    return {"sku": item.sku, "product": item.product}
