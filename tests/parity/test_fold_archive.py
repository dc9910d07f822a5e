"""The archive in the lake's log: every entry once, whatever comes twice or late, and wherever a job dies."""

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import functions as F

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.shop_buckets import shop_bucket
from service_quality.events.control_records import ShopUnparked
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE, parse_instant
from spark_jobs import fold_archive
from spark_jobs.command_line import run_job
from spark_jobs.lake import maintenance
from spark_jobs.lake.maintenance import compact, expire_snapshots
from spark_jobs.lake.snapshots import append_to
from spark_jobs.logs import archive_fold
from spark_jobs.logs.archive import broken_chains, entries_of
from spark_jobs.logs.log_table import LOG, SORT_ORDER, read_log, read_log_links
from spark_jobs.session.start import start_session
from tests.cluster.moments import kill_at
from tests.parity.archive_folder import write_object
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import KEY
from tests.stand_ins.memory_store import MemoryStore

pytestmark = pytest.mark.spark

START = parse_instant("2025-03-03T22:00:00Z")
SHOPS = ("shop-1", "shop-2", "店铺")
FEWER = FeatureSet(FEATURES.features[:5])
UNREADABLE = b'{"event_id": "e", "shop_id": "shop-1", "kind": "rated", "rating": "bad"}'


def shop_records(shop_id: str) -> list[LogRecord]:
    """Conversations over midnight with a rating, duplicates, a record that nobody can read, and a control record."""
    kinds = ("conversation_opened", "customer_message", "agent_message", "rated")
    data = []
    for number in range(40):
        at = START + number * 6 * MINUTE
        event = InteractionEvent(
            event_id=f"{shop_id} {number}",
            shop_id=shop_id,
            kind=kinds[number % 4],
            occurred_at=at,
            received_at=at + 500,
            conversation_id=f"conversation {number // 4}",
            agent_id="ann",
            rating=2 if number % 4 == 3 else None,
        )
        data.append(event_to_json(event))
    data[10:10] = [
        data[3],
        UNREADABLE,
        sign_control(ShopUnparked(shop_id=shop_id, run="r", until="0"), KEY, issued_at=START),
    ]
    return [LogRecord(str(Position(1, number)), one, START + 5 * HOUR) for number, one in enumerate(data, 1)]


def archived(shop_id: str) -> list[dict]:
    """The chain of a shop whose plan changed on the way."""
    store = MemoryStore()
    for number, batch in enumerate(batches(shop_records(shop_id), [5])):
        new_worker(store, FEWER if number < 4 else FEATURES, shipped_rules()).advance_shop(shop_id, batch)
    return archive_links(store.rows, shop_id)


LINKS = {shop_id: archived(shop_id) for shop_id in SHOPS}


def expected(links: Sequence[dict]) -> list[tuple]:
    return sorted(comparable(entry) for link in links for entry in entries_of(link))


def comparable(entry: dict) -> tuple:
    """What distinguishes an entry, in a form that compares; NaN equals NaN."""
    names = (
        "shop_id",
        "position",
        "row_follows",
        "fingerprint",
        "event_id",
        "kind",
        "occurred_at",
        "received_at",
        "rating",
        "round",
        "label",
    )
    served = ("served_clock", "served_score", "score_failed", "model_version", "rejected", "rejected_field", "control")
    vector = entry.get("served_vector")
    numbers = None if vector is None else tuple("missing" if math.isnan(one) else one for one in vector)
    found = [entry.get(name) for name in (*names, *served, "declared", "duplicate")]
    return tuple(repr(one) for one in (*found, numbers))


def in_log(lake: Path) -> list[tuple]:
    return sorted(comparable(row.asDict()) for row in read_log(start_session("test", str(lake))).collect())


def fold(lake: Path, archive: Path) -> dict:
    summary = lake.parent / "summary.json"
    assert run_job(fold_archive.main, [str(archive), "--lake", str(lake), "--json", str(summary)]) == 0
    return json.loads(summary.read_text("utf-8"))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def write_chain(archive: Path, shop_id: str, links: Sequence[dict], *, name: str = "chain") -> None:
    write_object(archive, f"{name}-{shop_bucket(shop_id)}", links)


def test_log_holds_every_entry_of_every_shop_once_by_day_and_bucket(lake, archive):
    for shop_id, links in LINKS.items():
        write_chain(archive, shop_id, links)

    summary = fold(lake, archive)

    every = [link for links in LINKS.values() for link in links]
    assert (summary["objects"], summary["rows"], summary["second_copies"]) == (len(SHOPS), len(every), 0)
    assert in_log(lake) == expected(every)
    spark = start_session("test", str(lake))
    conditions = ("rejected = 'missing_field'", "duplicate", "control is not null", "declared is not null")
    kinds = spark.table(LOG).agg(*(F.count_if(F.expr(one)) for one in conditions)).collect()[0]
    assert [*kinds] == [3, 3, 3, 6]
    days = spark.table(LOG).where("event_id is not null").select("received_day", F.to_date("received_at").alias("day"))
    assert days.where("received_day != day").isEmpty()
    assert {str(row["day"]) for row in days.distinct().collect()} == {"2025-03-03", "2025-03-04"}
    found = {
        (row["shop_id"], row["shop_bucket"]) for row in spark.table(LOG).select("shop_id", "shop_bucket").collect()
    }
    assert found == {(shop_id, shop_bucket(shop_id)) for shop_id in SHOPS}


