"""Conversations to be told by hand: their times are minutes after noon of Monday, 2 March 2026, UTC."""

from collections import Counter
from typing import Any

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.entities import PARTS
from tests.oracle.event_values import Values, event_values
from tests.oracle.fact_names import FACTS
from tests.oracle.facts import total_facts
from tests.oracle.story import DEFAULT, Placed, Policy, Story, in_order

NOON = 1_772_452_800_000
MINUTE = 60_000
DAY_OF_MINUTES = 24 * 60
EVERY_FACT = dict.fromkeys(PARTS, FACTS)


def event(kind: str, minutes: float, event_id: str | None = None, **said: Any) -> InteractionEvent:
    """An event of contact c1, so many minutes after noon; its id is its kind and minute unless given."""
    at = NOON + round(minutes * MINUTE)
    given = {"shop_id": "shop", "conversation_id": "c1", "received_at": at, **said}
    return InteractionEvent(event_id=event_id or f"{kind} {minutes}", kind=kind, occurred_at=at, **given)


def opened(minutes: float, **said: Any) -> InteractionEvent:
    return event("conversation_opened", minutes, **said)


def asks(minutes: float, event_id: str | None = None, **said: Any) -> InteractionEvent:
    return event("customer_message", minutes, event_id, text="Where is my parcel?", **said)


def thanks(minutes: float) -> InteractionEvent:
    return event("customer_message", minutes, text="thanks!", courtesy=1)


def answers(minutes: float, agent_id: str | None = "ann", event_id: str | None = None, **said: Any) -> InteractionEvent:
    return event("agent_message", minutes, event_id, agent_id=agent_id, **said)


def rates(minutes: float, rating: int | None, event_id: str | None = None) -> InteractionEvent:
    return event("rated", minutes, event_id, rating=rating)


def told(*events: InteractionEvent, policy: Policy = DEFAULT, imported: tuple[InteractionEvent, ...] = ()) -> Story:
    """The story of events of an import, and of events of the log in order of arrival."""
    placed = [Placed(one, None) for one in imported] + [Placed(one, number) for number, one in enumerate(events)]
    return Story(in_order(placed), policy)


def sums(story: Story, key: str = "shop\x1f") -> dict[str, int]:
    """The facts of one entity, whenever they are; those that are 0 left out."""
    found: Counter[str] = Counter()
    for (of, _, name), value in total_facts(story, EVERY_FACT).items():
        if of == key:
            found[name] += value
    return dict(found)


def agent(agent_id: str) -> str:
    return f"agent\x1f{agent_id}"


def values_at_the_end(story: Story) -> Values:
    return event_values(story.events[-1].event, story)


def ids(story: Story) -> list[str]:
    return [one.event.event_id for one in story.events]
