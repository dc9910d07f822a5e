"""The sweep: what the archiver missed is archived, shop by shop, within bounds."""

import json
import time
from types import SimpleNamespace

import pytest

from service_quality.commit.inserted_rows import to_record
from service_quality.errors import DependencyError
from tests.stand_ins.archive_rows import archived_chain, commit_rows, inserted, position, put, whole_chain
from tests.unit.functions.conftest import CONTEXT

HOUR = 3_600_000


def ledger(aws, shop_id: str) -> list[list[str]]:
    return json.loads(aws.dynamodb.tables["alerts"]["archive_ledger", shop_id]["body"]["B"])


def enter(aws, shop_id: str, *ranges: tuple[int, int]) -> None:
    """A ledger as the archiver left it."""
    body = json.dumps([[position(follows), position(last)] for follows, last in ranges]).encode()
    put(aws.dynamodb, {"stream_key": {"S": "archive_ledger"}, "sequence": {"S": shop_id}, "body": {"B": body}})


def test_rows_that_the_archiver_never_saw_are_archived_and_entered(load, aws):
    commit_rows(aws.dynamodb, "shop-1", 5)

    answer = load("sweep_archive").handler({}, CONTEXT)

    assert archived_chain(aws.s3, "shop-1") == whole_chain(5)
    assert ledger(aws, "shop-1") == [["", position(5)]]
    assert (answer["SweptRows"], answer["SweptShops"], answer["finished"]) == (5, 1, True)


def test_only_what_is_missing_is_archived(load, aws):
    commit_rows(aws.dynamodb, "shop-1", 9)
    enter(aws, "shop-1", (0, 2), (3, 6))

    answer = load("sweep_archive").handler({}, CONTEXT)

    assert archived_chain(aws.s3, "shop-1") == [whole_chain(9)[number] for number in (2, 6, 7, 8)]
    assert ledger(aws, "shop-1") == [["", position(9)]]
    assert answer["SweptRows"] == 4


def test_second_sweep_finds_nothing_to_do(load, aws):
    commit_rows(aws.dynamodb, "shop-1", 5)
    app = load("sweep_archive")
    app.handler({}, CONTEXT)
    before = dict(aws.s3.buckets["archive"])

    answer = app.handler({}, CONTEXT)

    assert answer["SweptRows"] == 0
    assert aws.s3.buckets["archive"] == before


def test_young_rows_are_left_to_the_archiver(load, aws):
    now = int(time.time() * 1000)
    commit_rows(aws.dynamodb, "shop-1", 3, written_at=now - 7 * HOUR)
    commit_rows(aws.dynamodb, "shop-1", 3, first=3, written_at=now - 5 * HOUR)

    answer = load("sweep_archive").handler({}, CONTEXT)

    assert answer["SweptRows"] == 3
    assert archived_chain(aws.s3, "shop-1") == whole_chain(3)


def test_sweep_without_time_goes_on_where_it_stopped(load, aws):
    shops = [f"shop-{number}" for number in range(4)]
    for shop_id in shops:
        commit_rows(aws.dynamodb, shop_id, 6)
    app = load("sweep_archive")
    answers: list[dict] = []
    while not answers or not answers[-1]["finished"]:
        looks = iter([900_000] * 5 + [1_000])
        answers.append(app.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda looks=looks: next(looks))))
        assert len(answers) < 20

    assert len(answers) > 2
    assert sum(answer["SweptRows"] for answer in answers) == 24
    assert all(archived_chain(aws.s3, shop_id) == whole_chain(6) for shop_id in shops)
    assert app.handler({}, CONTEXT)["SweptShops"] == 4


def test_shop_that_fails_is_passed_over_by_the_next_sweep(load, aws, monkeypatch):
    for shop_id in ("shop-1", "shop-2", "shop-3"):
        commit_rows(aws.dynamodb, shop_id, 1)
    app = load("sweep_archive")
    read_rows = type(app.ledger).read_rows

    def failing(self, shop_id, gap):
        if shop_id == "shop-2":
            raise DependencyError("found no answer")
        return read_rows(self, shop_id, gap)

    monkeypatch.setattr(type(app.ledger), "read_rows", failing)
    with pytest.raises(DependencyError):
        app.handler({}, CONTEXT)

    answer = app.handler({}, CONTEXT)

    assert answer["finished"]
    assert archived_chain(aws.s3, "shop-3") == whole_chain(1)


def test_row_that_cannot_be_read_is_stored_and_the_others_are_archived(load, aws):
    _, broken, *_ = commit_rows(aws.dynamodb, "shop-1", 4)
    put(aws.dynamodb, broken | {"body": {"B": b"not packed"}})
    app = load("sweep_archive")

    answer = app.handler({}, CONTEXT)

    (aside,) = aws.s3.buckets["rejected"].values()
    assert json.loads(aside)["reason"] == "malformed_body"
    assert (answer["SweptRows"], answer["UnreadableRows"]) == (3, 1)
    assert archived_chain(aws.s3, "shop-1") == [whole_chain(4)[number] for number in (0, 2, 3)]
    again = app.handler({}, CONTEXT)
    assert (again["SweptRows"], again["UnreadableRows"], again["UnfilledGaps"]) == (0, 0, 1)


def test_row_that_has_expired_is_counted_as_a_gap_that_nothing_fills(load, aws):
    _, *rest = commit_rows(aws.dynamodb, "shop-1", 4)
    enter(aws, "shop-1", (0, 1), (2, 4))
    del aws.dynamodb.tables["alerts"][rest[0]["stream_key"]["S"], rest[0]["sequence"]["S"]]

    answer = load("sweep_archive").handler({}, CONTEXT)

    assert (answer["SweptRows"], answer["UnfilledGaps"]) == (0, 1)


def test_archiver_and_sweep_grow_one_ledger(load, aws):
    rows = commit_rows(aws.dynamodb, "shop-1", 3)
    sweep, archiver = load("sweep_archive"), load("archive_outbox")
    sweep.handler({}, CONTEXT)
    late = commit_rows(aws.dynamodb, "shop-1", 2, first=3)
    records = [to_record(inserted(item), "archive") for item in (*rows, *late)]

    archiver.handler({"Records": records}, CONTEXT)

    assert ledger(aws, "shop-1") == [["", position(5)]]
    assert sweep.handler({}, CONTEXT)["SweptRows"] == 0