def test_links_of_the_log_are_those_of_the_chain(lake, archive):
    links = LINKS["shop-1"]
    write_chain(archive, "shop-1", [*links[:3], *links[4:]])

    fold(lake, archive)

    found = [row.asDict() for row in read_log_links(start_session("test", str(lake))).collect()]
    assert {(one["follows"], one["last"], one["entries"]) for one in found} == {
        (link["follows"], link["last"], len(link["entries"])) for link in (*links[:3], *links[4:])
    }
    (fault,) = broken_chains(found)
    assert "a gap" in fault


def test_second_copies_and_late_objects_add_what_is_new_only(lake, archive):
    links = LINKS["shop-1"]
    write_object(archive, "first", [links[0], links[0], links[1]])
    write_object(archive, "again", [links[1], links[2]])
    first = fold(lake, archive)
    write_object(archive, "swept", [links[0], links[4], links[3]], date="2024-12-31")
    write_object(archive, "rest", links[5:])

    later = fold(lake, archive)
    nothing = fold(lake, archive)

    assert [first[name] for name in ("objects", "rows", "second_copies")] == [2, 3, 1]
    assert [later[name] for name in ("objects", "rows", "second_copies")] == [2, len(links) - 3, 1]
    assert [nothing[name] for name in ("objects", "rows", "second_copies")] == [0, 0, 0]
    assert in_log(lake) == expected(links)


def test_log_of_an_earlier_release_gets_the_columns_that_it_lacks(lake, archive):
    links = LINKS["shop-1"]
    write_object(archive, "before", links[:3])
    fold(lake, archive)
    start_session("test", str(lake)).sql(f"ALTER TABLE {LOG} DROP COLUMNS (round, label)")
    write_object(archive, "since", links[3:])

    fold(lake, archive)

    log = start_session("test", str(lake)).table(LOG).where("event_id is not null")
    rows = log.select("position", "kind", "round", "label").collect()
    before = [row for row in rows if row["position"] <= links[2]["last"]]
    since = [row for row in rows if row["position"] > links[2]["last"]]
    assert {(row["round"], row["label"]) for row in before} == {(None, None)}
    assert {(row["kind"] == "rated", row["round"], row["label"]) for row in since} == {(False, 1, None), (True, 1, 1)}


def test_row_that_differs_from_the_one_of_its_place_is_kept_and_breaks_the_chain(lake, archive):
    links = LINKS["shop-1"]
    write_chain(archive, "shop-1", links)
    fold(lake, archive)
    write_object(archive, "other", [{**links[2], "fingerprint": "other"}])

    assert fold(lake, archive)["rows"] == 1

    found = [row.asDict() for row in read_log_links(start_session("test", str(lake))).collect()]
    assert "a second row" in broken_chains(found)[0]


class KilledError(BaseException):
    """The job ends between two of its steps."""


def dies(patch: pytest.MonkeyPatch, module: object, name: str, *, after: bool) -> None:
    """Let a step of the job end the job, before or after it has done its work."""
    step: Callable = getattr(module, name)

    def die(*given: object, **named: object) -> None:
        if after:
            step(*given, **named)
        raise KilledError

    patch.setattr(module, name, die)


STEPS = (
    (fold_archive, "new_objects", False),
    (archive_fold, "append_to", False),
    (archive_fold, "append_to", True),
    (fold_archive, "note_folded", False),
    (fold_archive, "note_folded", True),
    (fold_archive, "compact", True),
    (fold_archive, "expire_snapshots", True),
)


def parts(links: Sequence[dict], count: int) -> Iterator[Sequence[dict]]:
    for number in range(count):
        yield links[number::count]


def test_job_killed_between_any_two_steps_and_run_again_neither_loses_nor_doubles(lake, archive):
    """Each run finds further objects, and what the killed ones before it have left."""
    for number, ((module, name, after), *links) in enumerate(
        zip(STEPS, *(parts(LINKS[shop_id], len(STEPS)) for shop_id in SHOPS), strict=True)
    ):
        for shop_id, found in zip(SHOPS, links, strict=True):
            write_chain(archive, shop_id, found, name=f"part{number}")
        with pytest.MonkeyPatch.context() as patch:
            dies(patch, module, name, after=after)
            with pytest.raises(KilledError):
                fold_archive.main([str(archive), "--lake", str(lake)])

    fold(lake, archive)

    assert in_log(lake) == expected([link for links in LINKS.values() for link in links])


