"""The commit's bounds and manners: what fits a transaction, what is poison, when it gives up."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from service_quality.alerts.rules import AtLeast, Rule
from service_quality.commit import online_commit
from service_quality.commit.chunks import MAX_ARCHIVE_BYTES, MAX_ITEMS, Chunk, OutboxRow
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_fold import MAX_HISTORIES
from service_quality.commit.state_items import ShopItem, encode_shop
from service_quality.errors import ConflictError, DeclarationError, StateVersionError, SurroundingsError
from service_quality.events.interaction_event import HistoryImported, InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import START, Position
from service_quality.features.declarations import FeatureSet, Total
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archive_links, archived_entries
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event


def records(*events: InteractionEvent | HistoryImported, arrived_at: int = NOON) -> list[LogRecord]:
    return [
        LogRecord(str(Position(1, index)), event_to_json(one), getattr(one, "received_at", arrived_at))
        for index, one in enumerate(events)
    ]


def worker(store: MemoryStore, scorer=None) -> OnlineCommit:
    return OnlineCommit(store, lambda: scorer or FixedScorer(), SMALL, SMALL_RULES)


def became(store: MemoryStore) -> list[str]:
    entries = archived_entries(store.rows, "shop")
    return [entry.get("refused") or ("duplicate" if entry.get("duplicate") else "accepted") for entry in entries]


class Failing(FixedScorer):
    """Our own code at fault: fails where the customer has waited for an odd time."""

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

    tally = worker(store).advance_shop("shop", batch)

    assert (tally.already_done, tally.accepted, tally.chunks) == (2, 0, 0)


def test_chunk_never_holds_more_than_a_transaction():
    store = MemoryStore()
    batch = records(
        *(
            event("agent_message", index, conversation_id=f"c{index}", agent_id=f"a{index}", customer_id=f"z{index}")
            for index in range(200)
        )
    )

    tally = worker(store).advance_shop("shop", batch)

    sizes = [1 + len(commit.items) + len(commit.rows) for commit in store.commits]
    assert tally.chunks == len(sizes) == 3
    assert max(sizes) <= MAX_ITEMS
    assert len(archive_links(store.rows, "shop")) == tally.chunks


def test_archive_row_is_cut_at_its_size():
    store = MemoryStore()
    long = [event("customer_message", index, text="字" * 8_000) for index in range(40)]

    worker(store).advance_shop("shop", records(*long))

    assert len(archive_links(store.rows, "shop")) > 1
    assert became(store) == ["accepted"] * 40
    assert sum(len(record.data) for record in records(*long)) > 2 * MAX_ARCHIVE_BYTES


def test_row_put_twice_in_a_chunk_stands_once_as_put_last():
    rows = [OutboxRow("alert", "life", "life", body, "shop") for body in (b"opened", b"resolved")]
    chunk = Chunk("shop", START)

    chunk.add_rows(rows[:1])
    chunk.add_rows(rows[1:])

    assert [row.body for row in chunk.rows.values()] == [b"resolved"]


def test_alert_opened_and_resolved_within_a_chunk_is_one_life():
    store = MemoryStore()

    worker(store).advance_shop(
        "shop",
        records(event("customer_message", 0), event("internal_note", 5), event("rated", 9, rating=1)),
    )

    [life] = [row for row in store.rows.values() if row.row_kind == "life"]
    assert life.open is False


def test_event_that_no_transaction_holds_is_refused_and_blocks_nothing():
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

    tally = commit.advance_shop("shop", records(*turns, moves_every_reply, event("internal_note", 901)))

    assert tally.rejected == {"changes_too_much": 1}
    assert became(store)[-2:] == ["changes_too_much", "accepted"]
    assert [kept.reason for kept in store.rejected.values()] == ["changes_too_much"]


@pytest.mark.parametrize("poisoned", [1, 2, 3, 6])
def test_records_on_which_our_own_code_fails_are_kept_and_block_nothing(poisoned):
    store = MemoryStore()
    odd = [
        one
        for index in range(poisoned)
        for one in (
            event("customer_message", 10 * index, conversation_id=f"c{index}"),
            event("internal_note", 10 * index + 1, conversation_id=f"c{index}"),
        )
    ]

    tally = worker(store, Failing()).advance_shop("shop", records(*odd, event("customer_message", 100)))

    assert tally.rejected == {"fold_failed": poisoned}
    assert became(store) == [*["accepted", "fold_failed"] * poisoned, "accepted"]
    assert len(store.rejected) == poisoned


def test_record_that_failed_at_one_version_of_the_shop_may_be_sound_at_the_next():
    store = MemoryStore()
    asked, answered, noted = records(
        event("customer_message", 0), event("agent_message", 2, agent_id="a"), event("internal_note", 3)
    )
    worker(store).advance_shop("shop", [asked])

    class OvertakenAtTheSecondFailure(Failing):
        failures = 0

        def score(self, vector: Vector) -> Score:
            try:
                return super().score(vector)
            except ZeroDivisionError:
                self.failures += 1
                if self.failures == 2:
                    worker(store).advance_shop("shop", [answered])
                raise

    scorer = OvertakenAtTheSecondFailure()
    tally = worker(store, scorer).advance_shop("shop", [noted])

    assert scorer.failures == 2
    assert (tally.rejected, tally.accepted) == ({}, 1)
    assert became(store) == ["accepted", "accepted", "accepted"]
    assert not store.rejected


def test_import_mark_that_comes_twice_counts_once():
    store = MemoryStore()
    mark = HistoryImported(shop_id="shop", import_id="i1", clock=NOON - 1, buckets=1)

    worker(store).advance_shop("shop", records(mark, event("customer_message", 0), mark))

    assert became(store) == ["accepted", "accepted", "duplicate"]
    assert len(store.commits[-1].shop.imports) == 1


def test_import_moves_the_clock_forward_only():
    store = MemoryStore()
    mark = HistoryImported(shop_id="shop", import_id="i1", clock=NOON - 1, buckets=1)

    worker(store).advance_shop("shop", records(event("customer_message", 0), mark))

    assert store.commits[-1].shop.clock == NOON


def test_state_of_another_fold_is_not_continued():
    store = MemoryStore(shops={"shop": encode_shop(ShopItem(version=3, fold_version="0.other"))})

    with pytest.raises(StateVersionError, match=r"0\.other"):
        worker(store).advance_shop("shop", records(event("customer_message", 0)))


class Contested(MemoryStore):
    """Somebody else is always first."""

    def commit(self, commit):
        self.calls += 1
        raise ConflictError("found another version")


class Unreachable(MemoryStore):
    """Nothing answers."""

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        self.calls += 1
        raise SurroundingsError("timed out")


@pytest.mark.parametrize("store", [Contested(), Unreachable()], ids=["contested", "unreachable"])
def test_trouble_that_persists_gives_the_batch_back(store):
    with pytest.raises(SurroundingsError):
        worker(store).advance_shop("shop", records(event("customer_message", 0)))

    assert not store.rejected


def test_warm_cache_saves_the_reads():
    store = MemoryStore()
    warm = worker(store)
    batch = records(event("customer_message", 0), event("customer_message", 1), event("customer_message", 2))
    warm.advance_shop("shop", batch[:1])
    before = store.calls

    warm.advance_shop("shop", batch[1:])

    assert store.calls - before == 1  # the commit


def test_warm_shop_that_another_worker_moved_is_read_again_and_nothing_is_folded_twice():
    store = MemoryStore()
    overtaken, other = worker(store), worker(store)
    batch = records(event("customer_message", 0), event("customer_message", 1), event("customer_message", 2))
    overtaken.advance_shop("shop", batch[:1])
    other.advance_shop("shop", batch[:2])

    tally = overtaken.advance_shop("shop", batch)

    assert (tally.conflicts, tally.already_done, tally.accepted) == (1, 2, 1)
    assert [commit.shop.version for commit in store.commits] == [1, 2, 3]


def test_cache_is_bounded_even_for_one_shop(monkeypatch):
    monkeypatch.setattr(online_commit, "_MAX_WARM_ITEMS", 3)
    store = MemoryStore()
    warm = worker(store)

    warm.advance_shop("shop", records(*(event("customer_message", 0, conversation_id=f"c{n}") for n in range(9))))

    assert warm.warm.items <= 3


def test_positions_sort_like_the_log():
    positions = [Position(1, 9), Position(1, 10), Position(1, 10, 1), Position(1, 10**55), Position(2, 0)]

    assert sorted(map(str, positions)) == [str(position) for position in positions]
    assert str(positions[0]) > START


@pytest.mark.parametrize(
    "wrong", [{"subject": "agent_category"}, {"subject": "agnet"}, {"tiers": (("loud", AtLeast("score", 1)),)}]
)
def test_rule_that_nothing_could_hold_is_refused(wrong):
    rule = Rule("r", 1, "agent", frozenset(), (("info", AtLeast("score", 1)),), AtLeast("score", 1), 0)

    with pytest.raises(DeclarationError):
        replace(rule, **wrong)


def test_item_that_holds_all_it_can_refuses_a_further_entity_and_blocks_nothing():
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

    tally = OnlineCommit(store, FixedScorer, features, ()).advance_shop("shop", records(*answers))

    assert tally.rejected == {"item_full": 1}
    assert became(store)[-1] == "item_full"
