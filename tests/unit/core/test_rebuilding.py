"""A fold that changed: the records of its shops wait, until rebuilt state takes the place of what they had."""

from dataclasses import replace

import pytest

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.put_back import RejectedRecord, put_back_parked
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import ControlRecord, StateRebuilt
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.properties.online_run import SCORER
from tests.stand_ins.archive_chain import archive_links, archived_entries
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.rebuilding import Rebuild, rebuild, undecorated
from tests.unit.core.sample_events import NOON, event

LATER = NOON + 60_000


def worker(store: MemoryStore, fold_version: str) -> OnlineCommit:
    return OnlineCommit(store, lambda: SCORER, SMALL, SMALL_RULES, control_key, fold_version=fold_version)


def at(number: int) -> str:
    return str(Position(1, number))


def records(*contents: InteractionEvent | ControlRecord, first: int) -> list[LogRecord]:
    return [LogRecord(at(first + n), record_json(one, issued_at=LATER), LATER) for n, one in enumerate(contents)]


def messages(*numbers: int) -> list[InteractionEvent]:
    """A contact of one agent and customer: asked and answered by turns."""
    kinds = ("customer_message", "agent_message")
    return [
        event(kinds[n % 2], n * 1_000, event_id=f"m{n}", agent_id="ann", customer_id="zoe", category="Returns")
        for n in numbers
    ]


def state_of(store: MemoryStore) -> ShopItem:
    shop = store.read_shop("shop")
    assert shop is not None
    return shop


def items_of(store: MemoryStore) -> dict[str, bytes]:
    return {key: data for (_, key), data in store.items.items()}


def make_rebuild(store: MemoryStore, *folded: InteractionEvent, fold_version: str, rebuild_id: str = "r1") -> Rebuild:
    """The rebuild of the shop from the events that it has folded."""
    calm = MemoryStore()
    worker(calm, fold_version).advance_shop("shop", records(*folded, first=0))
    made = rebuild(calm, state_of(store), items_of(store), SMALL, shop_id="shop", rebuild_id=rebuild_id)
    store.items.update({("shop", key): data for key, data in made.items.items()})
    return made


def put_back(store: MemoryStore, *, first: int, run: str = "back") -> list[LogRecord]:
    parked = [
        RejectedRecord("shop", position, one.reason, one.record.arrived_at, one.record.data)
        for (_, position), one in store.rejected.items()
        if one.reason == "parked"
    ]
    until = state_of(store).parked
    assert until is not None
    return records(*put_back_parked(parked, run=run, now=LATER, until=until.until), first=first)


def folded_ids(store: MemoryStore) -> list[str]:
    entries = archived_entries(store.rows, "shop")
    return [one["event"]["event_id"] for one in entries if "event_id" in one.get("event", {})]


def waiting_shop() -> MemoryStore:
    """A shop of version "one" with four events folded, and two that wait for version "two"."""
    store = MemoryStore()
    worker(store, "one").advance_shop("shop", records(*messages(0, 1, 2, 3), first=0))
    stats = worker(store, "two").advance_shop("shop", records(*messages(4, 5), first=4))
    assert (stats.waiting, stats.accepted, stats.parked) == (2, 0, 0)
    return store


def test_rebuilt_shop_goes_on_where_it_stood_and_equals_an_undisturbed_one():
    store, calm = waiting_shop(), MemoryStore()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    two = worker(store, "two")

    two.advance_shop("shop", records(made.record, first=6))
    assert state_of(store).fold_version == "two"
    two.advance_shop("shop", put_back(store, first=7))
    two.advance_shop("shop", records(*messages(6), first=20))

    worker(calm, "two").advance_shop("shop", records(*messages(*range(7)), first=0))
    assert folded_ids(store) == folded_ids(calm)
    assert undecorated(items_of(store), "r1") == items_of(calm)
    assert alerts_of(store) == alerts_of(calm)
    assert alerts_of(calm)
    assert (state_of(store).clock, state_of(store).parked) == (state_of(calm).clock, None)


def alerts_of(store: MemoryStore) -> dict:
    return {key: row.body for key, row in store.rows.items() if row.row_kind in ("alert", "state")}


