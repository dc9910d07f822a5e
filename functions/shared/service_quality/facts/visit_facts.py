"""Facts of a visit: what a customer's behaviour of one day tells, event by event and by what followed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.facts.declared_facts import EVENT_FACTS, LONGEST_VIEW, SEARCH_TERMS, ordered_sku_fact

#: Attributes, and the facts under them: instant, name, value.
FactsUnder = tuple[dict[str, str | None], list[tuple[int, str, int]]]


class Visited(NamedTuple):
    """An event of a visit, and what the others say of it: all that tells its facts.

    `currency` is that of its amount, as far as it is known; `viewed_ms` is how long its page was looked at.
    """

    event: InteractionEvent
    currency: str | None
    viewed_ms: int
    is_before_order: bool
    is_first_order: bool


def look_at(events: Iterable[InteractionEvent], currencies: Mapping[str, str]) -> list[Visited]:
    """The behaviour events of a visit, in order; `currencies` are theirs by event id, as far as they are known."""
    visit = sorted(events, key=log_order)
    orders = [place for place, event in enumerate(visit) if event.kind == "order_placed"]
    first_order, last_order = (orders[0], orders[-1]) if orders else (-1, -1)
    views = _views(visit)
    return [
        Visited(event, currencies.get(event.event_id), views[place], place < last_order, place == first_order)
        for place, event in enumerate(visit)
    ]


def visited_facts(visited: Visited) -> Iterator[FactsUnder]:
    """The facts of one event of a visit."""
    event, at = visited.event, visited.event.occurred_at
    facts = [(at, name, source.value(event)) for name, source in EVENT_FACTS.get(event.kind, ())]
    if event.kind == "page_viewed":
        facts.append((at, "browse_ms", visited.viewed_ms))
    if event.kind == "searched":
        facts.append((at, "searches_without_order", int(not visited.is_before_order)))
        facts += [] if event.search_term is None else [(at, SEARCH_TERMS[event.search_term], 1)]
    if event.kind == "order_placed" and event.sku is not None:
        facts.append((at, ordered_sku_fact(event.sku), 1))
    yield _attributes(event, visited.currency), facts
    if visited.is_first_order:
        yield {"customer_id": event.customer_id}, [(at, "order_days", 1)]


def _views(visit: Sequence[InteractionEvent]) -> list[int]:
    """How long each event's page was looked at: as its source says, else until the next event of the session.

    Never longer than LONGEST_VIEW; of the last page of a session nothing is known, nor where only the day is.
    """
    left = [_gap(event, after) for event, after in pairwise(visit)] + [0]
    return [
        left[place] if event.duration_ms is None else min(event.duration_ms, LONGEST_VIEW)
        for place, event in enumerate(visit)
    ]


def _gap(event: InteractionEvent, after: InteractionEvent) -> int:
    gap = after.occurred_at - event.occurred_at
    return gap if gap <= LONGEST_VIEW and "day" not in (event.precision, after.precision) else 0


def _attributes(event: InteractionEvent, currency: str | None) -> dict[str, str | None]:
    """What names the entities of a behaviour event: its own attributes alone."""
    return {
        "currency": currency,
        "customer_id": event.customer_id,
        "sku": event.sku,
        "category": event.category,
        "subcategory": event.subcategory,
        "channel": event.channel,
    }
