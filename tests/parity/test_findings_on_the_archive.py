"""Whom findings on the archive are about: those alone that counted."""

import json

import pytest
from pyspark.sql import SparkSession

from service_quality.events.control_records import RULES, SettingsChanged, control_to_dict
from service_quality.events.finding_reported import FindingReported
from spark_jobs.logs.findings import read_found
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark

DDL = "shop_id string, position string, control string, rejected string, duplicate boolean, silent boolean"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def found(subject_id: str, *, kind: str = "customer", shop_id: str = "shop") -> FindingReported:
    return FindingReported(
        shop_id=shop_id, finding="churn", subject_kind=kind, subject_id=subject_id, as_of=1_000, valid_until=2_000,
        values={},
    )  # fmt: skip


def entry(position: str, record, *, rejected=None, duplicate=False) -> tuple:
    return record.shop_id, position, json.dumps(control_to_dict(record)), rejected, duplicate, None


def test_those_of_findings_that_counted_are_found_once(spark):
    entries = spark.createDataFrame(
        [
            entry("1", found("zoe")),
            entry("2", found("yan")),
            entry("3", found("zoe")),
            entry("4", found("zoe", shop_id="north")),
            ("shop", "5", None, None, False, True),  # one that was late
            entry("6", found("known"), duplicate=True),
            entry("7", found("odd"), rejected="unknown_finding"),
            entry("8", found("ann", kind="agent")),
            entry("9", SettingsChanged(shop_id="shop", document=b"{}", section=RULES)),
            ("shop", "10", None, None, False, None),
        ],
        DDL,
    )

    keys = read_found(entries).orderBy("shop_id", "key").collect()

    assert [(row["shop_id"], row["key"]) for row in keys] == [
        ("north", "customer\x1fzoe"),
        ("shop", "customer\x1fyan"),
        ("shop", "customer\x1fzoe"),
    ]
