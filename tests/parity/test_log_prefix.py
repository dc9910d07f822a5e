"""The log by an instant: of each shop what comes before its first entry that was received at the instant or later."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from service_quality.instants import DAY, HOUR, parse_instant
from spark_jobs.logs.archive import LINK_DDL, broken_chains
from spark_jobs.logs.log_prefix import entries_by, links_by
from spark_jobs.session.start import start_session
from tests.parity.log_entries import entry, log_of

pytestmark = pytest.mark.spark

NOON = parse_instant("2025-03-03T12:00:00Z")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def positions(entries: DataFrame) -> set[tuple[str, str]]:
    """Shop and position of entries, without the declarations that `log_of` puts before them."""
    return {(row["shop_id"], row["position"]) for row in entries.where("position > '0'").collect()}


def links_of(spark: SparkSession, *links: tuple[str, str, str]) -> DataFrame:
    return spark.createDataFrame([(*link, 1, "v1") for link in links], LINK_DDL)


def test_prefix_ends_before_the_first_entry_received_at_the_instant_whatever_came_behind_it(spark):
    log = log_of(
        spark,
        entry("1", "agent_message", NOON - HOUR, "a"),
        entry("2", "agent_message", NOON - HOUR, "a", received_at=NOON),
        entry("3", "agent_message", NOON - HOUR, "a"),
    )

    assert positions(entries_by(log, NOON)) == {("shop", "1")}
    assert positions(entries_by(log, NOON + 1)) == {("shop", "1"), ("shop", "2"), ("shop", "3")}
    assert positions(entries_by(log, None)) == {("shop", "1"), ("shop", "2"), ("shop", "3")}


def test_each_shop_has_an_end_of_its_own(spark):
    log = log_of(
        spark,
        entry("1", "agent_message", NOON, "a"),
        entry("2", "agent_message", NOON - DAY, "a"),
        entry("1", "agent_message", NOON - DAY, "a", shop_id="early"),
        entry("2", "agent_message", NOON - HOUR, "a", shop_id="early"),
    )

    assert positions(entries_by(log, NOON)) == {("early", "1"), ("early", "2")}


def test_entry_without_an_arrival_is_in_the_prefix_as_its_neighbours_are(spark):
    rejected = {"rejected": "wrong_type", "received_at": None}
    log = log_of(
        spark,
        entry("1", "agent_message", NOON - HOUR, "a"),
        entry("2", "agent_message", NOON, "a", **rejected),
        entry("3", "agent_message", NOON, "a"),
        entry("4", "agent_message", NOON, "a", **rejected),
    )

    assert positions(entries_by(log, NOON)) == {("shop", "1"), ("shop", "2")}


def test_link_in_which_the_prefix_ends_is_kept_and_those_behind_it_are_not(spark):
    log = log_of(
        spark,
        entry("1", "agent_message", NOON - DAY, "a"),
        entry("3", "agent_message", NOON - HOUR, "a"),
        entry("4", "agent_message", NOON, "a"),
        entry("6", "agent_message", NOON, "a"),
    )
    links = links_of(spark, ("shop", "", "2"), ("shop", "2", "4"), ("shop", "5", "6"), ("other", "", "9"))

    found = [row.asDict() for row in links_by(links, log, NOON).collect()]

    assert {(one["shop_id"], one["follows"]) for one in found} == {("shop", ""), ("shop", "2"), ("other", "")}
    assert broken_chains(found) == []
    assert links_by(links, log, None).count() == 4
