"""Which part of a log the sums of a column hold, as plans change and imports fill in the past."""

import pytest

from service_quality.errors import RejectedEventError
from service_quality.histories.counting import EVERYTHING, Restart
from service_quality.histories.history import HistoryPlan
from service_quality.instants import DAY, HOUR

SMALL = HistoryPlan({"agent": {"1d": ("replies",)}})
LARGE = HistoryPlan({"agent": {"1d": ("contacts", "replies"), "30d": ("ratings",)}})
CONTACTS, REPLIES, RATINGS = LARGE.columns
NOON = 19_600 * DAY + DAY // 2


def test_new_shop_counts_everything_from_its_first_record():
    counting = EVERYTHING.under(LARGE.columns, follows="", clock=0)

    assert (counting.columns, counting.revision, counting.restarts) == (LARGE.columns, 0, ())
    assert counting.missing_at(NOON, LARGE) == frozenset()


def test_new_column_counts_from_the_position_where_the_plan_changed():
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)

    assert counting.restarts == (Restart(1, "7", NOON, (CONTACTS, RATINGS)),)
    assert counting.under(LARGE.columns, follows="8", clock=NOON) is counting


@pytest.mark.parametrize(
    ("clock", "missing"),
    [
        (NOON, {"1d", "30d"}),
        (NOON + DAY, {"1d", "30d"}),  # its window still holds the tile of the restart's clock
        (NOON + DAY + HOUR, {"30d"}),
        (NOON + 31 * DAY, set()),
    ],
)
def test_new_column_is_missing_until_its_window_starts_after_the_tile_of_the_change(clock, missing):
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)

    assert {column.window for column in counting.missing_at(clock, LARGE)} == missing


def test_column_that_a_deployment_does_not_know_is_dropped_and_counts_anew_after_going_forward_again():
    first = EVERYTHING.under(LARGE.columns, follows="", clock=0)
    back = first.under(SMALL.columns, follows="3", clock=NOON)
    forward = back.under(LARGE.columns, follows="9", clock=NOON + HOUR)

    assert back.restarts == ()
    assert forward.restarts == (Restart(1, "9", NOON + HOUR, (CONTACTS, RATINGS)),)
    assert not forward.holds(CONTACTS, revision=0)
    assert forward.holds(REPLIES, revision=0)
    assert forward.holds(CONTACTS, revision=1)


def test_columns_that_were_filled_in_are_complete_and_older_sums_of_them_still_do_not_count():
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)

    filled = counting.filled([RATINGS], follows="7")

    assert {column.fact for column in filled.missing_at(NOON, LARGE)} == {"contacts"}
    assert not filled.holds(RATINGS, revision=0)
    assert [one.columns for one in filled.incomplete()] == [(CONTACTS,)]


@pytest.mark.parametrize(("columns", "follows"), [([RATINGS], "6"), ([REPLIES], "7"), ([RATINGS, "other"], "7")])
def test_past_of_columns_that_do_not_begin_there_is_rejected(columns, follows):
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)

    with pytest.raises(RejectedEventError, match="columns that do not begin there"):
        counting.filled(columns, follows=follows)


def test_past_is_filled_in_once():
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)

    with pytest.raises(RejectedEventError, match="such as"):
        counting.filled([RATINGS], follows="7").filled([RATINGS], follows="7")


def test_stored_windows_name_only_what_counts():
    counting = EVERYTHING.under(SMALL.columns, follows="", clock=0).under(LARGE.columns, follows="7", clock=NOON)
    stored: list[list[str | int]] = [
        ["1d", HOUR, "contacts", "replies"],
        ["30d", DAY, "ratings"],
        ["2y", DAY, "ratings"],
    ]

    assert counting.counted("agent", stored, LARGE, revision=1) == stored
    assert counting.counted("agent", stored, LARGE, revision=0) == [
        ["1d", HOUR, "", "replies"],
        ["30d", DAY, ""],
        ["2y", DAY, ""],
    ]
