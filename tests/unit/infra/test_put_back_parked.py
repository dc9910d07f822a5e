"""Parked shops put back by the operator's command, against the real commit and through every kill."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from infra.operations.errors import NotYetThroughError, OtherRunError, StillInTroubleError
from infra.operations.lease import LEASE_SECONDS
from infra.operations.listing import count_records
from infra.operations.rejected_objects import RejectedObjects, in_order
from infra.operations.selection import Selection
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.commit.listed_import import Import
from service_quality.commit.put_back import KEEPS_ARRIVAL_FOR
from service_quality.events.control_parsing import parse_control
from service_quality.events.control_records import RecordPutBack
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import PARKED, LogRecord, Rejection
from service_quality.events.positions import Position
from tests.stand_ins.control import KEY, control_key, make_import_record, record_json
from tests.stand_ins.operated_line import BUCKET, KilledError, OperatedLine
from tests.unit.core.sample_events import NOON, event


def messages(shop_id: str, *event_ids: str) -> list[InteractionEvent]:
    """A customer's messages, one a second by their ids' last digits."""
    return [
        event("customer_message", int(one[-1]), event_id=one, shop_id=shop_id, conversation_id=f"c-{shop_id}")
        for one in event_ids
    ]


def troubled_line(*shops: str, sound: str = "") -> OperatedLine:
    """Shops whose five messages are parked, three in one object and two in another; their trouble is mended."""
    line = OperatedLine()
    line.store.troubled = set(shops)
    for ids in (("m1", "m2", "m3"), ("m4", "m5")):
        for shop in shops:  # in batches of their own: two in one would be a bad release
            line.send(*messages(shop, *ids), *(messages(sound, *ids) if sound else ()))
            line.advance()
    line.store.troubled = set()
    return line


def calm_items(*shops: str) -> dict:
    """The items of a line that never met trouble."""
    line = OperatedLine()
    for shop in shops:
        line.send(*messages(shop, "m1", "m2", "m3", "m4", "m5"))
    line.advance()
    return line.store.items


def test_parked_shops_go_on_with_all_in_order_and_their_objects_are_gone():
    line = troubled_line("ill", "worse", sound="sound")
    assert len(line.stored("parked/")) == 10

    outcome = line.command().go()

    assert outcome.exit_code == 0
    assert outcome.put == {(PARKED, "ill"): 5, (PARKED, "worse"): 5}
    assert sorted(outcome.unparked) == ["ill", "worse"]
    assert [line.shop(shop).parked for shop in ("ill", "worse")] == [None, None]
    assert line.folded("ill") == ["m1", "m2", "m3", "m4", "m5"]
    assert line.store.items == calm_items("ill", "worse", "sound")
    assert (line.stored(), line.leases) == ([], {})


def test_only_the_selected_shop_is_put_back():
    line = troubled_line("ill", "worse")

    line.command(selection=Selection(shop_id="worse")).go()

    assert line.shop("worse").parked is None
    assert {one["shop_id"] for one in line.stored()} == {"ill"}


def test_records_parked_meanwhile_are_put_back_in_a_further_round():
    line = troubled_line("ill")

    def others_come(number: int) -> None:
        if number in (6, 11):
            line.send(*messages("ill", f"m{6 + number // 11}"))

    line.on_put = others_come

    outcome = line.command().go()

    assert outcome.put == {(PARKED, "ill"): 7}
    assert line.folded("ill") == [f"m{number}" for number in range(1, 8)]
    assert (line.shop("ill").parked, line.stored()) == (None, [])


def test_shop_whose_trouble_is_not_mended_stays_parked_with_everything_stored():
    line = troubled_line("ill", "mended")
    line.store.troubled = {"ill"}

    outcome = line.command().go()

    assert [(shop, type(error)) for shop, error in outcome.troubles] == [("shop ill", StillInTroubleError)]
    assert outcome.exit_code == 3
    assert {str(Position(1, n)) for n in (0, 1, 2, 6, 7)} <= {one["position"] for one in line.stored("parked/ill/")}
    assert line.folded("ill") == []
    assert line.folded("mended") == ["m1", "m2", "m3", "m4", "m5"]
    line.store.troubled = set()
    again = line.command("r2").go()
    assert (again.exit_code, again.put) == (0, {(PARKED, "ill"): 5})
    assert line.folded("ill") == ["m1", "m2", "m3", "m4", "m5"]
    assert line.stored() == []


def test_run_ends_early_where_its_first_records_fail_again():
    line = troubled_line("ill")
    line.store.troubled = {"ill"}
    line.on_put = lambda number: line.pause(60)  # so slow that the lease is renewed at each record

    line.command().go()

    assert len(line.records) < 5 + 5 + 1


def at_once(line: OperatedLine) -> Callable[[int], None]:
    """Every record is folded as soon as it is put."""
    return lambda _: line.advance()


@pytest.mark.parametrize("is_quick", [False, True])
def test_run_that_is_killed_before_any_call_is_finished_by_the_next(is_quick):
    calm, calls = calm_items("ill"), 0
    while True:
        calls += 1
        line = troubled_line("ill")
        line.kill_at = calls
        if is_quick:
            line.on_put = at_once(line)
        try:
            line.command().go()
        except KilledError:
            line.kill_at = None
            line.send(*messages("ill", "m6"))
            assert line.command("r2").go().exit_code == 0, calls
            line.advance()
            assert line.folded("ill") == ["m1", "m2", "m3", "m4", "m5", "m6"], calls
            assert (line.shop("ill").parked, line.stored()) == (None, []), calls
        else:
            break
    assert calls > 20
    assert line.store.items == calm


def test_second_run_waits_for_the_lease_of_a_killed_one():
    line = troubled_line("ill")
    line.kill_at = 8
    with pytest.raises(KilledError):
        line.command().go()
    line.kill_at, line.leases["ill"] = None, line.leases.get("ill") or lease_of("dead", until=line.now + 50_000)
    began = line.now

    outcome = line.command("r2").go()

    assert outcome.exit_code == 0
    assert 0 < line.now - began <= (LEASE_SECONDS + 2) * 1000


def lease_of(owner: str, *, until: int) -> dict:
    return {"owner": {"S": owner}, "expires_at": {"N": str(until // 1000)}}


def test_second_run_goes_on_as_soon_as_the_first_is_done(monkeypatch):
    line = troubled_line("ill")
    line.leases["ill"] = lease_of("alive", until=line.now + 100_000)
    began, pause = line.now, line.pause

    def pause_while_the_first_ends(seconds: float) -> None:
        pause(seconds)
        if line.now - began > 8_000:
            line.leases.pop("ill", None)

    monkeypatch.setattr(line, "pause", pause_while_the_first_ends)

    assert line.command("r2").go().exit_code == 0
    assert line.now - began < 20_000


def test_second_run_leaves_a_shop_to_the_one_that_is_at_it():
    line = troubled_line("ill")
    line.leases["ill"] = lease_of("alive", until=line.now + 10**9)

    outcome = line.command().go()

    assert [type(error) for _, error in outcome.troubles] == [OtherRunError]
    assert outcome.exit_code == 6
    assert len(line.records) == 5
    assert line.leases["ill"]["owner"] == {"S": "alive"}


def test_run_that_lost_its_lease_puts_no_more():
    line = troubled_line("ill")

    def paused(number: int) -> None:
        if number == 6:
            line.leases["ill"] = lease_of("other", until=line.now + 10**9)
            line.pause(200)

    line.on_put = paused

    outcome = line.command().go()

    assert [type(error) for _, error in outcome.troubles] == [OtherRunError]
    assert len(line.records) == 7
    assert len(line.stored("parked/")) == 5


def test_log_that_does_not_move_ends_the_run_with_everything_stored():
    line = troubled_line("ill")
    line.takes = False

    outcome = line.command().go()

    assert [type(error) for _, error in outcome.troubles] == [NotYetThroughError]
    assert len(line.stored("parked/")) == 5


def test_object_that_was_written_again_meanwhile_is_put_once_more_before_it_goes():
    line = troubled_line("ill")
    (key, *_) = line.s3.buckets[BUCKET]

    def written_again(number: int) -> None:
        if number == 10:
            line.s3.put_object(Bucket=BUCKET, Key=key, Body=line.s3.buckets[BUCKET][key])

    line.on_put = written_again

    outcome = line.command().go()

    assert outcome.put == {(PARKED, "ill"): 8}
    assert (line.folded("ill"), line.stored()) == (["m1", "m2", "m3", "m4", "m5"], [])


def test_shop_that_is_parked_while_nothing_of_it_is_stored_goes_on():
    line = troubled_line("ill")
    line.s3.buckets[BUCKET].clear()

    outcome = line.command(selection=Selection(shop_id="ill")).go()

    assert (outcome.exit_code, outcome.unparked, line.shop("ill").parked) == (0, ["ill"], None)


def test_shop_that_is_not_parked_is_left_alone():
    line = OperatedLine()
    line.send(*messages("fine", "m1"))
    line.advance()

    outcome = line.command(selection=Selection(shop_id="fine")).go()

    assert (outcome.put, outcome.unparked, len(line.records)) == ({}, [], 1)


def test_dry_run_counts_and_changes_nothing():
    line = troubled_line("ill")
    before = dict(line.s3.buckets[BUCKET])

    outcome = line.command(is_dry=True).go()

    assert (outcome.put, outcome.unparked) == ({(PARKED, "ill"): 5}, ["ill"])
    assert (line.s3.buckets[BUCKET], len(line.records), line.leases) == (before, 5, {})


def test_import_that_was_parked_for_weeks_comes_back_with_a_new_signature():
    line = OperatedLine()
    line.store.troubled = {"ill"}
    import_record = make_import_record("i1", clock=NOON, shop_id="ill", histories=1)
    line.send(*messages("ill", "m1"))
    line.records.append(("ill", record_json(import_record, issued_at=NOON)))
    line.arrivals.append(NOON)
    line.advance()
    line.store.troubled = set()
    line.now += 4 * KEEPS_ARRIVAL_FOR

    line.command().go()

    assert [one.import_id for one in line.shop("ill").imports] == ["i1"]
    assert isinstance(line.shop("ill").imports[0], Import)


def test_records_that_failed_again_are_counted_once_each():
    line = troubled_line("ill", "other")
    line.store.troubled = {"ill", "other"}
    line.command().go()
    line.command("r2").go()
    line.advance()
    objects = RejectedObjects(line.s3, BUCKET)

    counts = count_records(Selection(), objects, generation=1, unreadable=lambda _: None)
    would = line.command("r3", is_dry=True).go()

    assert len(line.stored("parked/")) > 10
    assert counts == {(PARKED, "ill"): 5, (PARKED, "other"): 5}
    assert would.put == counts


def test_old_record_arrives_when_it_comes_back_and_a_fresh_one_when_it_came_first():
    line = troubled_line("ill")
    arrivals = []
    for age in (KEEPS_ARRIVAL_FOR, KEEPS_ARRIVAL_FOR + 1):
        again = replace(line, records=[], arrivals=[])
        again.s3, again.store = line.s3, line.store
        again.takes = False
        again.now = NOON + age
        again.command(f"r{age}").go()
        raw = json.loads(again.records[0][1])
        back = parse_control(raw, arrived_at=again.now, key=control_key)
        assert isinstance(back, RecordPutBack)
        arrivals.append(back.arrived_at)

    assert arrivals == [NOON, NOON + KEEPS_ARRIVAL_FOR + 1]


def test_records_of_overlapping_objects_come_by_position_each_once():
    line = OperatedLine()
    store = RejectedStore(line.s3, BUCKET)
    for numbers in ((5, 1, 3), (2, 3, 4), (9,), (6, 8), (7,), (1,), (0, 10)):
        store.put([Rejection("s", LogRecord(str(Position(1, n)), KEY, NOON), PARKED, "") for n in numbers])
    objects = RejectedObjects(line.s3, BUCKET)

    found = list(in_order(objects, list(objects.below("parked/"))))

    assert [one.position for one in found] == [str(Position(1, number)) for number in range(11)]


def test_large_shop_is_read_with_a_few_objects_in_memory():
    line = OperatedLine()
    store = RejectedStore(line.s3, BUCKET)
    for first in range(0, 2000, 100):
        numbers = range(first, first + 100)
        store.put([Rejection("s", LogRecord(str(Position(1, n)), b"{}", NOON), PARKED, "") for n in numbers])
    objects = RejectedObjects(line.s3, BUCKET)
    wanted = list(objects.below("parked/"))

    positions = [one.position for one in in_order(objects, wanted)]

    assert positions == [str(Position(1, number)) for number in range(2000)]
    assert len(line.s3.read) == 2 * len(wanted)
