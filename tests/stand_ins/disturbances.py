"""Disturbances of a replay by its stream: neighbours change places, records come twice, some cannot be read."""

from collections.abc import Sequence
from random import Random

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import MINUTE

#: Records that no reader takes, and the reasons that are stored with them.
UNREADABLE = (
    (b"{broken", "malformed_json"),
    (b"\xff\xfe\x00", "malformed_json"),
    (b"[1, 2]", "not_an_object"),
    (b'{"event_id": "u1", "kind": "sneezed", "occurred_at": "2025-03-03T00:00:00Z"}', "unknown_kind"),
    (b'{"kind": "rated", "text": "' + b"x" * 70_000 + b'"}', "too_large"),
)


def shuffle_within_ten_minutes(events: Sequence[InteractionEvent], random: Random) -> list[InteractionEvent]:
    """Events that are less than ten minutes apart may change places, others not."""
    return sorted(events, key=lambda event: event.occurred_at + random.random() * 10 * MINUTE)


def disturb(events: Sequence[InteractionEvent], random: Random, *, twice: float = 0.1) -> list[InteractionEvent]:
    """The events shuffled within ten minutes, a share of them again up to 200 places later."""
    placed = [(float(place), event) for place, event in enumerate(shuffle_within_ten_minutes(events, random))]
    placed += [(place + random.uniform(0, 200), event) for place, event in placed if random.random() < twice]
    return [event for _, event in sorted(placed, key=lambda pair: pair[0])]
