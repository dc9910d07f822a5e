"""Batches of several shops: whose fault a failure is, what is parked, and how it comes back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from service_quality.commit import log_reader
from service_quality.commit.batches import TRIES, BatchCommit
from service_quality.commit.log_reader import LogReader
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import Parked, ShopItem, encode_shop
from service_quality.commit.transactions import Commit
from service_quality.errors import DependencyError, DeploymentError, OwnCodeError, ShopTroubleError
from service_quality.events.control_records import ControlRecord, RecordPutBack, ShopUnparked
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_fold import ConversationStep
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archive_links, archived_entries
from tests.stand_ins.control import control_key, make_import_record, record_json
from tests.stand_ins.cursed_fold import CursedFold
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event


def log_of(*records: InteractionEvent | ControlRecord, first: int = 0) -> list[LogRecord]:
    return [
        LogRecord(str(Position(1, first + number)), record_json(one, issued_at=NOON), NOON)
        for number, one in enumerate(records)
    ]


def messages(shop_id: str, *event_ids: str) -> list[InteractionEvent]:
    return [
        event("customer_message", number, event_id=event_id, shop_id=shop_id)
        for number, event_id in enumerate(event_ids)
    ]


SHOPS = {"one": ("a", "b", "c"), "two": ("d",)}


def marked(argument: object) -> bytes:
    """The id of the event that an argument is or holds, as JSON has it."""
    if isinstance(argument, bytes):
        return argument.partition(b'"event_id":"')[2][:1]
    event = argument.after.conversation.events[-1] if isinstance(argument, ConversationStep) else argument
    return str(getattr(event, "event_id", "")).encode()


def committer(store: MemoryStore) -> BatchCommit:
    return BatchCommit(OnlineCommit(store, FixedScorer, SMALL, SMALL_RULES, control_key))


def became(store: MemoryStore, shop_id: str) -> list[str]:
    return [
        entry.get("rejected") or ("duplicate" if entry.get("duplicate") else "accepted")
        for entry in archived_entries(store.rows, shop_id)
    ]


def stored(store: MemoryStore, reason: str) -> list[str]:
    return sorted(one.record.position for one in store.rejected.values() if one.reason == reason)


class ShopRefused(MemoryStore):
    """The table never takes a transaction of one shop."""

    refused = "ill"

    def commit(self, commit: Commit) -> None:
        if commit.shop_id == self.refused and commit.items:
            self.calls += 1
            raise ShopTroubleError("found ValidationException, expected a transaction that they take")
        super().commit(commit)


def test_trouble_of_one_shop_holds_no_other():
    store = ShopRefused()
    logs = {shop: log_of(*messages(shop, "a", "b")) for shop in ("first", "ill", "last")}

    outcome = committer(store).advance(logs)

    assert outcome.error is None
    assert [became(store, shop) for shop in logs] == [["accepted"] * 2, ["parked"] * 2, ["accepted"] * 2]
    assert outcome.stats.parked == 2
    assert stored(store, "parked") == [record.position for record in logs["ill"]]


def test_shop_is_parked_only_after_its_tries():
    class Slow(ShopRefused):
        refusals = 0

        def commit(self, commit: Commit) -> None:
            if commit.items:
                self.refusals += 1
                if self.refusals < TRIES:
                    raise ShopTroubleError("found ValidationException")
            MemoryStore.commit(self, commit)

    store = Slow()

    outcome = committer(store).advance({"ill": log_of(*messages("ill", "a"))})

    assert (outcome.error, outcome.stats.parked, became(store, "ill")) == (None, 0, ["accepted"])


def test_failing_dependency_of_one_shop_advances_the_others_and_bring_the_batch_again():
    class Throttled(MemoryStore):
        def read_shop(self, shop_id: str) -> ShopItem | None:
            if shop_id == "slow":
                raise DependencyError("table state: ThrottlingException")
            return super().read_shop(shop_id)

    store = Throttled()

    outcome = committer(store).advance({shop: log_of(*messages(shop, "a")) for shop in ("slow", "sound")})

    assert isinstance(outcome.error, DependencyError)
    assert (outcome.stats.accepted, became(store, "sound"), store.rejected) == (1, ["accepted"], {})


def test_one_record_on_which_the_fold_fails_is_rejected(monkeypatch):
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("b"))
    store = MemoryStore()

    outcome = committer(store).advance({"shop": log_of(*messages("shop", "a", "b", "c"))})

    assert outcome.error is None
    assert became(store, "shop") == ["accepted", "fold_failed", "accepted"]
    assert {failure.stage for failure in outcome.stats.failures} == {"fold"}


def test_shop_of_which_more_records_fail_is_parked_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("b", "d"))
    store = MemoryStore()
    log = log_of(*messages("shop", "a", "b", "c", "d", "e"))

    outcome = committer(store).advance({"shop": log})

    assert outcome.error is None
    assert outcome.stats.parked == 5
    assert stored(store, "parked") == [record.position for record in log]
    assert stored(store, "fold_failed") == []


def test_records_of_several_shops_that_fail_are_a_bad_release_and_nothing_is_rejected(monkeypatch):
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("bad"))
    store = MemoryStore()
    logs = {
        "one": log_of(*messages("one", "bad")),
        "two": log_of(*messages("two", "a", "bad")),
        "sound": log_of(*messages("sound", "a", "b")),
    }

    outcome = committer(store).advance(logs)

    assert isinstance(outcome.error, DeploymentError)
    assert store.rejected == {}
    assert (became(store, "one"), became(store, "two"), became(store, "sound")) == ([], [], ["accepted"] * 2)


def test_batch_of_a_bad_release_is_folded_whole_once_the_release_is_mended(monkeypatch):
    store = MemoryStore()
    logs = {shop: log_of(*messages(shop, "a", "bad", "c")) for shop in ("one", "two")}
    with monkeypatch.context() as bad:
        bad.setattr(log_reader, "step_conversation", CursedFold("bad"))
        assert committer(store).advance(logs).error is not None

    outcome = committer(store).advance(logs)

    assert (outcome.error, outcome.stats.accepted) == (None, 6)


def test_shops_whose_state_is_of_another_fold_wait_and_hold_up_no_other():
    before = str(Position(0, 1))
    stored = encode_shop(ShopItem(version=3, fold_version="0.other", last_position=before))
    store = MemoryStore(shops={"old": stored, "older": stored})
    logs = {shop: log_of(*messages(shop, "a")) for shop in ("old", "older", "new")}

    outcome = committer(store).advance(logs)

    assert (outcome.error, outcome.stats.waiting, outcome.stats.parked, outcome.stats.accepted) == (None, 2, 0, 1)
    for shop_id in ("old", "older"):
        shop = store.read_shop(shop_id)
        assert shop is not None
        position = logs[shop_id][0].position
        assert (shop.fold_version, shop.parked) == ("0.other", Parked(position, follows=before))
        assert store.rejected[shop_id, position].reason == "parked"


@pytest.mark.parametrize(
    ("place", "expected"),
    [("read_record", "fold_failed"), ("_keys_named_by", "accepted"), ("_keys_read", "fold_failed")],
)
def test_code_that_fails_on_one_record_wherever_it_is_touches_that_record_alone(monkeypatch, place, expected):
    """In parsing, and in what the fold needs; what only reads ahead for the batch fails without a trace."""
    owner = log_reader if place == "read_record" else LogReader
    real = getattr(owner, place)

    def fail_on_b(*arguments, **options):
        if any(marked(one) == b"b" for one in arguments):
            raise KeyError("a bug")
        return real(*arguments, **options)

    monkeypatch.setattr(owner, place, fail_on_b)
    store = MemoryStore()

    outcome = committer(store).advance({shop: log_of(*messages(shop, *ids)) for shop, ids in SHOPS.items()})

    assert outcome.error is None
    assert became(store, "one") == ["accepted", expected, "accepted"]
    assert became(store, "two") == ["accepted"]


@pytest.mark.parametrize("stored", [b"[1,2]", b"garbage", b""])
def test_shop_whose_own_item_cannot_be_read_holds_no_other_and_is_named(stored):
    store = MemoryStore(shops={"one": stored})
    logs = {shop: log_of(*messages(shop, *ids)) for shop, ids in SHOPS.items()}

    outcome = committer(store).advance(logs)

    assert isinstance(outcome.error, OwnCodeError)
    assert "shop one" in str(outcome.error)
    assert (became(store, "two"), store.rejected) == (["accepted"], {})
    assert {failure.stage for failure in outcome.stats.failures} == {"fold"}


def test_newer_records_of_a_parked_shop_are_parked_too():
    store = ShopRefused()
    commit = committer(store)
    commit.advance({"ill": log_of(*messages("ill", "a"))})
    store.refused = ""

    later = log_of(*messages("ill", "b", "c"), first=5)
    outcome = commit.advance({"ill": later})

    assert outcome.stats.parked == 2
    assert became(store, "ill") == ["parked"] * 3
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked == Parked(later[-1].position)


def test_unreadable_record_of_a_parked_shop_is_rejected_for_good():
    store = ShopRefused()
    commit = committer(store)
    commit.advance({"ill": log_of(*messages("ill", "a"))})

    outcome = commit.advance({"ill": [LogRecord(str(Position(1, 9)), b"{", NOON)]})

    assert (outcome.stats.parked, outcome.stats.rejected) == (0, {"malformed_json": 1})


def put_back(store: MemoryStore, run: str, *, first: int, unpark: bool = True) -> list[LogRecord]:
    """The records that the serial writer puts on the log: every parked record in order, then the end."""
    parked = sorted((one for one in store.rejected.values() if one.reason == "parked"), key=lambda one: one.record)
    records: list[ControlRecord] = [
        RecordPutBack(
            shop_id="ill",
            run=run,
            order=one.record.position,
            arrived_at=one.record.arrived_at,
            data=one.record.data,
        )
        for one in parked
    ]
    if unpark:
        shop = store.read_shop("ill")
        until = shop.parked.until if shop and shop.parked else ""
        records.append(ShopUnparked(shop_id="ill", run=run, until=max(until, parked[-1].record.position)))
    return log_of(*records, first=first)


def parked_shop() -> tuple[ShopRefused, BatchCommit, Sequence[InteractionEvent]]:
    """A shop whose first three messages are parked, and whose trouble is mended."""
    store = ShopRefused()
    commit = committer(store)
    sent = messages("ill", "a", "b", "c")
    commit.advance({"ill": log_of(*sent)})
    store.refused = ""
    return store, commit, sent


def test_parked_records_come_back_in_order_and_the_shop_goes_on():
    store, commit, sent = parked_shop()
    calm = MemoryStore()
    committer(calm).advance({"ill": log_of(*sent, *messages("ill", "d"))})

    outcome = commit.advance({"ill": put_back(store, "r1", first=10)})
    commit.advance({"ill": log_of(*messages("ill", "d"), first=20)})

    assert (outcome.error, outcome.stats.accepted) == (None, 4)
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked is None
    assert {key: data for (_, key), data in store.items.items()} == {key: data for (_, key), data in calm.items.items()}
    folded = [entry["event"].get("event_id") for entry in archived_entries(store.rows, "ill") if "event" in entry]
    assert folded == ["a", "b", "c", None, "d"]


def test_first_arrival_of_a_record_is_stored_when_it_comes_back():
    store, commit, _ = parked_shop()
    late = NOON + 3_600_000

    commit.advance({"ill": [record._replace(arrived_at=late) for record in put_back(store, "r1", first=10)]})

    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.received_clock <= NOON + 2


def test_records_that_come_before_the_last_is_back_are_parked():
    store, commit, _ = parked_shop()
    back = put_back(store, "r1", first=10)
    meanwhile = log_of(*messages("ill", "z"), first=12)

    commit.advance(
        {
            "ill": [
                *back[:2],
                *meanwhile,
                *(r._replace(position=str(Position(1, 20 + n))) for n, r in enumerate(back[2:])),
            ]
        }
    )

    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked == Parked(meanwhile[0].position, follows=str(Position(1, 20)))
    assert stored(store, "parked")[-1] == meanwhile[0].position


def test_run_that_meets_trouble_again_is_parked_again_in_order():
    store, commit, _ = parked_shop()
    store.refused = "ill"

    outcome = commit.advance({"ill": put_back(store, "r1", first=10)})

    assert outcome.error is None
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked is not None
    assert shop.parked.failed_run == "r1"
    store.refused = ""
    again = commit.advance({"ill": put_back(store, "r2", first=30)})
    assert (again.stats.accepted, became(store, "ill")[-4:]) == (4, ["accepted"] * 4)
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked is None


def test_rest_of_a_failed_run_does_not_overtake_what_was_parked_again():
    store, commit, _ = parked_shop()
    back = put_back(store, "r1", first=10)
    store.refused = "ill"
    commit.advance({"ill": back[:1]})
    store.refused = ""

    outcome = commit.advance({"ill": back[1:]})

    assert (outcome.stats.accepted, outcome.stats.parked) == (0, 2)
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked is not None


def test_rejected_record_that_comes_back_behind_a_run_keeps_its_shop_parked_until_it_is_back_too():
    store, commit, _ = parked_shop()
    run = put_back(store, "r1", first=20)
    first = str(Position(0, 7))  # rejected before anything was parked
    (failed,) = messages("ill", "failed")
    rejected = RecordPutBack(shop_id="ill", run="", order=first, arrived_at=NOON, data=event_to_json(failed))
    commit.advance({"ill": log_of(rejected, first=10)})

    commit.advance({"ill": run})
    after_first = store.read_shop("ill")
    commit.advance({"ill": put_back(store, "r2", first=40)})

    assert after_first is not None
    assert after_first.parked == Parked(str(Position(1, 10)), follows=str(Position(1, 22)))
    shop = store.read_shop("ill")
    assert shop is not None
    assert shop.parked is None
    events = [entry["event"] for entry in archived_entries(store.rows, "ill") if "event" in entry]
    assert [event["event_id"] for event in events if "event_id" in event] == ["a", "b", "c", "failed"]


def test_junk_before_the_first_import_of_a_shop_is_archived_with_it():
    store, commit = MemoryStore(), committer(MemoryStore())
    commit.commit.store = store
    junk = LogRecord(str(Position(1, 0)), b"{", NOON)
    mark = make_import_record("i", clock=NOON, shop_id="new", histories=0)

    commit.advance({"new": [junk, *log_of(mark, first=1)]})
    again = commit.advance({"new": [junk]})

    assert became(store, "new") == ["malformed_json", "accepted"]
    assert (again.stats.already_done, again.stats.rejected) == (1, {})


def test_run_that_comes_twice_folds_each_event_once():
    store, commit, _ = parked_shop()
    commit.advance({"ill": put_back(store, "r1", first=10)})

    outcome = commit.advance({"ill": put_back(store, "r2", first=20)})

    assert (outcome.stats.accepted, outcome.stats.duplicates) == (0, 4)


def test_rejected_record_that_is_put_back_is_folded_once_its_cause_is_mended(monkeypatch):
    store = MemoryStore()
    with monkeypatch.context() as bad:
        bad.setattr(log_reader, "step_conversation", CursedFold("b"))
        committer(store).advance({"ill": log_of(*messages("ill", "a", "b"))})
    [rejected] = store.rejected.values()
    again = RecordPutBack(
        shop_id="ill",
        run="",
        order=rejected.record.position,
        arrived_at=rejected.record.arrived_at,
        data=rejected.record.data,
    )

    outcome = committer(store).advance({"ill": log_of(again, first=10)})

    assert (outcome.stats.accepted, became(store, "ill")) == (1, ["accepted", "fold_failed", "accepted"])


def test_shops_advanced_at_once_leave_what_shops_one_by_one_leave():
    logs = {f"shop-{n}": log_of(*messages(f"shop-{n}", *(f"e{i}" for i in range(5)))) for n in range(20)}
    one_by_one, at_once = MemoryStore(), MemoryStore()

    committer(one_by_one).advance(logs)
    with ThreadPoolExecutor(8) as pool:
        outcome = BatchCommit(OnlineCommit(at_once, FixedScorer, SMALL, SMALL_RULES, control_key), pool).advance(logs)

    assert outcome.stats.accepted == 100
    assert (at_once.items, at_once.shops) == (one_by_one.items, one_by_one.shops)


@pytest.mark.parametrize("shop_id", ["ill", "sound"])
def test_chain_of_a_shop_is_whole_through_parking(shop_id):
    store, commit, _ = parked_shop()
    commit.advance({"sound": log_of(*messages("sound", "a"))})
    commit.advance({"ill": put_back(store, "r1", first=10)})

    links = archive_links(store.rows, shop_id)

    shop = store.read_shop(shop_id)
    assert shop is not None
    assert links[-1]["last"] == shop.last_position
