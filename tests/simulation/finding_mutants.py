"""Mutants of findings: plausible ways to count one twice, to lose one, or to let a score cost its event."""

from typing import Any
from unittest import mock

from service_quality.commit import finding_fold
from service_quality.commit.event_fold import EventFold
from service_quality.commit.state_items import carry_alerts
from service_quality.commit.stored_json import pack, unpack
from tests.properties import finding_mutants as of_the_core
from tests.simulation.world import World
from tests.stand_ins import rebuilding


def counted_again(world: World) -> list[Any]:
    """A finding of a repeated run counts again."""
    return [mock.patch.object(finding_fold, "is_known", of_the_core.known_if_later)]


def not_stored(world: World) -> list[Any]:
    """What was found is lost when its entity's item is stored."""
    return [of_the_core.not_stored()]


def moves_the_clock(world: World) -> list[Any]:
    """A finding moves the clock to the instant for which it was found."""
    return [mock.patch.object(finding_fold, "apply_finding", of_the_core.moving_the_clock)]


def never_ends(world: World) -> list[Any]:
    """An alert that rests on a finding which has expired stays open."""
    return [of_the_core.never_ends()]


def scored_before_its_facts(world: World) -> list[Any]:
    """An entity is scored by its histories before the event."""
    return [of_the_core.scored_before_its_facts()]


def forgotten_by_a_rebuild(world: World) -> list[Any]:
    """A rebuilt item holds its alerts alone."""

    def carry(rebuilt: bytes, *, before: bytes) -> bytes:
        *whole, carried = unpack(carry_alerts(rebuilt, before=before))
        alerts = carried[0] if isinstance(carried, list) else carried
        alerts.pop("", None)
        return pack([*whole, carried])

    return [mock.patch.object(rebuilding, "carry_alerts", carry)]


def failing_score_is_fold(world: World) -> list[Any]:
    """Takes a failing model of a task for a failing fold."""
    sound = EventFold._score_entities

    def raising(fold: EventFold, event: Any, clock: int, failures: list[Any]) -> Any:
        known = len(failures)
        found = sound(fold, event, clock, failures)
        for failure in failures[known:]:
            raise failure.error
        return found

    return [mock.patch.object(EventFold, "_score_entities", raising)]
