"""What jobs read of settings on the archive: policies without rules, and the subjects of rules of any revision."""

import json

import pytest
from pyspark.sql import SparkSession

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.conversations.wait_stages import Stage
from service_quality.events.control_records import RULES, SettingsChanged, control_to_dict
from spark_jobs.logs.settings import read_settings
from spark_jobs.session.start import start_session
from tests.unit.core.rule_documents import RATED_BADLY, WAITS, rule, rules_set

pytestmark = pytest.mark.spark

EXAMPLES = [
    {"values": {"waiting_ms": "PT5M"}, "expect": "info"},
    {"values": {"waiting_ms": "PT1M"}, "expect": "none"},
]
DDL = "shop_id string, position string, control string, rejected string, duplicate boolean"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def entry(position: str, record: SettingsChanged, *, rejected: str | None = None, duplicate: bool = False) -> tuple:
    return "shop", position, json.dumps(control_to_dict(record)), rejected, duplicate


def test_policies_and_rules_are_told_apart(spark):
    policy = json.dumps({"revision": "p", "valid_from": "2020-01-01T00:00:00Z"}).encode()
    entries = spark.createDataFrame(
        [
            entry("1", rules_set(RATED_BADLY)),
            entry("2", SettingsChanged(shop_id="shop", document=policy)),
            entry("3", rules_set(WAITS, revision="b", follows="a")),
            entry("4", rules_set(rule(RATED_BADLY, subject="customer")), rejected="other_revision"),
            entry("5", rules_set(rule(RATED_BADLY, subject="sku")), duplicate=True),
            ("shop", "6", None, None, False),
        ],
        DDL,
    )

    settings = read_settings(entries)

    assert [one.revision for one in settings.policies["shop"].policies] == ["p"]
    assert settings.rule_subjects == {"agent", "conversation"}


def test_stages_are_those_of_a_shops_latest_rules_else_of_the_release(spark):
    soon = rule(tiers={"info": {"at_least": {"value": "waiting_ms", "limit": "PT5M"}}}, examples=EXAMPLES)
    odd = SettingsChanged(shop_id="odd", document=b'{"revision": "x", "rules": [{}]}', section=RULES)
    entries = spark.createDataFrame(
        [
            entry("1", rules_set(WAITS)),
            entry("2", rules_set(soon, revision="b", follows="a")),
            ("odd", "3", json.dumps(control_to_dict(odd)), None, False),
        ],
        DDL,
    )

    stages = read_settings(entries).stages

    assert stages.of("shop") == (Stage("waiting_ms", 300_000),)
    assert stages.of("odd") == stages.of("another") == stages_of(shipped_rules())
