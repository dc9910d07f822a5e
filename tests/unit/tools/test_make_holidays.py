"""The calendar is written only where both libraries agree."""

import json
from copy import deepcopy

import pytest

from tools.make_holidays import DisagreementError, Said, differences, render_calendar

SAID: Said = {
    "chinesecalendar": {"2026": {"free_weekdays": ["2026-01-01", "2026-01-02"], "make_up_days": ["2026-01-04"]}},
    "holidays": {"2026": {"free_weekdays": ["2026-01-01", "2026-01-02"], "make_up_days": ["2026-01-04"]}},
    "named": {"2026": ["2026-01-01", "2026-01-02", "2026-01-03"]},
    "statutory": {"2027": ["2027-01-01"]},
}


def test_calendar_has_named_days_make_up_days_and_statutory_days():
    document = json.loads(render_calendar(SAID))

    assert document["published"] == {"2026": {"holidays": SAID["named"]["2026"], "make_up_days": ["2026-01-04"]}}
    assert document["provisional"] == {"2027": {"holidays": ["2027-01-01"]}}


@pytest.mark.parametrize("kind", ["free_weekdays", "make_up_days"])
def test_day_about_which_the_libraries_differ_stops_the_tool(kind):
    said = deepcopy(SAID)
    day = said["holidays"]["2026"][kind].pop()  # type: ignore[literal-required]

    assert differences(said) == [f"{day}: found two answers, expected one"]
    with pytest.raises(DisagreementError, match=day):
        render_calendar(said)


def test_free_weekday_without_a_name_stops_the_tool():
    said = deepcopy(SAID)
    said["named"]["2026"].remove("2026-01-02")

    assert differences(said) == ["2026-01-02: found a free weekday without a holiday's name, expected one"]
