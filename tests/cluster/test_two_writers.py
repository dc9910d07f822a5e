"""Two imports at once: the second sees what the first has written, and no row is there twice."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from threading import Thread

import pytest
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.errors import JobError, OvertakenError
from spark_jobs.lake import snapshots
from spark_jobs.lake.snapshots import append_to, only_writer, snapshot_of
from spark_jobs.lake.tables import EVENTS, EVENTS_SCHEMA, write_events
from tests.cluster.conftest import BUCKET
from tests.cluster.two_worlds import events_in, session_on

pytestmark = [pytest.mark.spark, pytest.mark.aws, pytest.mark.slow, pytest.mark.long]

#: Takes a lock, says so, and keeps it.
HOLDER = """
import fcntl, sys, time
lock = open(sys.argv[1])
fcntl.flock(lock, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture(params=["folder", "object store"])
def lake(request, tmp_path, store):
    """An empty lake, and how to reach it."""
    if request.param == "folder":
        return str(tmp_path / "lake"), {}
    return f"s3a://{BUCKET}/{tmp_path.name}", store.s3a


def events_of(spark: SparkSession, *names: str) -> DataFrame:
    given = {"shop_id": "shop", "kind": "conversation_opened", "occurred_at": NOON, "received_at": NOON}
    rows = [
        tuple({**given, "event_id": name, "conversation_id": name}.get(field.name) for field in EVENTS_SCHEMA)
        for name in names
    ]
    return spark.createDataFrame(rows, EVENTS_SCHEMA)


def names_in(lake) -> list[str]:
    return [row[EVENTS_SCHEMA.fieldNames().index("event_id")] for row in events_in(session_on(*lake))]


def come_between(monkeypatch, lake, imports: list[tuple[str, ...]]) -> None:
    """Let other imports finish, one before each attempt to append."""
    waiting = iter(imports)

    def append_late(rows, table, base):
        names = next(waiting, ())
        if names:
            with monkeypatch.context() as patch:
                patch.setattr(snapshots, "append_to", append_to)
                other = session_on(*lake)
                write_events(events_of(other, *names))
        append_to(rows, table, base)

    monkeypatch.setattr(snapshots, "append_to", append_late)


@pytest.mark.parametrize("before", [(), ("a",)], ids=["a new table", "a table with rows"])
def test_import_that_was_overtaken_adds_what_is_still_new(before, lake, monkeypatch):
    spark = session_on(*lake)
    if before:
        write_events(events_of(spark, *before))
    come_between(monkeypatch, lake, [("b", "c"), ("d",)])

    written = write_events(events_of(spark, "a", "c", "d", "e"))

    assert names_in(lake) == ["a", "b", "c", "d", "e"]
    assert written.rows == 2 - len(before)
    assert written.snapshot == snapshot_of(session_on(*lake), EVENTS)


def test_rows_for_an_older_snapshot_are_refused(lake):
    spark = session_on(*lake)
    base = write_events(events_of(spark, "a")).snapshot
    write_events(events_of(session_on(*lake), "b"))

    with pytest.raises(OvertakenError, match="another writer"):
        append_to(events_of(spark, "b"), EVENTS, base)

    assert names_in(lake) == ["a", "b"]


def test_import_that_is_always_overtaken_gives_up_in_one_sentence(tmp_path, monkeypatch):
    spark = session_on(str(tmp_path))

    def overtaken(rows, table, base):
        raise OvertakenError("found another")

    monkeypatch.setattr(snapshots, "append_to", overtaken)

    with pytest.raises(JobError, match=r"found other writers of lake\.service\.events in each of 5 attempts"):
        write_events(events_of(spark, "a"))


def test_second_writer_of_a_folder_waits_for_the_first(tmp_path):
    spark, order = session_on(str(tmp_path)), []

    def write_second() -> None:
        with only_writer(spark, EVENTS):
            order.append("second")

    with only_writer(spark, EVENTS):
        second = Thread(target=write_second)
        second.start()
        second.join(0.3)
        order.append("first")
    second.join(10)

    assert order == ["first", "second"]


def test_killed_writer_of_a_folder_holds_nobody_up(tmp_path):
    spark = session_on(str(tmp_path))
    with only_writer(spark, EVENTS):
        (lock,) = tmp_path.glob(".*")
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGKILL)

    with only_writer(spark, EVENTS):
        assert process.wait() == -signal.SIGKILL
    process.stdout.close()
