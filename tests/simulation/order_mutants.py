"""Mutants of a conversation's order and of repeated ids: plausible ways to lose the place of an event."""

from dataclasses import replace
from operator import attrgetter
from typing import Any
from unittest import mock

from service_quality.commit import shop_state
from service_quality.commit.state_items import encode_conversation
from service_quality.conversations import conversation, reading_order
from service_quality.events import kinds
from tests.simulation.world import World


def by_id_on_the_log(world: World) -> list[Any]:
    """Equal events of the log are read by their ids, as those of imports are."""
    sound = reading_order._place

    def place(placed: Any) -> Any:
        *first, _, number = sound(placed)
        return (*first, placed.event.event_id, number)

    return [mock.patch.object(reading_order, "_place", place)]


def stored_in_order_of_time(world: World) -> list[Any]:
    """The order in which events arrived is lost when their conversation is stored."""

    def encode(item: Any) -> bytes:
        held = item.conversation
        events = tuple(sorted(held.events, key=attrgetter("occurred_at", "event_id")))
        return encode_conversation(replace(item, conversation=replace(held, events=events)))

    return [mock.patch.object(shop_state, "encode_conversation", encode)]


def correction_comes_last(world: World) -> list[Any]:
    """A correction takes the latest place on the log instead of the one that it corrects."""
    sound = conversation.put_at

    def put_at(held: Any, index: int, event: Any, *, received_clock: int) -> Any:
        changed = sound(held, index, event, received_clock=received_clock)
        events = [one for one in changed.events if one.event_id != event.event_id]
        (corrected,) = (one for one in changed.events if one.event_id == event.event_id)
        return replace(changed, events=(*events, corrected)) if index >= held.imported else changed

    return [mock.patch.object(conversation, "put_at", put_at)]


def conflict_is_a_duplicate(world: World) -> list[Any]:
    """Another content of a known id is left out in silence."""
    return [mock.patch.object(conversation, "_correct", lambda held, index, event, *, received_clock: held)]


def correction_is_a_conflict(world: World) -> list[Any]:
    """No kind may be corrected."""
    return [mock.patch.object(kinds, "CORRECTED", frozenset())]
