"""What a session is told before Spark starts."""

import zipfile

import pytest

from spark_jobs.code_archive import write_code_archive
from spark_jobs.errors import ArgumentError
from spark_jobs.session import catalog_settings, start_session, storage_settings, warehouse


def test_local_lake_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert warehouse("build/lake") == str(tmp_path / "build" / "lake")


@pytest.mark.parametrize("lake", ["s3://bucket/lake", "s3a://bucket/lake/"])
def test_lake_in_an_object_store_stays_as_it_is(lake):
    assert warehouse(lake) == lake.rstrip("/")


@pytest.mark.parametrize("lake", ["ftp://host/lake", "gs://bucket/lake"])
def test_lake_elsewhere_is_refused(lake):
    with pytest.raises(ArgumentError, match="expected a folder, s3a:// or s3://"):
        warehouse(lake)


def test_lake_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "lake").write_text("")

    with pytest.raises(ArgumentError, match="found a file"):
        warehouse(str(tmp_path / "lake"))


@pytest.mark.parametrize("master", ["nonsense", "local[", "http://127.0.0.1"])
def test_master_that_spark_does_not_know_is_refused(tmp_path, monkeypatch, master):
    monkeypatch.setattr("spark_jobs.session.SparkContext._active_spark_context", None)

    with pytest.raises(ArgumentError, match="--master: found"):
        start_session("test", str(tmp_path), master=master)


def test_glue_is_refused_where_spark_has_no_client_for_it():
    with pytest.raises(ArgumentError, match="--catalog glue"):
        start_session("test", "s3://bucket/lake", "glue")


def test_glue_keeps_the_tables_when_asked():
    assert "glue.GlueCatalog" in catalog_settings("s3://bucket/lake", "glue")["spark.sql.catalog.lake.catalog-impl"]
    assert catalog_settings("lake", "hadoop")["spark.sql.catalog.lake.type"] == "hadoop"


def test_local_store_is_reached_where_it_answers(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    settings = storage_settings()

    assert settings["spark.hadoop.fs.s3a.endpoint"] == "http://127.0.0.1:4566"
    assert settings["spark.hadoop.fs.s3a.path.style.access"] == "true"
    assert settings["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"


def test_code_archive_holds_the_core_and_the_jobs_and_is_the_same_each_time(tmp_path):
    first, second = write_code_archive(tmp_path / "a.zip"), write_code_archive(tmp_path / "b.zip")

    names = zipfile.ZipFile(first).namelist()
    assert {"service_quality/events.py", "spark_jobs/session.py", "tools/java.py"} <= set(names)
    assert first.read_bytes() == second.read_bytes()
