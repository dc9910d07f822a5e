"""The archived ranges of a shop's chain, and the missing ones."""

from service_quality.commit.archived_ranges import (
    NOTHING_ARCHIVED,
    Gap,
    Range,
    add_ranges,
    decode_ranges,
    encode_ranges,
    find_gaps,
    follows_of,
    just_the_row,
    row_key,
)
from tests.stand_ins.archive_rows import position


def between(first: int, last: int) -> Range:
    return Range(position(first), position(last))


def test_rows_in_any_order_and_twice_grow_into_one_range():
    ranges: tuple[Range, ...] = ()
    for first in (3, 0, 2, 2, 1):
        ranges = add_ranges(ranges, [between(first, first + 1)])

    assert ranges == (between(0, 4),)


def test_overlapping_copies_change_nothing():
    assert add_ranges([between(0, 5)], [between(1, 3), between(0, 5)]) == (between(0, 5),)


def test_gaps_are_between_the_ranges_before_the_first_and_behind_the_last():
    ranges = add_ranges([], [between(1, 2), between(4, 6)])

    assert find_gaps(ranges) == [
        Gap("", position(1)),
        Gap(position(2), position(4)),
        Gap(position(6), None),
    ]


def test_of_too_many_ranges_early_ones_are_forgotten_but_not_the_first():
    ranges = add_ranges([], [between(2 * number, 2 * number + 1) for number in range(80)])

    assert len(ranges) == 50
    assert ranges[0] == between(0, 1)
    assert ranges[-1] == between(158, 159)


def test_row_that_does_not_say_how_far_it_goes_is_covered_alone():
    ranges = add_ranges([], [between(0, 1), just_the_row(row_key(position(1))), between(2, 3)])
    (gap, _) = find_gaps(ranges)

    assert gap.after > position(1)
    assert gap.before == position(2)


def test_first_row_can_be_covered_alone():
    assert find_gaps(add_ranges([], [just_the_row("0"), between(1, 2)]))[0] == Gap("!", position(1))


def test_first_row_has_a_key_though_it_follows_nothing():
    assert row_key("") == "0"
    assert follows_of("0") == ""
    assert follows_of(row_key(position(7))) == position(7)


def test_ledger_is_read_as_it_was_written():
    ranges = (between(0, 2), between(3, 5))

    assert decode_ranges(encode_ranges(ranges)) == ranges
    assert decode_ranges(NOTHING_ARCHIVED) == ()
