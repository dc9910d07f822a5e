"""Facts of a visit: what a customer's behaviour of one day tells, event by event and by what followed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.facts.declared_facts import EVENT_FACTS, LONGEST_VIEW, ordered_sku_fact

#: Attributes, and the facts under them: instant, name, value.
FactsUnder = tuple[dict[str, str | None], list[tuple[int, str, int]]]


def visit_facts(events: Sequence[InteractionEvent], currencies: Mapping[str, str]) -> Iterator[FactsUnder]:
    """All facts of a visit's behaviour events; `currencies` are theirs by event id, as far as they are known."""
    visit = sorted(events, key=log_order)
    last_order = max((place for place, event in enumerate(visit) if event.kind == "order_placed"), default=-1)
    views = _views(visit)
    for place, event in enumerate(visit):
        facts = [(name, source.value(event)) for name, source in EVENT_FACTS.get(event.kind, ())]
        if event.kind == "page_viewed":
            facts.append(("browse_ms", views[place]))
        if event.kind == "searched":
            facts.append(("searches_without_order", int(place > last_order)))
        if event.kind == "order_placed" and event.sku is not None:
            facts.append((ordered_sku_fact(event.sku), 1))
        under = _attributes(event, currencies.get(event.event_id))
        yield under, [(event.occurred_at, name, value) for name, value in facts]
    first_order = next((event for event in visit if event.kind == "order_placed"), None)
    if first_order is not None:
        yield {"customer_id": first_order.customer_id}, [(first_order.occurred_at, "order_days", 1)]


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
