"""Platform standards: dated presets, and how a shop does by them."""

import pytest

from service_quality.instants import MINUTE, SECOND, parse_instant
from service_quality.policies.local_days import parse_day
from service_quality.policies.platform_standards import (
    DayCount,
    StandardState,
    assess,
    counted_day,
    load_standards,
    project,
    rounds_to_target,
)

TAOBAO, PINDUODUO, JD = load_standards().values()
TODAY = parse_day("2026-11-24")


def month(rounds: int, on_time: int, *, until: int = TODAY, days: int = 30) -> list[DayCount]:
    return [DayCount(until - back, rounds, on_time) for back in range(days)]


def test_presets_are_what_platforms_are_known_to_ask():
    assert (TAOBAO.within_ms, TAOBAO.hours, TAOBAO.window_days) == (3 * MINUTE, (540, 1380), 30)
    assert (TAOBAO.target_permille, TAOBAO.minimum, TAOBAO.counted) == (900, 100, "round")
    assert (PINDUODUO.within_ms, PINDUODUO.hours, PINDUODUO.counted) == (3 * MINUTE, (480, 1380), "customer_day")
    assert (JD.within_ms, JD.same_session_ms, JD.counted) == (30 * SECOND, 10 * MINUTE, "first_consult")


@pytest.mark.parametrize("standard", load_standards().values(), ids=load_standards())
def test_preset_is_dated_and_says_where_it_comes_from(standard):
    assert standard.as_of == parse_day("2026-11-26")
    assert standard.source
    assert "check with your platform" in standard.note


@pytest.mark.parametrize(
    ("began_at", "day"),
    [
        ("2026-11-24T00:59:59.999Z", None),
        ("2026-11-24T01:00Z", "2026-11-24"),
        ("2026-11-24T14:59:59.999Z", "2026-11-24"),
        ("2026-11-24T15:00Z", None),
        ("2026-11-23T22:00Z", None),
    ],
)
def test_round_counts_within_the_hours_of_the_platform(began_at, day):
    assert counted_day(TAOBAO, parse_instant(began_at)) == (parse_day(day) if day else None)


@pytest.mark.parametrize(
    ("rounds", "on_time", "state", "to_target"),
    [
        (99, 99, StandardState.NOT_ASSESSED, 1),
        (100, 90, StandardState.MET, 0),
        (100, 89, StandardState.MISSED, 10),
        (1_000, 899, StandardState.MISSED, 10),
        (0, 0, StandardState.NOT_ASSESSED, 100),
        (50, 0, StandardState.NOT_ASSESSED, 450),
    ],
)
def test_shop_is_assessed_from_the_minimum_on(rounds, on_time, state, to_target):
    found = assess(TAOBAO, [DayCount(TODAY, rounds, on_time)], today=TODAY)

    assert (found.state, found.rounds, found.on_time, found.rounds_to_target) == (state, rounds, on_time, to_target)
    assert found.permille == (on_time * 1_000 // rounds if rounds else None)


def test_window_has_thirty_days_with_today():
    days = [DayCount(TODAY - 30, 500, 0), DayCount(TODAY - 29, 100, 100), DayCount(TODAY + 1, 500, 0)]

    assert assess(TAOBAO, days, today=TODAY)[:4] == (StandardState.MET, 100, 100, 1_000)


def test_shop_without_a_known_target_has_a_rate_alone():
    found = assess(JD, month(10, 8), today=TODAY)

    assert found == (StandardState.NO_TARGET, 300, 240, 800, None)
    assert assess(JD._replace(target_permille=800), month(10, 8), today=TODAY).state is StandardState.MET


def test_number_of_rounds_to_the_target_is_the_least():
    for rounds in range(0, 400, 7):
        for on_time in range(0, rounds + 1, 3):
            needed = rounds_to_target(TAOBAO, rounds, on_time)
            assert needed is not None
            reached = [
                n
                for n in (needed - 1, needed)
                if n >= 0 and rounds + n >= 100 and 10 * (on_time + n) >= 9 * (rounds + n)
            ]
            assert reached == [needed]


def test_full_target_is_out_of_reach_after_one_miss():
    all_of_them = TAOBAO._replace(target_permille=1_000)

    assert rounds_to_target(all_of_them, 200, 199) is None
    assert rounds_to_target(all_of_them, 200, 200) == 0


def test_projection_of_today_is_the_present_rate():
    days = month(10, 8)

    assert project(TAOBAO, days, today=TODAY, ends_on=TODAY) == assess(TAOBAO, days, today=TODAY).permille == 800


def test_projection_forgets_what_leaves_and_goes_on_as_the_latest_week():
    days = month(10, 5, until=TODAY - 7, days=23) + month(10, 10, days=7)

    assert assess(TAOBAO, days, today=TODAY).permille == 616
    assert project(TAOBAO, days, today=TODAY, ends_on=TODAY + 10) == (13 * 5 + 17 * 10) * 1_000 // 300
    assert project(TAOBAO, days, today=TODAY, ends_on=TODAY + 30) == 1_000
    assert project(TAOBAO, days, today=TODAY, ends_on=TODAY + 300) == 1_000


def test_projection_below_the_minimum_is_not_assessed():
    assert project(TAOBAO, month(3, 3), today=TODAY, ends_on=TODAY + 5) is None
    assert project(JD, [], today=TODAY, ends_on=TODAY) is None
