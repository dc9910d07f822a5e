"""Copies of what is read of a conversation, from which reading goes on; what later events cannot change is shared."""

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING

from service_quality.conversations.rounds import Round

if TYPE_CHECKING:
    from service_quality.conversations.reading import ConversationState

_CHANGING = ("replies", "unanswered", "transfers", "complaints", "ratings")


def copy_state(state: "ConversationState", others: Iterable[Round]) -> tuple["ConversationState", dict[int, Round]]:
    """A copy that may be changed, and the copies of rounds by the id of the round.

    A later event may change the last round, the one that was replied in last, and `others`.
    """
    own = [*state.rounds[-1:], *([state.replied] if state.replied is not None else []), *others]
    copies = {id(one): one for one in own}
    copies = {key: _copy_round(one) for key, one in copies.items()}
    copied = copy(state)
    copied.rounds = [copies.get(id(one), one) for one in state.rounds]
    copied.replied = None if state.replied is None else copies[id(state.replied)]
    if state.turn is not None:
        copied.turn = copy(state.turn)
        copied.turn.holders = [*state.turn.holders]
    copied.loose, copied.pauses, copied.complaints = [*state.loose], [*state.pauses], [*state.complaints]
    copied.answered_ahead, copied.currencies = set(state.answered_ahead), dict(state.currencies)
    copied.contact = dict(state.contact)
    copied.agents = {agent_id: dict(profile) for agent_id, profile in state.agents.items()}
    return copied, copies


def _copy_round(one: Round) -> Round:
    copied = copy(one)
    for name in _CHANGING:
        setattr(copied, name, [*getattr(one, name)])
    return copied
