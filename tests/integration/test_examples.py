"""The examples and the operator's commands about alerts, as a newcomer runs them, on the embedded AWS."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cli.paths import ROOT
from examples.send_conversation import conversation
from infra.local.cloud import Cloud, for_embedded
from infra.local.deployment import STACK, deploy
from infra.local.emulator import Emulator
from service_quality.alerts.shipped_rules import shipped_rules
from tests.integration.test_deployment import promote_tiny_model

pytestmark = [pytest.mark.aws, pytest.mark.slow]

SHOP = "my-shop"


@dataclass(frozen=True)
class Run:
    """Runs a module with the variables of the embedded AWS alone, and gives what it printed."""

    cloud: Cloud
    outputs: dict[str, str]

    def __call__(self, *argv: str) -> str:
        environment = for_embedded(os.environ, self.cloud.endpoint)
        command = [sys.executable, "-m", *argv]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Run]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs)
        yield Run(emulator.cloud, outputs)


def alerts_in(printed: str) -> list[dict]:
    """The alerts that `read_alerts` printed one after the other."""
    decoder, alerts, at = json.JSONDecoder(), [], 0
    while at < len(printed.rstrip()):
        alert, at = decoder.raw_decode(printed, at)
        alerts.append(alert)
        at += 1
    return alerts


def test_own_conversation_is_sent_and_its_alert_read(run):
    run("examples.subscribe")

    sent = run("examples.send_conversation")
    alerts = alerts_in(run("examples.read_alerts", "--seconds", "30"))

    assert sent.startswith("queued as message ")
    assert "waiting_too_long" in {alert["kind"] for alert in alerts}
    assert {alert["shop_id"] for alert in alerts} == {SHOP}
    for alert in alerts:
        found = run("infra.operations", "alerts", "--stack", STACK, "--alert", alert["alert_id"])
        assert f"sent as alert {alert['alert_id']} about {alert['subject']['id']}" in found
        assert "conversation contact-" in found


def test_subscriber_that_wants_critical_alerts_gets_no_other(run):
    run("examples.subscribe", "--queue", "grave-alerts", "--severity", "critical")

    run("examples.send_conversation", "--shop", "grave-shop")

    assert {one["severity"] for one in alerts_in(run("examples.read_alerts", "--queue", "grave-alerts"))} <= {
        "critical"
    }


def test_subscriber_gets_the_alerts_of_its_audience(run):
    for audience in ("operations", "coaching"):
        run("examples.subscribe", "--queue", f"for-{audience}", "--audience", audience)

    run("examples.send_conversation", "--shop", "heard-shop")

    found = alerts_in(run("examples.read_alerts", "--queue", "for-operations", "--seconds", "30"))
    assert {tuple(one["audiences"]) for one in found} == {("operations",)}
    assert alerts_in(run("examples.read_alerts", "--queue", "for-coaching", "--seconds", "1")) == []


def test_direct_call_answers_with_what_was_accepted(run):
    answer = json.loads(run("examples.send_conversation", "--by", "call"))

    assert len(answer["accepted"]) == 2
    assert answer["rejected"] == answer["unknown_fields"] == []


def test_events_of_a_file_are_sent_and_previewed_and_what_is_wrong_with_one_is_said(run, tmp_path):
    now = datetime.now(UTC)
    good, wrong = (one | {"shop_id": "filed-shop"} for one in conversation(SHOP, now))
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in (good, wrong | {"kind": "custmer_message"})))

    previewed = run("examples.preview", "--file", str(file))
    answer = json.loads(run("examples.send_conversation", "--by", "call", "--file", str(file)))

    assert (previewed.count("risk "), previewed.count("rejected ")) == (1, 1)
    assert answer["accepted"] == [good["event_id"]]
    (rejected,) = answer["rejected"]
    assert rejected["event_id"] == wrong["event_id"]
    assert "kind" in rejected["message"]


def test_preview_gives_a_score_with_reasons_and_stores_nothing(run):
    printed = run("examples.preview", "--shop", "previewed-shop")

    assert printed.count("risk ") == 2
    listed = run("infra.operations", "alerts", "--stack", STACK, "--shop", "previewed-shop")
    assert listed.startswith("0 open\nno event of this shop was seen yet")


def test_open_alert_is_listed_and_its_mail_shown_as_the_shop_wants_it(run):
    settings = ("infra.operations", "settings", "--stack", STACK, "--shop", SHOP)
    assert "hashed (default)" in run(*settings)
    shown = run(*settings, "--time-zone", "Asia/Shanghai", "--display-name", "Tea & Co", "--currency", "CNY")
    assert "Asia/Shanghai" in shown

    listed = run("infra.operations", "alerts", "--stack", STACK, "--shop", SHOP)
    mails = run("infra.operations", "mail", "--stack", STACK, "--shop", SHOP)

    assert "waiting_too_long" in listed
    assert "conversation contact-" in listed
    assert shipped_rules()[0].title.en in mails
    assert shipped_rules()[0].title.zh in mails
    assert "Asia/Shanghai" in mails
    assert "Tea & Co" in mails
    assert listed.partition("sent as alert ")[2].split()[0] in mails
    assert "(default)" in run(*settings, "--time-zone", "")


def test_subscriber_whose_queue_is_closed_to_the_topic_is_named(run):
    cloud, topic = run.cloud, run.outputs["AlertTopicArn"]
    url = cloud.sqs.create_queue(QueueName="closed")["QueueUrl"]
    arn = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    run("examples.subscribe", "--queue", "open-to-it")

    listed = run("infra.operations", "subscribers", "--stack", STACK).splitlines()

    assert [line for line in listed if "closed" in line and "gets nothing" in line]
    assert [line for line in listed if "open-to-it" in line and line.endswith("gets alerts")]
