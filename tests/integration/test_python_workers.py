"""What Spark's Python workers do between tasks is spared them, and nothing of it happens in a driver."""

import gc
import sys
import zipfile
from zipimport import zipimporter

import pyarrow as pa
import pytest

from spark_jobs.session.start import start_session
from spark_jobs.session.worker import UnchangingArchive

pytestmark = pytest.mark.spark


def look(batches):
    """Of the process of a task: finders that would read an archive again, those that do not, frozen objects."""
    kinds = [type(finder) for finder in sys.path_importer_cache.values()]
    for batch in batches:
        frozen = [gc.get_freeze_count()] * batch.num_rows
        again, unchanging = ([kinds.count(kind)] * batch.num_rows for kind in (zipimporter, UnchangingArchive))
        yield pa.RecordBatch.from_arrays([pa.array(again), pa.array(unchanging), pa.array(frozen)], ["a", "u", "f"])


def test_worker_reads_no_archive_again_and_collects_only_what_came_after_the_start(tmp_path):
    spark = start_session("test", str(tmp_path / "lake"))

    found = spark.range(0, 8, 1, 4).mapInArrow(look, "a long, u long, f long").collect()

    assert {row["a"] for row in found} == {0}
    assert min(row["u"] for row in found) >= 1
    assert min(row["f"] for row in found) > 10_000


def test_driver_stays_as_it_is():
    assert UnchangingArchive not in {type(finder) for finder in sys.path_importer_cache.values()}
    assert gc.get_freeze_count() == 0


def test_archive_gives_its_modules_whenever_caches_are_dropped(tmp_path):
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("kept_in_an_archive.py", "ANSWER = 42")

    finder = UnchangingArchive(str(archive))
    finder.invalidate_caches()

    code = finder.get_source("kept_in_an_archive")
    assert code == "ANSWER = 42"
