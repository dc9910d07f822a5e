"""Business time is what the minute-by-minute oracle counts, additive, monotone, and has an inverse."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.instants import DAY, parse_instant
from service_quality.policies.business_time import BusinessTime
from tests.properties.business_time_check import difference, main
from tests.properties.random_policies import ODD_DAYS, random_policy, random_span

COUNTERS = [BusinessTime(random_policy(rng, random_span(rng)[0].date())[0]) for rng in map(Random, range(200))]
NEAR = [parse_instant(f"{day}T00:00Z") for day in ODD_DAYS]

counters = st.sampled_from(COUNTERS)
instants = st.builds(int.__add__, st.sampled_from(NEAR), st.integers(-2 * DAY, 2 * DAY))
spans = st.integers(0, 4 * DAY)


def test_business_time_is_what_the_oracle_counts():
    assert [one for one in map(difference, range(300)) if one] == []


@pytest.mark.long
def test_business_time_is_what_the_oracle_counts_on_10_000_calendars():
    assert main(10_000) == 0


@given(counters, instants, spans, spans)
def test_business_time_is_additive(counter, start, first, second):
    middle, end = start + first, start + first + second

    assert counter.between(start, middle) + counter.between(middle, end) == counter.between(start, end)


@given(counters, instants, spans)
def test_business_time_grows_by_at_most_the_time_that_passes(counter, start, span):
    assert 0 <= counter.between(start, start + span) <= span


@given(counters, instants, spans)
def test_instant_after_is_the_first_at_which_the_time_has_passed(counter, start, business_ms):
    end = counter.instant_after(start, business_ms)

    assert end is not None
    assert counter.between(start, end) == business_ms
    assert end == start or counter.between(start, end - 1) < business_ms


@given(counters, instants, spans)
def test_instant_after_the_time_between_is_not_later(counter, start, span):
    passed = counter.between(start, start + span)

    assert counter.instant_after(start, passed) <= start + span
