"""Hours and days are those of the clock on the shop's wall, by the policy that judges the round or the wait."""

import pytest

from service_quality.conversations.event_values import EventValues, read_event_values
from service_quality.conversations.local_time import on_the_clock, start_of_day
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import Placed
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import HOUR, day_of_week, end_of_day, hour_of_day, parse_instant
from service_quality.policies.policy import DEFAULT_POLICY, Policy

MONDAY, SATURDAY, SUNDAY = 0, 5, 6


def in_zone(zone: str) -> Policy:
    return DEFAULT_POLICY._replace(revision=zone, zone=zone)


def said(kind: str, at: str, *, policies: int = 1) -> Placed:
    """An event of the log, which holds so many policies by then; one known to the day comes at its day's end."""
    instant = end_of_day(parse_instant(f"{at}T00:00:00Z")) if len(at) == 10 else parse_instant(at)
    precision = "day" if len(at) == 10 else "ms"
    event = InteractionEvent(
        event_id=f"{kind} {at}", shop_id="s", kind=kind, occurred_at=instant, received_at=instant, precision=precision,
        conversation_id="c", agent_id="ann" if kind == "agent_message" else None, policies_known=policies,
    )  # fmt: skip
    return Placed(event, instant)


def values(*placed: Placed, policies: tuple[Policy, ...]) -> EventValues:
    return read_event_values(read_conversation(placed, policies), placed[-1].event)


@pytest.mark.parametrize(
    ("zone", "opened", "hour", "weekday"),
    [
        ("UTC", "2026-11-22T16:00:00Z", 16, SUNDAY),
        ("Asia/Shanghai", "2026-11-22T15:59:59Z", 23, SUNDAY),
        ("Asia/Shanghai", "2026-11-22T16:00:00Z", 0, MONDAY),
        ("Asia/Kolkata", "2026-11-22T18:29:59Z", 23, SUNDAY),
        ("Asia/Kolkata", "2026-11-22T18:30:00Z", 0, MONDAY),
        ("America/St_Johns", "2026-11-22T03:29:00Z", 23, SATURDAY),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", 2, SUNDAY),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", 2, SUNDAY),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", 23, SUNDAY),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", 3, SUNDAY),
    ],
)
def test_hour_and_day_of_opening_and_event_are_those_of_the_zone(zone, opened, hour, weekday):
    found = values(said("customer_message", opened), policies=(in_zone(zone),))

    assert (found["opened_hour"], found["opened_weekday"]) == (hour, weekday)
    assert (found["event_hour"], found["event_weekday"]) == (hour, weekday)


def test_round_that_began_before_the_policy_keeps_its_zone():
    asked, noted = (
        said("customer_message", "2026-11-22T16:00:00Z", policies=0),
        said("internal_note", "2026-11-22T17:00:00Z"),
    )

    found = values(asked, noted, policies=(in_zone("Asia/Shanghai"),))

    assert (found["opened_hour"], found["event_hour"], found["opened_weekday"]) == (16, 17, SUNDAY)


@pytest.mark.parametrize(
    ("zone", "asked", "answered", "days"),
    [
        ("UTC", "2026-11-22T15:00:00Z", "2026-11-22T17:00:00Z", 0),
        ("Asia/Shanghai", "2026-11-22T15:00:00Z", "2026-11-22T17:00:00Z", 1),
        ("Asia/Shanghai", "2026-11-22T23:30:00Z", "2026-11-23T00:30:00Z", 0),
        ("Asia/Kolkata", "2026-11-22T18:29:00Z", "2026-11-22T18:31:00Z", 1),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:00Z", 0),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 1),
    ],
)
def test_days_of_a_wait_are_the_midnights_of_the_zone(zone, asked, answered, days):
    question, policies = said("customer_message", asked), (in_zone(zone),)

    assert values(question, said("internal_note", answered), policies=policies)["waiting_days"] == days
    assert values(question, said("agent_message", answered), policies=policies)["first_response_days"] == days


def test_answer_known_to_the_day_waited_at_least_until_that_day_began_in_the_zone():
    question, answer = said("customer_message", "2026-11-22T15:00:00Z"), said("agent_message", "2026-11-23")

    shanghai, utc = (values(question, answer, policies=(in_zone(zone),)) for zone in ("Asia/Shanghai", "UTC"))

    assert (shanghai["first_response_at_least_ms"], utc["first_response_at_least_ms"]) == (HOUR, 9 * HOUR)
    assert shanghai["first_response_days"] == utc["first_response_days"] == 1


def test_answer_of_a_day_that_was_over_on_the_shops_clock_says_nothing_of_the_wait():
    question, answer = said("customer_message", "2026-11-22T17:00:00Z"), said("agent_message", "2026-11-22")

    found = values(question, answer, policies=(in_zone("Asia/Shanghai"),))

    assert (found["first_response_days"], found["first_response_at_least_ms"]) == (0, None)


def test_event_known_to_the_day_keeps_the_day_that_its_source_named():
    found = values(said("customer_message", "2026-11-22"), policies=(in_zone("Asia/Shanghai"),))

    assert (found["opened_hour"], found["opened_weekday"], found["event_weekday"]) == (None, SUNDAY, SUNDAY)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", "2026-11-23", "2026-11-23T00:00:00Z"),
        ("Asia/Shanghai", "2026-11-23", "2026-11-22T16:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-05", "2026-10-04T13:00:00Z"),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"),  # the clock leaps from 00:00 to 01:00
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),  # the clock shows 00:00 twice
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),  # the day before was left out
    ],
)
def test_day_begins_where_the_clock_first_shows_it(zone, day, begins):
    noon = parse_instant(f"{day}T12:00:00Z")
    start = start_of_day(noon // (24 * HOUR), zone)

    assert start == parse_instant(begins)
    assert day_of_week(on_the_clock(start, "ms", zone)) == day_of_week(noon)
    assert hour_of_day(on_the_clock(start - 1, "ms", zone)) == 23