@pytest.mark.long
def test_process_killed_while_it_writes_neither_loses_nor_doubles(lake, archive):
    for shop_id, links in LINKS.items():
        write_chain(archive, shop_id, links)
    every = expected([link for links in LINKS.values() for link in links])
    argv, committed = ["fold_archive", str(archive), "--lake", str(lake)], "log/metadata/v3.metadata.json"

    def files(pattern: str) -> int:
        return sum(1 for _ in (lake / "service").glob(pattern))

    def comes(pattern: str) -> Callable[[], bool]:
        """Whether there is a new file, or the rows are committed already, in which case none would come."""
        before = files(pattern)
        return lambda: files(pattern) > before or files(committed) > 0

    for pattern in ("log/data/**/*.parquet", "log/metadata/snap-*.avro", committed):
        kill_at(comes(pattern), argv, os.environ, Random(8))
        assert in_log(lake) in ([], every), pattern
    assert in_log(lake) == every
    kill_at(lambda: files("folded_objects/metadata/v2.metadata.json") > 0, argv, os.environ, Random(8))

    assert fold(lake, archive)["rows"] == 0

    assert in_log(lake) == every


def test_of_two_runs_at_once_one_gives_way(lake, archive, monkeypatch):
    for shop_id, links in LINKS.items():
        write_chain(archive, shop_id, links)
    others: list[dict] = []

    def overtaken(*given: Any) -> None:
        """Another run folds the same objects between this one's reading and its commit."""
        monkeypatch.setattr(archive_fold, "append_to", append_to)
        others.append(fold(lake, archive))
        append_to(*given)

    monkeypatch.setattr(archive_fold, "append_to", overtaken)

    mine = fold(lake, archive)

    every = [link for links in LINKS.values() for link in links]
    assert (others[0]["rows"], others[0]["second_copies"]) == (len(every), 0)
    assert (mine["rows"], mine["second_copies"]) == (0, len(every))
    assert in_log(lake) == expected(every)


def test_small_files_become_one_in_order_and_old_snapshots_leave(lake, archive, monkeypatch):
    monkeypatch.setattr(maintenance, "SMALL_FILES", 3)
    spark = start_session("test", str(lake))
    for number, links in enumerate(parts(LINKS["shop-1"], 3)):
        write_object(archive, f"part{number}", links)
        fold_archive.fold_new(spark, str(archive))
    before = in_log(lake)

    assert compact(spark, LOG, order=SORT_ORDER) >= 3
    assert expire_snapshots(spark, LOG, before=2**42) == 3

    assert in_log(lake) == before
    assert spark.table(f"{LOG}.snapshots").count() == 1
    day = "received_day = DATE '2025-03-04'"
    ordered = spark.table(LOG).where(day).select("position", F.input_file_name().alias("file")).collect()
    assert len({row["file"] for row in ordered}) == 1
    assert all(one["position"] <= other["position"] for one, other in pairwise(ordered))
    assert compact(spark, LOG, order=SORT_ORDER) == 0


def test_expiry_leaves_snapshots_that_are_young_enough(lake, archive):
    spark = start_session("test", str(lake))
    for number, links in enumerate(parts(LINKS["shop-1"], 2)):
        write_object(archive, f"part{number}", links)
        fold_archive.fold_new(spark, str(archive))

    assert expire_snapshots(spark, LOG, before=START - DAY) == 0
    assert spark.table(f"{LOG}.snapshots").count() == 2


def test_row_of_another_bucket_than_its_object_is_refused(lake, archive, capsys):
    path = write_object(archive, "wrong", LINKS["shop-1"][:1])
    other = archive / "date=2025-03-01" / "bucket=09" / path.name
    other.parent.mkdir()
    path.rename(other)

    assert run_job(fold_archive.main, [str(archive), "--lake", str(lake)]) == 3

    assert "found a row of bucket 0 in date=2025-03-01/bucket=09/wrong" in capsys.readouterr().err


def test_object_of_another_name_is_refused(lake, archive, capsys):
    archive.mkdir()
    (archive / "rows.jsonl.gz").write_bytes(b"rows")

    assert run_job(fold_archive.main, [str(archive), "--lake", str(lake)]) == 3

    assert "expected objects date=YYYY-MM-DD/bucket=NN/NAME" in capsys.readouterr().err


def test_path_at_which_nothing_lies_is_refused_before_anything_is_written(lake, archive, capsys):
    assert run_job(fold_archive.main, [str(archive), "--lake", str(lake)]) == 4

    assert str(archive) in capsys.readouterr().err
    assert not lake.exists()
