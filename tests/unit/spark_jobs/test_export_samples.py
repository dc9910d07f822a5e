"""Each sample of an export gives what a careful person reads in it; they were written apart from the mappings."""

import pytest

from spark_jobs.sources.mapping_file import shipped_mappings
from tests.unit.spark_jobs.export_samples import SAMPLES, described, expected_of, read_sample, sorted_texts


def test_every_mapping_has_a_sample():
    assert sorted(path.name for path in SAMPLES.iterdir()) == list(shipped_mappings())


@pytest.mark.parametrize("name", shipped_mappings())
def test_sample_gives_its_events(name):
    made = ("conversation_id",) if name == "chinese_reviews" else ()  # the file names no conversation

    events = [described(event, without=made) for one in read_sample(name) for event in one.read.events]

    assert sorted_texts(events) == sorted_texts(expected_of(name)["events"])


@pytest.mark.parametrize("name", shipped_mappings())
def test_sample_rejects_leaves_out_and_counts_what_its_reader_does(name):
    expected, outcomes = expected_of(name), read_sample(name)
    # rows of orders without an event of their own are read with their items
    left_out = [one.row for one in outcomes if one.read.left_out and "orders" not in one.row.file]

    assert sorted((one.row.file, one.row.line) for one in outcomes if one.read.reason) == places(
        expected["rejected_rows"]
    )
    assert sorted((row.file, row.line) for row in left_out) == places(expected["left_out_rows"])
    assert sorted((one.row.file, one.row.line, column) for one in outcomes for column in one.read.odd) == sorted(
        (one["file"], one["line"], one["column"]) for one in expected["odd_values"]
    )


def places(rows):
    """Where rows stand."""
    return sorted((row["file"], row["line"]) for row in rows)


@pytest.mark.parametrize("name", shipped_mappings())
def test_event_has_one_id_in_every_export(name):
    ids = [event.event_id for one in read_sample(name) for event in one.read.events]

    assert len(set(ids)) == len(ids)
    assert ids == [event.event_id for one in read_sample(name) for event in one.read.events]
