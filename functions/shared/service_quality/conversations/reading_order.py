"""The order in which a conversation is read: by instant; at one instant by origin, question, sequence and arrival."""

from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation
from service_quality.events import kinds
from service_quality.events.interaction_event import InteractionEvent


class Placed(NamedTuple):
    """An event of a conversation, and its place in the conversation's log; None for an event of an import."""

    event: InteractionEvent
    number: int | None


def in_order(conversation: Conversation) -> list[Placed]:
    """The events of a conversation in the order in which they are read."""
    imported = conversation.imported
    placed = [Placed(event, None if index < imported else index) for index, event in enumerate(conversation.events)]
    instants = [event.occurred_at for event in conversation.events]
    if all(before < after for before, after in pairwise(instants)):
        return placed
    return _by_sequence(sorted(placed, key=_place))


def _place(placed: Placed) -> tuple[int, bool, int, int, str, int]:
    event, number = placed
    sequence = -1 if event.sequence is None else event.sequence
    is_logged, rank = number is not None, kinds.rank(event.kind)
    return event.occurred_at, is_logged, rank, sequence, "" if is_logged else event.event_id, number or 0


def _by_sequence(placed: list[Placed]) -> list[Placed]:
    """The same, with the log's events of one instant by the source's own sequence where all of them have one."""
    ordered: list[Placed] = []
    for (_, is_logged), group in groupby(placed, key=lambda one: (one.event.occurred_at, one.number is not None)):
        together = list(group)
        numbered = [(one.event.sequence, one) for one in together if one.event.sequence is not None]
        if is_logged and len(numbered) == len(together):
            together = [one for _, one in sorted(numbered, key=itemgetter(0))]
        ordered += together
    return ordered
