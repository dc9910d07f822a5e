"""The commit's bounds and manners: what fits a transaction, what is poison, when it gives up."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from service_quality.alerts.conditions import AtLeast
from service_quality.alerts.rules import Rule
from service_quality.commit import log_reader, online_commit
from service_quality.commit.archived_ranges import LEDGER, NOTHING_ARCHIVED
from service_quality.commit.event_fold import MAX_HISTORIES
from service_quality.commit.failures import Failure
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.transactions import MAX_ARCHIVE_BYTES, MAX_ITEMS, Transaction
from service_quality.errors import (
    ConflictError,
    DeclarationError,
    DependencyError,
    FoldFailedError,
)
from service_quality.events.control_records import ControlRecord
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import START, Position
from service_quality.events.time_reached import TimeReached
from service_quality.features.declarations import FeatureSet, Total
from service_quality.features.vectors import Vector
from service_quality.scoring import scored_event
from service_quality.scoring.scores import Score
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archive_links, archived_entries
from tests.stand_ins.control import control_key, make_import_record, record_json
from tests.stand_ins.cursed_fold import CursedFold
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event


def records(*events: InteractionEvent | ControlRecord, arrived_at: int = NOON) -> list[LogRecord]:
    return [
        LogRecord(
            str(Position(1, index)), record_json(one, issued_at=arrived_at), getattr(one, "received_at", arrived_at)
        )
        for index, one in enumerate(events)
    ]


#: The customer has waited for three minutes, which is the stage of the rule `waiting`.
WAITED = TimeReached(
    shop_id="shop", conversation_id="c1", round=1, turn=1, stage="waiting_ms:180000", due_at=NOON + 180_000
)


def worker(store: MemoryStore, scorer=None) -> OnlineCommit:
    return OnlineCommit(store, lambda: scorer or FixedScorer(), SMALL, SMALL_RULES, control_key)


def became(store: MemoryStore) -> list[str]:
    entries = archived_entries(store.rows, "shop")
    return [entry.get("rejected") or ("duplicate" if entry.get("duplicate") else "accepted") for entry in entries]


class Failing(FixedScorer):
    """A model that fails where the customer has waited for an odd time."""

    def score(self, vector: Vector) -> Score:
        if vector[0] == vector[0] and vector[0] % 2:
            raise ZeroDivisionError
        return super().score(vector)


def test_nothing_new_writes_nothing():
    store = MemoryStore()

    worker(store).advance_shop("shop", [])

    assert (store.shops, store.commits) == ({}, [])


def test_batch_that_comes_again_is_done_already():
    store, batch = MemoryStore(), records(event("customer_message", 0), event("agent_message", 1))
    worker(store).advance_shop("shop", batch)

    stats = worker(store).advance_shop("shop", batch)

    assert (stats.already_done, stats.redelivered, stats.accepted, stats.transactions) == (2, 2, 0, 0)


def test_transaction_never_holds_more_than_a_table_takes():
    store = MemoryStore()
    batch = records(
        *(
            event("agent_message", index, conversation_id=f"c{index}", agent_id=f"a{index}", customer_id=f"z{index}")
            for index in range(200)
        )
    )

    stats = worker(store).advance_shop("shop", batch)

    sizes = [1 + len(commit.items) + len(commit.rows) for commit in store.commits]
    assert stats.transactions == len(sizes) == 5
    assert max(sizes) <= MAX_ITEMS
    assert len(archive_links(store.rows, "shop")) == stats.transactions


def test_first_transaction_of_a_shop_opens_its_ledger_of_the_archive_and_no_later_one_does():
    store = MemoryStore()
    for record in records(*(event("customer_message", number) for number in range(3))):
        worker(store).advance_shop("shop", [record])

    opened = [[row for row in commit.rows if row.row_kind == LEDGER] for commit in store.commits]

    assert opened == [[OutboxRow(LEDGER, "shop", LEDGER, NOTHING_ARCHIVED, "shop")], [], []]


def test_archive_row_is_cut_at_its_size():
    store = MemoryStore()
    long = [event("customer_message", index, text="字" * 8_000) for index in range(40)]

    worker(store).advance_shop("shop", records(*long))

    assert len(archive_links(store.rows, "shop")) > 1
    assert became(store) == ["accepted"] * 40
    assert sum(len(record.data) for record in records(*long)) > 2 * MAX_ARCHIVE_BYTES


def test_row_put_twice_in_a_transaction_is_in_it_once_as_put_last():
    rows = [OutboxRow("alert", "state", "state", body, "shop") for body in (b"opened", b"resolved")]
    transaction = Transaction("shop", START)

    transaction.add_rows(rows[:1])
    transaction.add_rows(rows[1:])

    assert [row.body for row in transaction.rows.values()] == [b"resolved"]


def test_alert_opened_and_resolved_within_a_transaction_is_one_row_of_state():
    store = MemoryStore()

    worker(store).advance_shop(
        "shop",
        records(event("customer_message", 0), WAITED, event("resolved", 200_000), arrived_at=NOON + 200_000),
    )

    [state] = [row for row in store.rows.values() if row.row_kind == "state"]
    assert state.open is False


def test_other_content_of_a_known_id_corrects_a_rating_and_is_rejected_for_a_resolution():
    store = MemoryStore()
    rated, solved = event("rated", 2, rating=1), event("resolved", 1)
    corrected, in_conflict = replace(rated, rating=5), replace(solved, occurred_at=NOON + 3)

    stats = worker(store).advance_shop("shop", records(solved, rated, corrected, in_conflict, solved))

    assert became(store) == ["accepted", "accepted", "accepted", "conflicting_content", "duplicate"]
    assert stats.rejected == {"conflicting_content": 1}
    assert [stored.reason for stored in store.rejected.values()] == ["conflicting_content"]


def test_event_that_no_transaction_holds_is_rejected_and_blocks_nothing():
    store = MemoryStore()
    turns = [
        one
        for index in range(120)
        for one in (
            event("customer_message", 2 * index, category="returns"),
            event("agent_message", 2 * index + 1, agent_id=f"a{index}"),
        )
    ]
    moves_every_reply = event("internal_note", 900, category="delivery")
    features = FeatureSet((Total("agent_category", "replies", "1d"),))
    commit = OnlineCommit(store, FixedScorer, features, ())

    stats = commit.advance_shop("shop", records(*turns, moves_every_reply, event("internal_note", 901)))

    assert stats.rejected == {"changes_too_much": 1}
    assert became(store)[-2:] == ["changes_too_much", "accepted"]
    assert [stored.reason for stored in store.rejected.values()] == ["changes_too_much"]


def test_event_on_which_the_model_fails_is_folded_and_archived_without_a_score():
    store = MemoryStore()
    log = records(event("customer_message", 0), event("internal_note", 1), event("internal_note", 3))

    stats = worker(store, Failing()).advance_shop("shop", log)

    entries = archived_entries(store.rows, "shop")
    assert (stats.accepted, stats.scored, stats.unscored, stats.rejected) == (3, 1, 2, {})
    assert [entry.get("score_failed") for entry in entries] == [None, "ZeroDivisionError", "ZeroDivisionError"]
    assert ["score" in entry for entry in entries] == [True, False, False]
    assert all("vector" in entry for entry in entries)
    assert {failure.stage for failure in stats.failures} == {"score"}


def test_hundred_events_under_a_model_that_always_fails_lose_nothing():
    class Broken(FixedScorer):
        def score(self, vector: Vector) -> Score:
            raise ValueError

    store, calm = MemoryStore(), MemoryStore()
    log = records(*(event("customer_message", number) for number in range(100)))

    stats = worker(store, Broken()).advance_shop("shop", log)

    worker(calm).advance_shop("shop", log)
    assert (stats.accepted, stats.unscored, stats.rejected) == (100, 100, {})
    assert not store.rejected
    histories = {key for key in calm.items if not key[1].startswith(("contact", "visit", "count"))}
    assert {key: store.items[key] for key in histories} == {key: calm.items[key] for key in histories}


def test_feature_that_cannot_be_computed_leaves_the_event_without_a_vector(monkeypatch):
    monkeypatch.setattr(scored_event, "compute_features", lambda features, context: 1 / 0)
    store = MemoryStore()

    stats = worker(store).advance_shop("shop", records(event("customer_message", 0)))

    [entry] = archived_entries(store.rows, "shop")
    assert (stats.accepted, stats.unscored) == (1, 1)
    assert (entry["score_failed"], "vector" in entry) == ("ZeroDivisionError", False)


def test_rule_that_fails_is_left_out_and_the_others_are_not():
    class Broken(AtLeast):
        __slots__ = ()

        def holds(self, values) -> bool:
            raise KeyError("a value")

    kinds = frozenset({"customer_message", "internal_note"})
    broken = Rule("broken", 1, "conversation", kinds, (), Broken("score", 0), 0)
    store, calm = MemoryStore(), MemoryStore()
    log = records(event("customer_message", 0), WAITED, event("internal_note", 200_000), arrived_at=NOON + 200_000)

    stats = OnlineCommit(store, FixedScorer, SMALL, (broken, *SMALL_RULES), control_key).advance_shop("shop", log)

    worker(calm).advance_shop("shop", log)
    assert (stats.accepted, stats.rejected) == (3, {})
    assert {failure.subject for failure in stats.failures} == {"broken"}
    assert store.rows.keys() == calm.rows.keys()
    assert stats.alerts == len([row for row in calm.rows.values() if row.row_kind == "alert"]) > 0


def test_failure_is_logged_by_type_and_stack_without_its_message():
    failure = Failure("fold", "0001-7", ValueError("my phone is 13812345678"))
    try:
        raise failure.error
    except ValueError:
        fields = failure.fields()

    assert fields["error_type"] == "ValueError"
    assert "test_online_commit.py" in str(fields["stack"])
    assert "13812345678" not in str(fields)


def test_record_on_which_the_fold_fails_is_given_back_unless_it_may_be_rejected(monkeypatch):
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("e5"))
    store = MemoryStore()
    log = records(event("customer_message", 0), event("internal_note", 5, event_id="e5"), event("internal_note", 9))

    with pytest.raises(FoldFailedError) as failed:
        worker(store).advance_shop("shop", log)
    stats = worker(store).advance_shop("shop", log, rejecting=frozenset({failed.value.position}))

    assert failed.value.position == log[1].position
    assert stats.rejected == {"fold_failed": 1}
    assert became(store) == ["accepted", "fold_failed", "accepted"]
    assert [stored.record for stored in store.rejected.values()] == [log[1]]


def test_record_that_failed_at_one_version_of_the_shop_may_be_sound_at_the_next(monkeypatch):
    store = MemoryStore()
    asked, answered, noted = records(
        event("customer_message", 0),
        event("agent_message", 2, agent_id="a"),
        event("internal_note", 3, event_id="e3"),
    )
    worker(store).advance_shop("shop", [asked])

    def overtake_at_the_second_failure() -> None:
        if cursed.failures == 2:
            cursed.event_ids = ()
            worker(store).advance_shop("shop", [answered])

    cursed = CursedFold("e3", before=overtake_at_the_second_failure)
    monkeypatch.setattr(log_reader, "step_conversation", cursed)
    stats = worker(store).advance_shop("shop", [noted], rejecting=frozenset({noted.position}))

    assert (stats.rejected, stats.accepted) == ({}, 1)
    assert became(store) == ["accepted", "accepted", "accepted"]
    assert not store.rejected


def test_record_that_the_log_has_passed_by_is_stored_with_a_reason():
    store = MemoryStore()
    first, given_up, last = records(*(event("customer_message", number) for number in range(3)))
    worker(store).advance_shop("shop", [first, last])

    stats = worker(store).advance_shop("shop", [first, given_up, last])

    assert (stats.already_done, stats.accepted, stats.rejected) == (2, 0, {"passed_by": 1})
    assert [(stored.record, stored.reason) for stored in store.rejected.values()] == [(given_up, "passed_by")]


def test_import_mark_that_comes_twice_counts_once():
    store = MemoryStore()
    import_record = make_import_record("i1", clock=NOON - 1)

    worker(store).advance_shop("shop", records(import_record, event("customer_message", 0), import_record))

    assert became(store) == ["accepted", "accepted", "duplicate"]
    assert len(store.commits[-1].shop.imports) == 1


def test_import_moves_the_clock_forward_only():
    store = MemoryStore()
    import_record = make_import_record("i1", clock=NOON - 1)

    worker(store).advance_shop("shop", records(event("customer_message", 0), import_record))

    assert store.commits[-1].shop.clock == NOON


class Contested(MemoryStore):
    """Somebody else is always first."""

    def commit(self, commit):
        self.calls += 1
        raise ConflictError("found another version")


class Unreachable(MemoryStore):
    """Nothing answers."""

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        self.calls += 1
        raise DependencyError("timed out")


@pytest.mark.parametrize("store", [Contested(), Unreachable()], ids=["contested", "unreachable"])
def test_trouble_that_persists_gives_the_batch_back(store):
    with pytest.raises(DependencyError):
        worker(store).advance_shop("shop", records(event("customer_message", 0)))

    assert not store.rejected


def test_cache_saves_the_reads():
    store = MemoryStore()
    cached = worker(store)
    batch = records(event("customer_message", 0), event("customer_message", 1), event("customer_message", 2))
    cached.advance_shop("shop", batch[:1])
    before = store.calls

    cached.advance_shop("shop", batch[1:])

    assert store.calls - before == 1  # the commit


def test_cached_shop_that_another_worker_moved_is_read_again_and_nothing_is_folded_twice():
    store = MemoryStore()
    overtaken, other = worker(store), worker(store)
    batch = records(event("customer_message", 0), event("customer_message", 1), event("customer_message", 2))
    overtaken.advance_shop("shop", batch[:1])
    other.advance_shop("shop", batch[:2])

    stats = overtaken.advance_shop("shop", batch)

    assert (stats.conflicts, stats.already_done, stats.redelivered, stats.accepted) == (1, 2, 0, 1)
    assert [commit.shop.version for commit in store.commits] == [1, 2, 3]


def test_overtaken_worker_stores_no_record_for_a_reason_that_the_log_does_not_have():
    store = MemoryStore()
    overtaken, other = worker(store), worker(store)
    month = 31 * 24 * 3_600_000
    assigned = event("assigned", 1, agent_id="bob")
    other_content = replace(assigned, agent_id="cas")
    batch = records(
        event("agent_message", 0, conversation_id="other"), assigned, event("customer_message", month), other_content
    )
    overtaken.advance_shop("shop", batch[:1])
    other.advance_shop("shop", batch)

    stats = overtaken.advance_shop("shop", batch)  # its cached shop is older than the conversation it reads

    assert stats.conflicts == 1
    assert became(store)[-1] == "older_than_retention"
    assert [stored.reason for stored in store.rejected.values()] == ["older_than_retention"]


def test_cache_is_bounded_even_for_one_shop(monkeypatch):
    monkeypatch.setattr(online_commit, "_MAX_CACHED_ITEMS", 3)
    store = MemoryStore()
    commit = worker(store)

    commit.advance_shop("shop", records(*(event("customer_message", 0, conversation_id=f"c{n}") for n in range(9))))

    assert commit.cache.items <= 3


def test_positions_sort_like_the_log():
    positions = [Position(1, 9), Position(1, 10), Position(1, 10, 1), Position(1, 10**55), Position(2, 0)]

    assert sorted(map(str, positions)) == [str(position) for position in positions]
    assert str(positions[0]) > START


@pytest.mark.parametrize(
    "wrong", [{"subject": "agent_category"}, {"subject": "agnet"}, {"tiers": (("loud", AtLeast("score", 1)),)}]
)
def test_rule_that_no_item_could_hold_is_refused(wrong):
    rule = Rule("r", 1, "agent", frozenset(), (("info", AtLeast("score", 1)),), AtLeast("score", 1), 0)

    with pytest.raises(DeclarationError):
        replace(rule, **wrong)


def test_item_that_holds_all_it_can_rejects_a_further_entity_and_blocks_nothing():
    store = MemoryStore()
    answers = [
        one
        for index in range(MAX_HISTORIES + 1)
        for one in (
            event("customer_message", 2 * index, conversation_id=f"c{index}", category=f"category-{index}"),
            event("agent_message", 2 * index + 1, conversation_id=f"c{index}"),
        )
    ]
    features = FeatureSet((Total("agent_category", "replies", "1d"),))

    stats = OnlineCommit(store, FixedScorer, features, ()).advance_shop("shop", records(*answers))

    assert stats.rejected == {"item_full": 1}
    assert became(store)[-1] == "item_full"