def test_shop_without_waiting_records_is_rebuilt_and_goes_on_at_once():
    store = MemoryStore()
    worker(store, "one").advance_shop("shop", records(*messages(0, 1), first=0))
    made = make_rebuild(store, *messages(0, 1), fold_version="two")

    stats = worker(store, "two").advance_shop("shop", records(made.record, *messages(2), first=2))

    assert (stats.accepted, stats.waiting, state_of(store).generation) == (2, 0, "r1")


def test_old_items_are_read_no_more():
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    old = {key: b"of a form that version two cannot read" for key in items_of(store) if not key.endswith("@r1")}
    store.items.update({("shop", key): data for key, data in old.items()})
    two = worker(store, "two")

    two.advance_shop("shop", records(made.record, first=6))
    stats = two.advance_shop("shop", put_back(store, first=7))

    assert stats.accepted == 2 + 1  # and the end of the run
    assert {key: items_of(store)[key] for key in old} == old


def test_release_before_waits_in_its_turn_and_goes_back_by_another_rebuild():
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    worker(store, "two").advance_shop("shop", records(made.record, first=6))
    one = worker(store, "one")

    stats = one.advance_shop("shop", records(*messages(6), first=7))
    back = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="one", rebuild_id="r2")
    one.advance_shop("shop", records(back.record, first=8))
    one.advance_shop("shop", put_back(store, first=9))

    assert (stats.waiting, state_of(store).fold_version) == (1, "one")
    assert folded_ids(store) == [f"m{n}" for n in range(7)]


def test_put_back_before_the_rebuild_leaves_everything_waiting():
    store = waiting_shop()
    two = worker(store, "two")

    stats = two.advance_shop("shop", put_back(store, first=6))

    parked = state_of(store).parked
    assert parked is not None
    assert (stats.accepted, parked.failed_run, parked.follows) == (0, "back", at(3))
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    two.advance_shop("shop", records(made.record, first=20))
    two.advance_shop("shop", put_back(store, first=21, run="again"))
    assert folded_ids(store) == [f"m{n}" for n in range(6)]


@pytest.mark.parametrize(
    ("field", "value", "reason"), [("fold_version", "three", "other_fold"), ("follows", at(2), "other_position")]
)
def test_rebuild_that_is_not_of_this_code_and_this_state_is_rejected(field, value, reason):
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")

    stats = worker(store, "two").advance_shop("shop", records(replace(made.record, **{field: value}), first=6))

    assert stats.rejected == {reason: 1}
    assert (state_of(store).fold_version, state_of(store).generation) == ("one", "")


def test_rebuild_of_what_has_been_folded_further_is_rejected():
    """A rebuild that comes too late: the release before was deployed again meanwhile, and has gone on."""
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    worker(store, "one").advance_shop("shop", put_back(store, first=6)[:1])

    stats = worker(store, "two").advance_shop("shop", records(made.record, first=9))

    assert stats.rejected == {"other_position": 1}
    assert state_of(store).generation == ""


def test_rebuild_that_comes_twice_counts_once():
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    two = worker(store, "two")
    two.advance_shop("shop", records(made.record, first=6))
    two.advance_shop("shop", put_back(store, first=7))

    stats = two.advance_shop("shop", records(made.record, *messages(6), first=20))

    assert (stats.duplicates, stats.accepted) == (1, 1)
    assert undecorated(items_of(store), "r1")


def test_waiting_rows_declare_nothing_and_are_of_the_version_before():
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")

    worker(store, "two").advance_shop("shop", records(made.record, first=6))

    links = archive_links(store.rows, "shop")
    assert [link["fold_version"] for link in links] == ["one", "one", "two"]


def test_rebuild_of_a_column_that_it_does_not_hold_lets_it_begin_there():
    store = waiting_shop()
    made = make_rebuild(store, *messages(0, 1, 2, 3), fold_version="two")
    record: StateRebuilt = replace(made.record, columns=SMALL.plan.columns[1:])

    worker(store, "two").advance_shop("shop", records(record, first=6))

    (restart,) = state_of(store).counting.restarts
    assert (restart.columns, restart.follows) == (SMALL.plan.columns[:1], at(6))


def test_unreadable_record_of_a_waiting_shop_is_rejected():
    store = waiting_shop()

    stats = worker(store, "two").advance_shop("shop", [LogRecord(at(6), b"{", LATER)])

    assert (stats.waiting, sum(stats.rejected.values())) == (0, 1)
    assert event_to_json(messages(4)[0]) in {one.record.data for one in store.rejected.values()}
