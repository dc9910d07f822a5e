"""The world: its shops, each with stock, staff and customers, all given by the seed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR
from spark_jobs.synthetic_shop.contacts import Contact, contact
from spark_jobs.synthetic_shop.goods import stock
from spark_jobs.synthetic_shop.rhythm import moments, random_stream
from spark_jobs.synthetic_shop.shop_model import Customer, Shop
from spark_jobs.synthetic_shop.staff import hire
from spark_jobs.synthetic_shop.visits import Visit, visit

LANGUAGES = ("zh", "en")
UTC_OFFSETS = {"zh": 8 * HOUR, "en": 0}
TIME_ZONES = {"zh": "Asia/Shanghai", "en": "UTC"}
CURRENCIES = {"zh": "CNY", "en": "GBP"}
CONTACTS_OF_A_CUSTOMER = 1.8
VISITS_OF_A_CONTACT = 1.7
CONTACTS_OF_AN_AGENT_A_DAY = 4
#: New shops open one after the other in the last part of the world's days, and have few contacts.
FIRST_OPENS_AFTER, LAST_OPENS_AFTER = 0.6, 0.9
CONTACTS_OF_A_NEW_SHOP = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The arguments of a synthetic world; `start` is the first day's beginning in epoch milliseconds.

    The numbers of new shops follow those of the `shops` that are there from the start.
    """

    shops: int
    new_shops: int = 0
    days: int
    contacts_per_day: int
    seed: int
    start: int

    @property
    def end(self) -> int:
        """The end of the world: no event is at it or later."""
        return self.start + self.days * DAY

    @property
    def numbers(self) -> range:
        """The numbers of all shops."""
        return range(self.shops + self.new_shops)

    @property
    def customers(self) -> int:
        """The number of customers of a shop that is there from the start."""
        return self.customers_of(0)

    def opens(self, number: int) -> int:
        """The first day of a shop, in epoch milliseconds."""
        new = number - self.shops + 1
        if new <= 0:
            return self.start
        share = FIRST_OPENS_AFTER + (LAST_OPENS_AFTER - FIRST_OPENS_AFTER) * new / self.new_shops
        return self.start + int(self.days * share) * DAY

    def customers_of(self, number: int) -> int:
        """The number of a shop's customers, who are numbered from 0."""
        a_day = self.contacts_per_day * (CONTACTS_OF_A_NEW_SHOP if number >= self.shops else 1)
        days = (self.end - self.opens(number)) // DAY
        return max(1, round(a_day * days / CONTACTS_OF_A_CUSTOMER))

    @property
    def mark(self) -> str:
        """The world's part of every id, so that two worlds in one lake stay two."""
        named = f"{self.shops}/{self.new_shops}/{self.days}/{self.contacts_per_day}/{self.seed}/{self.start}"
        return hashlib.sha256(named.encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True)
class Life:
    """The visits and contacts of one customer, in no order."""

    visits: list[Visit]
    contacts: list[Contact]


def shop_of(world: World, number: int) -> Shop:
    """The shop of a number from 0; languages take turns, so two shops are one of each."""
    language = LANGUAGES[number % len(LANGUAGES)]
    random = random_stream(world.mark, "shop", number)
    return Shop(
        shop_id=f"synthetic-{language}-{number + 1}",
        language=language,
        utc_offset=UTC_OFFSETS[language],
        currency=CURRENCIES[language],
        mark=world.mark,
        opens=world.opens(number),
        new=number >= world.shops,
        items=stock(random, language),
        staff=hire(random, round(world.contacts_per_day / CONTACTS_OF_AN_AGENT_A_DAY)),
    )


def live(world: World, shop: Shop, number: int) -> Life:
    """One customer's visits and contacts, which depend on the world and the number alone."""
    random = random_stream(world.mark, shop.shop_id, "customer", number)
    activity = random.gammavariate(1.2, 1 / 1.2)
    customer = Customer(f"customer-{world.mark}-{number + 1:06d}", random)
    mean = activity * CONTACTS_OF_A_CUSTOMER
    days = {"start": shop.opens, "days": (world.end - shop.opens) // DAY, "utc_offset": shop.utc_offset}
    visited = moments(random, mean * VISITS_OF_A_CONTACT, **days)
    visits = [visit(shop, customer, at, number) for number, at in enumerate(visited, 1)]
    customer.orders.sort(key=lambda order: order.at)
    written = moments(random, mean, **days)
    return Life(visits, [contact(shop, customer, at, number) for number, at in enumerate(written, 1)])


def events_of(world: World, shop: Shop, customers: range) -> Iterator[InteractionEvent]:
    """The events of some of a shop's customers, within the world's days; in no order."""
    for number in customers:
        life = live(world, shop, number)
        stories = [part.events for part in life.visits] + [part.events for part in life.contacts]
        yield from (event for events in stories for event in events if world.start <= event.occurred_at < world.end)
