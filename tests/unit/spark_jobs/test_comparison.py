"""The differences between served and recomputed values."""

import struct

import numpy as np
import pyarrow as pa
import pytest

from spark_jobs.reader.comparison import _count

OTHER_NAN = struct.unpack("<f", struct.pack("<I", 0xFFC00001))[0]
NAN = float("nan")
SCHEMA = pa.schema(
    [
        ("served_clock", pa.int64()),
        ("served_vector", pa.list_(pa.float32())),
        ("clock", pa.int64()),
        ("features", pa.list_(pa.float32())),
    ]
)


def count(*pairs, places=(0, 1)):
    """By feature, the clock first: (compared, mismatched, missing, extra) of (clock, vector) pairs."""
    rows = []
    for served, computed in pairs:
        served_clock, served_vector = served or (None, None)
        clock, features = computed or (None, None)
        rows.append(
            {"served_clock": served_clock, "served_vector": served_vector, "clock": clock, "features": features}
        )
    counts = _count(pa.RecordBatch.from_pylist(rows, schema=SCHEMA), places).to_pylist()
    assert [row.pop("feature") for row in counts] == [-1, *range(len(places))]
    return [tuple(row.values()) for row in counts]


def test_equal_bits_are_no_difference():
    assert count(((7, [1.5, -2.0]), (7, [1.5, -2.0]))) == [(1, 0, 0, 0)] * 3


def test_smallest_difference_is_found_in_its_feature():
    next_to_one = float(np.nextafter(np.float32(1), np.float32(2)))

    assert count(((7, [1.0, 2.0]), (7, [next_to_one, 2.0]))) == [(1, 0, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0)]


def test_kinds_of_nan_are_one():
    assert count(((7, [OTHER_NAN, NAN]), (7, [NAN, OTHER_NAN]))) == [(1, 0, 0, 0)] * 3


@pytest.mark.parametrize("other", [0.0, 1.0, float("inf")])
def test_missing_value_differs_from_every_number(other):
    assert count(((7, [NAN, 0.0]), (7, [other, 0.0])))[1] == (1, 1, 0, 0)


def test_zeros_of_both_signs_differ():
    assert count(((7, [0.0, 0.0]), (7, [-0.0, 0.0])))[1] == (1, 1, 0, 0)


def test_other_clock_is_a_difference():
    assert count(((7, [1.0, 2.0]), (8, [1.0, 2.0])))[0] == (1, 1, 0, 0)


def test_event_that_was_not_served_is_missing_in_every_feature():
    pairs = [(None, (7, [1.0, 2.0])), ((8, [1.0, 2.0]), (8, [1.0, 2.0]))]

    assert count(*pairs) == [(1, 0, 1, 0)] * 3


def test_event_that_should_not_have_been_served_is_extra_in_every_feature():
    assert count(((7, [1.0, 2.0]), None)) == [(0, 0, 0, 1)] * 3


def test_nothing_to_compare_is_counted_as_nothing():
    assert count() == [(0, 0, 0, 0)] * 3


def test_features_are_compared_by_their_places_in_what_was_served():
    served, computed = [5.0, 1.0, 9.0], [1.0, 2.0, 5.0]

    counts = count(((7, served), (7, computed)), places=(1, -1, 0))

    assert counts == [(1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0)]


def test_vectors_that_share_no_feature_are_compared_by_the_clock_alone():
    assert count(((7, [1.0]), (8, [1.0, 2.0])), places=(-1, -1)) == [(1, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)]
