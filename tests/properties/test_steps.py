"""The core's fold shows and changes, event by event, the same values as the oracle reads from the raw events."""

import pytest
from hypothesis import given, settings

from tests.properties.bounds_check import (
    assert_cache_holds_so_many_items,
    assert_conversation_holds_so_many_events,
    assert_item_holds_so_many_histories,
)
from tests.properties.feature_sets import SMALL
from tests.properties.random_logs import RandomLog, logs
from tests.properties.step_check import assert_steps_equal_oracle, assert_steps_under_policies_equal_oracle


@settings(max_examples=60)
@given(logs(SMALL, most=40))
def test_every_step_equals_the_oracle(log: RandomLog):
    assert_steps_equal_oracle(log)


@settings(max_examples=40)
@given(logs(SMALL, most=60))
def test_every_step_under_policies_equals_the_oracle(log: RandomLog):
    assert_steps_under_policies_equal_oracle(log)


@pytest.mark.slow
@settings(max_examples=400)
@given(logs(SMALL, most=80))
def test_every_step_equals_the_oracle_on_longer_logs(log: RandomLog):
    assert_steps_equal_oracle(log)


def test_conversation_takes_500_events_and_rejects_the_next():
    assert_conversation_holds_so_many_events()


def test_item_takes_300_histories_and_rejects_the_next():
    assert_item_holds_so_many_histories()


def test_cache_of_20_000_items_lets_go_at_the_next():
    assert_cache_holds_so_many_items()
