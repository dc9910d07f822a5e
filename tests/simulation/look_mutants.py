"""Mutants of looks: plausible ways to forget that a silence ends, or to look where nobody would."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.alerts import looks
from service_quality.alerts.looks import Clocks, Watched
from service_quality.alerts.rules import CONVERSATION, Rule
from service_quality.commit import event_fold, rule_decisions, shop_state
from service_quality.commit.state_items import ConversationItem, encode_conversation
from service_quality.conversations.deadlines import deadline_of
from service_quality.conversations.wait_stages import CLOCK, Stage
from tests.simulation.world import World


def silence_never_ends(world: World) -> list[Any]:
    """What is counted in silence is said at the next event alone."""
    return [mock.patch.object(event_fold, "next_look", return_value=None)]


def looked_at_while_closed(world: World) -> list[Any]:
    """A silence ends at any hour."""
    return [mock.patch.object(looks, "clock_deadline", lambda state, at: deadline_of(state, Stage(CLOCK, at)))]


def looked_at_before_its_events(world: World) -> list[Any]:
    """A look lies where its cooldown ends, also where events of the conversation have come since."""
    sound = looks.next_look

    def next_look(rules: Any, known: Any, state: Any, clocks: Clocks) -> Any:
        return sound(rules, known, state, clocks._replace(received=clocks.clock))

    return [mock.patch.object(event_fold, "next_look", next_look)]


def looked_at_for_nothing(world: World) -> list[Any]:
    """An open alert is looked at when its cooldown ends, whether it was counted or not."""
    sound = looks._looks

    def all_looks(rule: Rule, watched: Watched, state: Any) -> Iterator[int]:
        alert = watched.alert
        if rule.subject == CONVERSATION and alert is not None and alert.open and alert.round == state.number:
            yield alert.sent_at + rule.cooldown_ms
        yield from sound(rule, watched._replace(alert=None), state)

    return [mock.patch.object(looks, "_looks", all_looks)]


def held_not_stored(world: World) -> list[Any]:
    """Since when a condition holds is lost when its conversation is stored."""

    def encode(item: ConversationItem) -> bytes:
        return encode_conversation(replace(item, held={}))

    return [mock.patch.object(shop_state, "encode_conversation", encode)]


def held_since_it_first_was(world: World) -> list[Any]:
    """A condition that fails in between goes on where it was."""
    sound = looks.held_after

    def held_after(rule: Rule, before: Any, stretch: Any, values: Any, clock: int) -> Any:
        found = sound(rule, before, stretch, values, clock)
        if before is None or found is None or before.stretch != stretch:
            return before if found is None else found
        return found._replace(since=before.since | found.since)

    return [mock.patch.object(rule_decisions, "held_after", held_after)]
