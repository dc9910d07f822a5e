"""A policy set by the operator's command on a deployed shop: it judges replies to the questions that come after it."""

import json
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
from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import decode_histories, stored_key
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.entities import AGENT
from service_quality.features.feature_set import FEATURES
from service_quality.instants import MINUTE
from tests.integration.line_steps import read_rejected
from tests.integration.operators import operator_environment
from tests.integration.test_deployment import promote_tiny_model

pytestmark = [pytest.mark.aws, pytest.mark.slow]

SHOP = "policy-shop"
SECONDS = 60
#: Slow by the defaults (more than 15 minutes), in time by the policy below.
WAIT = 20 * MINUTE
DECLARED = {"revision": "patient", "valid_from": "2020-01-01T00:00:00Z", "slow_beyond": "PT30M"}


@dataclass(frozen=True)
class Line:
    """The deployed line, and the operator's commands on it with no more rights than the runbook gives."""

    cloud: Cloud
    outputs: dict[str, str]
    environment: dict[str, str]

    def policy(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.operations", "policy", *argv, "--stack", STACK, "--shop", SHOP]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def answer_after(self, wait: int, agent_id: str) -> None:
        """A contact that an agent answers now, so long after its question; folded when this returns."""
        now = int(time.time() * 1000)
        asked, answered = (
            InteractionEvent(
                event_id=f"{kind} of {agent_id}",
                shop_id=SHOP,
                kind=kind,
                occurred_at=at,
                received_at=at,
                conversation_id=f"contact of {agent_id}",
                agent_id=agent_id if kind == "agent_message" else None,
            )
            for kind, at in (("customer_message", now - wait), ("agent_message", now))
        )
        numbers = put_events(self.cloud, self.outputs["EventStreamName"], [asked, answered])
        wait_for_archive(self.cloud, self.outputs["ArchiveBucketName"], numbers, quiet=SECONDS)

    def replies_of(self, agent_id: str) -> tuple[int, int]:
        """The timed and the slow replies in the agent's history, by the table of states."""
        state = StateReader(self.cloud.dynamodb, self.outputs["StateTableName"])
        shop, key = state.read_shop(SHOP) or ShopItem(), AGENT.key({"agent_id": agent_id}) or ""
        data = state.read_items(SHOP, [stored_key(key, shop.generation)])[stored_key(key, shop.generation)]
        history = decode_histories(data, FEATURES.plan).histories[key]
        window = next(one for one, names in FEATURES.plan.windows[AGENT.name].items() if "slow_replies" in names)
        timed, slow = (history.get(window, name, clock=shop.clock) for name in ("timed_replies", "slow_replies"))
        return timed, slow


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Iterator[Line]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs)
        environment = for_embedded(os.environ, emulator.endpoint)
        yield Line(emulator.cloud, outputs, operator_environment(emulator.cloud, outputs, environment))


def test_policy_of_a_deployed_shop_judges_what_begins_after_it(line, tmp_path):
    document, wrong = tmp_path / "policy.json", tmp_path / "wrong.json"
    document.write_text(json.dumps(DECLARED), "utf-8")
    wrong.write_text(json.dumps(DECLARED | {"owner": "nobody", "zone": "Moon/Base"}), "utf-8")
    line.answer_after(WAIT, "early")

    refused, put, again = (line.policy("set", "--file", file) for file in (wrong, document, document))
    line.answer_after(WAIT, "late")
    shown = line.policy("show")

    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 3)
    assert (put.returncode, put.stderr) == (0, "")
    assert put.stdout.endswith("judges what begins behind it on the log\n")
    assert (again.returncode, again.stdout.endswith("is the present policy already\n")) == (0, True)
    assert (line.replies_of("early"), line.replies_of("late")) == ((1, 1), (1, 0))
    assert shown.stdout.startswith(f"{SHOP}: present revision patient, in force patient\n"), shown.stderr
    assert not [one for one in read_rejected(line.cloud, line.outputs["RejectedBucketName"]) if one["shop_id"] == SHOP]


def test_policy_that_follows_another_one_is_rejected_by_the_log_and_said(line, tmp_path):
    document = tmp_path / "policy.json"
    document.write_text(json.dumps(DECLARED | {"revision": "next", "follows": "nowhere"}), "utf-8")

    put = line.policy("set", "--file", document)

    rejected = read_rejected(line.cloud, line.outputs["RejectedBucketName"])
    assert put.returncode == 3, put.stderr
    assert "the log rejected it" in put.stderr
    assert [one["reason"] for one in rejected if one["shop_id"] == SHOP] == ["other_revision"]
