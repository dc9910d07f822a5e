"""Records that cannot be taken are stored with their position, and change nothing else."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service_quality.errors import RejectedEventError
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.properties.online_run import batches, new_store, new_worker, remains
from tests.properties.random_logs import HOSTILE, START, Choices, RandomLog, logs, mutated, random_event

JSON = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({"$ne": 1})
)


@st.composite
def noise(draw: st.DrawFn) -> bytes:
    """A record that no parser of events takes."""
    if draw(st.booleans()):
        return draw(st.sampled_from(HOSTILE) | st.binary(max_size=20))
    event = random_event(Choices(draw(st.integers(0, 2**40))), "noise", shop_id="shop", now=START)
    return mutated(event, draw(st.sampled_from(("event_id", "shop_id", "kind", "occurred_at"))), draw(JSON))


def is_rejected(data: bytes, arrived_at: int) -> bool:
    try:
        parse_record(data, arrived_at=arrived_at, shop_id="shop")
    except RejectedEventError:
        return True
    return False


def with_noise(log: RandomLog, noises: list[tuple[int, bytes]]) -> tuple[RandomLog, list[LogRecord]]:
    """The log with noise after some of its records, at positions of its own."""
    added = []
    for index, (after, data) in enumerate(noises):
        record = log.records[after % len(log.records)]
        added.append(LogRecord(f"{record.position}-{index:04d}", data, record.arrived_at))
    return replace(log, records=sorted([*log.records, *added], key=lambda record: record.position)), added


@settings(max_examples=40)
@given(logs(SMALL, most=15), st.lists(st.tuples(st.integers(0, 14), noise()), min_size=1, max_size=5))
def test_rejected_records_are_stored_and_change_nothing_else(log, noises):
    noisy, added = with_noise(log, noises)
    assume(all(is_rejected(record.data, record.arrived_at) for record in added))
    stores = []
    for one in (log, noisy):
        stores.append(new_store(one))
        for batch in batches(one.records, [6]):
            new_worker(stores[-1], SMALL, SMALL_RULES).advance_shop("shop", batch)

    clean, found = (remains(store, "shop") for store in stores)

    positions = {record.position for record in added}
    assert [entry for entry in found.entries if entry["position"] not in positions] == clean.entries
    assert {entry["position"] for entry in found.entries if "rejected" in entry} >= positions
    assert found.shop._replace(last_position="") == clean.shop._replace(last_position="")
    assert (found.items, found.alerts) == (clean.items, clean.alerts)
    assert {position: stored[0] for position, stored in found.rejected.items()} == {
        **{position: stored[0] for position, stored in clean.rejected.items()},
        **{record.position: record.data for record in added},
    }


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_record_is_rejected(data):
    assert is_rejected(data, START)
