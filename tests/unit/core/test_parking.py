"""A shop that is set aside: what is parked, and what is never."""

from service_quality.commit.shop_item import Parked
from service_quality.events.control_records import ShopUnparked
from service_quality.events.event_forms import event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import new_worker
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.unit.core.sample_events import NOON, event


def place(number: int) -> str:
    return str(Position(1, number))


def message(number: int) -> LogRecord:
    one = event("customer_message", number, event_id=f"m{number}", conversation_id="c")
    return LogRecord(place(number), event_to_json(one), NOON + 1_000)


def unparking(number: int, *, until: int) -> LogRecord:
    control = ShopUnparked(shop_id="shop", run="r1", until=place(until))
    return LogRecord(place(number), record_json(control, issued_at=NOON), NOON + 1_000)


def parked(store: MemoryStore) -> Parked | None:
    shop = store.read_shop("shop")
    assert shop is not None
    return shop.parked


def test_end_of_a_run_takes_effect_in_a_batch_that_is_set_aside():
    store = MemoryStore()
    worker = new_worker(store, SMALL, ())
    worker.park_shop("shop", [message(1), message(2)])

    worker.park_shop("shop", [unparking(3, until=2)])

    assert parked(store) is None
    assert (place(3), "parked") not in {
        (one["position"], one.get("rejected")) for one in archived_entries(store.rows, "shop")
    }


def test_what_comes_behind_the_end_of_a_run_is_parked_again():
    store = MemoryStore()
    worker = new_worker(store, SMALL, ())
    worker.park_shop("shop", [message(1)])

    worker.park_shop("shop", [message(2), unparking(3, until=1), message(4)])

    assert parked(store) == Parked(until=place(4))
    rejected = {one["position"]: one.get("rejected") for one in archived_entries(store.rows, "shop")}
    assert rejected == {place(1): "parked", place(2): "parked", place(3): None, place(4): "parked"}
