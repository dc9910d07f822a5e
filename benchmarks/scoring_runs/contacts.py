"""Contacts of made-up shops as the event stream delivers them: opened, answered, rated an hour later."""

import random
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from typing import Any

from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import HOUR, MINUTE

START = 1_767_600_000_000  # 2026-01-05
AGENTS, CUSTOMERS, ISSUES = 60, 900, 8
SHARD = "shardId-000000000000"  # the only one of the stream


def contact_events(
    contacts: int, *, shops: int, every_ms: int = MINUTE, run: str = "", first: int = 0
) -> list[InteractionEvent]:
    """Three events a contact, all shops' together, in order of time."""
    events = [event for number in range(first, first + contacts) for event in _contact(number, shops, every_ms, run)]
    return sorted(events, key=lambda event: (event.occurred_at, event.event_id))


def batches(events: list[InteractionEvent], size: int) -> Iterator[dict[str, Any]]:
    """The events as invocations with Kinesis records."""
    numbered = iter(enumerate(events, 1))
    while batch := list(islice(numbered, size)):
        yield {"Records": [_record(number, event) for number, event in batch]}


def _record(number: int, event: InteractionEvent) -> dict[str, Any]:
    return {
        "eventSource": "aws:kinesis",
        "eventID": f"{SHARD}:{number}",
        "kinesis": {
            "partitionKey": event.shop_id,
            "sequenceNumber": str(number),
            "data": b64encode(event_to_json(event)).decode(),
            "approximateArrivalTimestamp": event.received_at / 1000,
        },
    }


def _contact(number: int, shops: int, every_ms: int, run: str) -> Iterator[InteractionEvent]:
    chance = random.Random(number)
    opened = START + number * every_ms
    answered = opened + chance.choice((1, 1, 2, 3, 5, 8, 20, 45)) * chance.randrange(MINUTE)
    agent, issue, dissatisfied = chance.randrange(AGENTS), chance.randrange(ISSUES), chance.random() < 0.2
    who = {
        "shop_id": f"shop-{run}-{number % shops}",
        "conversation_id": f"contact-{number}",
        "customer_id": f"customer-{chance.randrange(CUSTOMERS)}",
        "agent_id": f"agent-{agent}",
        "supervisor_id": f"team-{agent % 8}",
        "manager_id": f"manager-{agent % 3}",
    }
    what = {
        "category": f"category-{issue}",
        "subcategory": f"issue-{issue}-{chance.randrange(5)}",
        "product": f"product-{chance.randrange(12)}",
        "channel": "chat",
    }
    kinds = (("conversation_opened", opened), ("agent_message", answered), ("rated", answered + HOUR))
    for kind, at in kinds:
        yield InteractionEvent(
            event_id=f"{number}-{kind}",
            kind=kind,
            occurred_at=at,
            received_at=at,
            rating=(1 if dissatisfied else 5) if kind == "rated" else None,
            **who,  # type: ignore[arg-type]  # names of text fields only
            **what,  # type: ignore[arg-type]
        )


def long_conversation(events: int, *, run: str = "") -> list[InteractionEvent]:
    """One contact in which customer and agent answer each other for so many messages."""
    kinds = ("customer_message", "agent_message")
    return [
        InteractionEvent(
            event_id=f"{run}-{number}",
            shop_id=f"shop-{run}",
            kind=kinds[number % 2],
            occurred_at=START + number * MINUTE,
            received_at=START + number * MINUTE,
            conversation_id="the-long-one",
            customer_id="ann",
            agent_id="bo",
            category="category-1",
            channel="chat",
        )
        for number in range(events)
    ]
