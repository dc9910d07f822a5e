"""The settings of a session before Spark starts."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.version import version
from spark_jobs.errors import ArgumentError
from spark_jobs.session.code_archive import write_code_archive
from spark_jobs.session.start import (
    catalog_settings,
    jar_cache,
    network_settings,
    required_settings,
    start_session,
    storage_settings,
    warehouse,
)
from spark_jobs.sources.mapping_file import shipped_mappings


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
    monkeypatch.setattr("spark_jobs.session.start.SparkContext._active_spark_context", None)

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


@pytest.mark.parametrize(
    ("of_default", "of_lambda", "region"),
    [("", "eu-central-1", "eu-central-1"), ("eu-west-1", "", "eu-west-1"), ("eu-west-1", "eu-central-1", "eu-west-1")],
)
def test_executors_elsewhere_get_the_local_store_in_the_region_of_every_command(
    monkeypatch, of_default, of_lambda, region
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_DEFAULT_REGION", of_default)
    monkeypatch.setenv("AWS_REGION", of_lambda)

    settings = storage_settings()

    assert settings["spark.executorEnv.AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert settings["spark.executorEnv.AWS_REGION"] == region


def test_executors_on_aws_get_no_key(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert "secret" not in storage_settings().values()


@pytest.mark.parametrize("master", ["local[2]", "local-cluster[2,1,1024]", "spark://127.0.0.1:7077"])
def test_driver_of_a_cluster_on_this_machine_is_reached_from_nowhere_else(master):
    assert set(network_settings(master).values()) == {"127.0.0.1"}


@pytest.mark.parametrize("master", ["spark://10.0.0.7:7077", "yarn", "k8s://https://10.0.0.7"])
def test_driver_of_a_cluster_elsewhere_is_where_spark_finds_it(master):
    assert network_settings(master) == {}


def test_extensions_of_others_stay_beside_iceberg():
    iceberg = required_settings()["spark.sql.extensions"]

    assert required_settings("a.B,c.D")["spark.sql.extensions"] == f"{iceberg},a.B,c.D"
    assert required_settings(f"{iceberg},a.B")["spark.sql.extensions"] == f"{iceberg},a.B"


def test_jars_are_kept_where_the_job_is_run_when_its_code_is_an_archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spark_jobs.session.start.ROOT", write_code_archive(tmp_path / "code.zip"))

    assert jar_cache() == tmp_path / ".cache" / "ivy"


def test_code_archive_holds_everything_shared_that_its_modules_import(tmp_path):
    with zipfile.ZipFile(write_code_archive(tmp_path / "code.zip")) as archive:
        sources = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}

    wanted = {
        tool for source in sources.values() for tool in re.findall(r"^from cli\.(\w+) import", source, re.MULTILINE)
    }

    assert wanted
    assert {f"cli/{tool}.py" for tool in wanted} <= sources.keys()


def test_code_archive_holds_the_core_and_the_jobs_and_is_the_same_each_time(tmp_path):
    first, second = write_code_archive(tmp_path / "a.zip"), write_code_archive(tmp_path / "b.zip")

    names = zipfile.ZipFile(first).namelist()
    assert {"service_quality/events/interaction_event.py", "spark_jobs/session/start.py", "cli/java.py"} <= set(names)
    assert first.read_bytes() == second.read_bytes()


def print_from_archive(program: str, folder: Path) -> str:
    """What a program prints to which the code comes as an archive alone."""
    environment = {"PYTHONPATH": str(write_code_archive(folder / "code.zip"))}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_calendar_is_read_from_the_code_archive(tmp_path):
    program = "from service_quality.policies.calendars import load_calendar; print(len(load_calendar('CN').published))"

    assert print_from_archive(program, tmp_path) == "8"


def test_card_of_a_run_is_written_from_the_code_archive(tmp_path):
    program = """
from pathlib import Path
from spark_jobs.cards.running import begin_card, end_card, expect_run
expect_run(["--as-of", "2025-03-03"])
begin_card("train_model", {}, lambda: None)
end_card(0)
(page,) = Path("build/runs").glob("*/card.html")
print(page.read_text("utf-8"))
"""

    page = print_from_archive(program, tmp_path)

    assert version() in page
    assert "<style>" in page


def test_mappings_are_read_from_the_code_archive(tmp_path):
    program = """
from spark_jobs.sources.mapping_file import load_mapping, shipped_mappings
print(*[load_mapping(name).name for name in shipped_mappings()])
"""

    assert print_from_archive(program, tmp_path).split() == list(shipped_mappings())
