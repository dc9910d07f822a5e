"""The archive of Spark's classes: for one Java and one Spark, read where it is there."""

import pyspark
import pytest

from spark_jobs.session.java_classes import archive_file, reading_options
from spark_jobs.session.keep_java_classes import load_in_a_lake_of_its_own


@pytest.fixture
def home(tmp_path):
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.1"')
    return tmp_path


def test_archive_is_read_where_it_is_there(home):
    assert reading_options(home, home) == ""

    archive_file(home, home).touch()

    assert f'"-XX:SharedArchiveFile={archive_file(home, home)}"' in reading_options(home, home)


def test_archive_holds_for_one_java_and_one_folder_of_spark(home, monkeypatch):
    files = [archive_file(home, home)]
    (home / "release").write_text('JAVA_VERSION="21.0.1"')
    files.append(archive_file(home, home))
    monkeypatch.setattr(pyspark, "__file__", "/elsewhere/pyspark/__init__.py")
    files.append(archive_file(home, home))

    assert len(set(files)) == 3


@pytest.mark.spark
def test_what_loads_the_classes_runs():
    load_in_a_lake_of_its_own()
