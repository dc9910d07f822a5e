"""Rules set by the operator's command on a deployed shop: asked from then on, until a later revision."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.paths import ROOT
from infra.local.cloud import Cloud, for_embedded
from infra.local.deployment import STACK, deploy
from infra.local.emulator import Emulator
from infra.local.replaying import put_events, wait_for_archive
from service_quality.events.interaction_event import InteractionEvent
from tests.integration.line_steps import read_rejected
from tests.integration.operators import operator_environment
from tests.integration.test_deployment import promote_tiny_model
from tests.unit.core.rule_documents import WAITS, document, rule

pytestmark = [pytest.mark.aws, pytest.mark.slow]

SHOP = "rules-shop"
SECONDS = 60
#: Opens an alert with a customer's first word.
TALKS = rule(
    WAITS,
    name="talks",
    tiers={"info": {"at_least": {"value": "customer_messages", "limit": 1}}},
    title={"en": "Somebody talks", "zh": "有人说话"},
    examples=[{"values": {"customer_messages": 1}, "expect": "info"}, {"values": {}, "expect": "none"}],
)


@dataclass(frozen=True)
class Line:
    """The deployed line, and commands on it; the operator has no more rights than the runbook gives."""

    cloud: Cloud
    outputs: dict[str, str]
    of_operator: dict[str, str]
    of_all: dict[str, str]

    def rules(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        return _run(self.of_operator, "rules", *argv)

    def send(self, kind: str) -> None:
        """An event of the one contact, folded when this returns."""
        now = int(time.time() * 1000)
        event = InteractionEvent(
            event_id=f"{kind} at {now}",
            shop_id=SHOP,
            kind=kind,
            occurred_at=now,
            received_at=now,
            conversation_id="contact",
        )
        numbers = put_events(self.cloud, self.outputs["EventStreamName"], [event])
        wait_for_archive(self.cloud, self.outputs["ArchiveBucketName"], numbers, quiet=SECONDS)

    def open_alerts(self) -> str:
        listed = _run(self.of_all, "alerts", "--shop", SHOP)
        assert listed.returncode == 0, listed.stderr
        return listed.stdout


def _run(environment: dict[str, str], *argv: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.operations", *argv, "--stack", STACK]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Iterator[Line]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs)
        environment = for_embedded(os.environ, emulator.endpoint)
        of_operator = operator_environment(emulator.cloud, outputs, environment)
        yield Line(emulator.cloud, outputs, of_operator, environment)


def test_rules_of_a_deployed_shop_are_asked_until_a_later_revision_withdraws_them(line, tmp_path):
    wrong, talks, nothing = (tmp_path / name for name in ("wrong.yaml", "talks.yaml", "nothing.yaml"))
    wrong.write_bytes(document(rule(version=0, audience="me")))
    talks.write_bytes(document(TALKS, revision="talks"))
    nothing.write_bytes(document(revision="nothing", follows="talks"))

    refused, put, again = (line.rules("set", "--shop", SHOP, file) for file in (wrong, talks, talks))
    line.send("customer_message")
    listed = line.open_alerts()
    withdrawn = line.rules("set", "--shop", SHOP, nothing)
    shown = line.rules("show", "--shop", SHOP)
    line.send("internal_note")

    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 3)
    assert put.returncode == 0, put.stderr
    assert again.stdout.endswith("in force already\n")
    assert "talks" in listed
    assert withdrawn.returncode == 0, withdrawn.stderr
    assert shown.stdout.startswith(f"{SHOP}: revision nothing is in force since position ")
    assert "withdrawn before: talks" in shown.stdout
    assert line.open_alerts().startswith("0 open")
    assert not [one for one in read_rejected(line.cloud, line.outputs["RejectedBucketName"]) if one["shop_id"] == SHOP]
