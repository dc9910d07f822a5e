"""What was understood of a conversation as a block of lines for people: one fact a line, hours in the shop's zone."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any

from service_quality.alerts.shop_settings import instant_in_words
from service_quality.alerts.wording import value_in_words
from service_quality.instants import parse_instant

#: A part of what `describe_conversation` gives.
Described = Mapping[str, Any]

_INDENT = "    "
_ENDS = {
    "resolved": "resolved",
    "silence": "by silence",
    "reopened": "opened again",
    "age": "by its age",
}


def conversation_text(described: Described, zone: str) -> str:
    """A heading, the facts of the whole conversation, and a block for each round; what is missing has no line."""
    facts = [f"state: {_state(described)}", *_named("belongs to", described["owner"])]
    blocks = [_round_text(one, zone) for one in described["rounds"]]
    heading = f"{described['shop_id']}, conversation {described['conversation_id']}"
    return "\n".join([heading, indent("\n".join([*facts, *blocks]), _INDENT), ""])


def _state(described: Described) -> str:
    if described["merged"]:
        return "merged into another conversation"
    return "closed" if described["closed"] else "open"


def _round_text(one: Described, zone: str) -> str:
    facts = [
        f"opened: {_at(one['opened_at'], zone)}{' (reopened)' if one['reopening'] else ''}",
        *(f"answer: {fact}" for reply in one["replies"] for fact in _reply(reply, zone)),
        *(f"no answer: {_unanswered(turn, zone)}" for turn in one["unanswered"]),
        *_waiting(one, zone),
        *(f"transfer: {_at(at, zone)}" for at in one["transfers"]),
        *(f"complaint: {_at(at, zone)}" for at in one["complaints"]),
        *_end(one, zone),
        *_rating(one, zone),
        *_named("belongs to", one["owner"]),
        f"messages: {one['customer_messages']} of the customer, {one['agent_messages']} of agents, "
        f"{one['bot_messages']} of bots",
    ]
    return "\n".join([f"round {one['number']}", indent("\n".join(facts), _INDENT)])


def _reply(reply: Described, zone: str) -> Iterator[str]:
    """When it came and how long it took; open hours and the parts of several agents on lines of their own."""
    waited = "after a wait of unknown length" if reply["waited_ms"] is None else f"after {_length(reply['waited_ms'])}"
    judged = {None: "", True: ", on time", False: ", not on time"}[reply["on_time"]]
    who = f" by {reply['agent_id']}" if reply["agent_id"] is not None else ""
    yield f"{_at(reply['at'], zone)}{who}, {waited}{judged}{_mark(reply['provisional'])}"
    if reply["business_ms"] is not None:
        yield f"open hours of this wait: {_length(reply['business_ms'])}"
    shares: Sequence[Described] = reply["shares"]
    for share in shares if len(shares) > 1 else ():
        yield f"part of {share['agent_id'] or 'nobody known'} in this wait: {_length(share['waited_ms'])}"


def _unanswered(turn: Described, zone: str) -> str:
    who = f", with {turn['agent_id']}" if turn["agent_id"] is not None else ""
    ended = "ended by silence" if turn["abandoned"] else "ended"
    return f"the wait {ended} at {_at(turn['at'], zone)}{who}{_mark(turn['provisional'])}"


def _waiting(one: Described, zone: str) -> Iterator[str]:
    if one["waiting_since"] is not None:
        yield f"customer waits since: {_at(one['waiting_since'], zone)}{_mark(one['wait_is_provisional'])}"


def _end(one: Described, zone: str) -> Iterator[str]:
    if one["end"] is None:
        yield "ended: not yet"
        return
    at = f"{_at(one['ended_at'], zone)}, " if one["ended_at"] is not None else ""
    yield f"ended: {at}{_ENDS.get(one['end'], one['end'])}"
    if one["resolution_ms"] is not None:
        yield f"time to resolution: {_length(one['resolution_ms'])}"


def _rating(one: Described, zone: str) -> Iterator[str]:
    if one["rating"] is None:
        return
    about = f", about {one['rated_agent']}" if one["rated_agent"] is not None else ""
    verdict = "dissatisfied" if one["dissatisfied"] else "not dissatisfied"
    yield f"rating: {one['rating']} of 5 at {_at(one['rated_at'], zone)}{about}, {verdict}"


def _named(title: str, name: str | None) -> Iterator[str]:
    if name is not None:
        yield f"{title}: {name}"


def _mark(is_provisional: bool) -> str:
    return " (provisional: a calendar is missing)" if is_provisional else ""


def _at(instant: str, zone: str) -> str:
    return instant_in_words(parse_instant(instant), zone)


def _length(milliseconds: int) -> str:
    return value_in_words("waiting_ms", milliseconds, "en")
