"""The model of a shop: the shop, its customers and orders, and stories of events."""

from dataclasses import dataclass, field
from random import Random

from service_quality.events.interaction_event import InteractionEvent
from spark_jobs.synthetic_shop.goods import Item
from spark_jobs.synthetic_shop.staff import Agent


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop; `utc_offset` in milliseconds, `mark` the world's part of every id, `opens` its first instant.

    A `new` one opens after the others: its customers and staff are like theirs, it only has no past.
    """

    shop_id: str
    language: str
    utc_offset: int
    currency: str
    mark: str
    opens: int
    new: bool
    items: tuple[Item, ...]
    staff: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """An article that a customer bought, at an instant."""

    order_id: str
    item: Item
    at: int


@dataclass(slots=True)
class Customer:
    """One customer over time: the orders, and the ratings, each (instant, dissatisfied)."""

    customer_id: str
    random: Random
    orders: list[Order] = field(default_factory=list)
    ratings: list[tuple[int, bool]] = field(default_factory=list)

    def last_order(self, at: int) -> Order | None:
        """The latest order before an instant."""
        return next((order for order in reversed(self.orders) if order.at < at), None)

    def was_dissatisfied(self, at: int) -> bool:
        """Whether the latest rating before an instant was a dissatisfied one."""
        before = [rating for rating in self.ratings if rating[0] < at]
        return bool(before) and max(before)[1]


class Story:
    """Collects the events of one conversation or visit, each later than the one before."""

    def __init__(self, shop: Shop, customer: Customer, name: str, *, conversation_id: str | None = None) -> None:
        self._shop = shop
        self._customer = customer
        self._name = name
        self._conversation_id = conversation_id
        self._last = 0
        self.events: list[InteractionEvent] = []

    @property
    def last(self) -> int:
        """The instant of the latest event."""
        return self._last

    def tell(self, kind: str, at: int, **values: str | int | None) -> int:
        """Add an event and return its instant, moved behind the last one where it would not follow it."""
        self._last = at = max(at, self._last + 1)
        self.events.append(
            InteractionEvent(
                event_id=f"{self._name}-{len(self.events) + 1:02d}",
                shop_id=self._shop.shop_id,
                kind=kind,
                occurred_at=at,
                received_at=at,
                conversation_id=self._conversation_id,
                customer_id=self._customer.customer_id,
                **values,  # type: ignore[arg-type]  # callers name the event's own fields
            )
        )
        return at
