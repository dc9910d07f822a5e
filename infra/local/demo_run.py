"""One run of the demo: its steps, their durations, and the replayed, published and received events and alerts."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.atomic_write import write_json
from cli.progress import announced, say
from infra.local.cloud import for_embedded
from infra.local.demo_folder import FAILED
from infra.local.deployment import STACK
from infra.local.emulator import DEMO_FOLDER, Emulator
from infra.local.errors import LocalRunError, NotReceivedError
from infra.local.learning import Outcome, Turn, policy_arguments
from infra.local.line_steps import one_after_another, promote_first, state_options
from infra.local.live_minute import SHOPS as LIVE_SHOPS
from infra.local.live_minute import play_live, policy_document
from infra.local.module_runs import SparkProcess, last_words, run_module
from infra.local.outbox import count_alert_rows, read_alert_rows
from infra.local.replaying import events_among, now_ms, put_events, read_records, sign_stages, wait_for_archive
from infra.local.subscribers import QueueSubscriber, WebSubscriber
from infra.operations.shop_settings import write_settings
from reports import judge_alerts
from service_quality.adapters.state_table import StateReader
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import decode_alert
from service_quality.events.positions import sequence_of
from service_quality.instants import format_instant

FOLDER = DEMO_FOLDER.parent
CONTACTS_SHOP = "contacts"
SYNTHETIC_START, SYNTHETIC_DAYS, SYNTHETIC_SPLIT = "2026-01-05", 30, "2026-01-31"
SYNTHETIC_CONTACTS = 50
RECEIVE_SECONDS = 120


@dataclass
class Demo:
    """One run: its inputs, the durations of its steps, and the counts of replayed, published and received ones.

    `policies` are the files of the shops' policies, which judge the past too.
    """

    contacts: Path | None
    split: str
    time_zone: str = "UTC"
    currency: str = ""
    policy: Path | None = None
    policies: dict[str, Path] = field(default_factory=dict)
    folder: Path = FOLDER
    seconds: dict[str, float] = field(default_factory=dict)
    replayed: int = 0
    replayed_until: int = 0
    published: int = 0
    received_by_web: int = 0
    learning: Outcome | None = None
    quality: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)

    @property
    def scores(self) -> Path:
        """Every score as served, until the run has come to its end."""
        return self.folder / "served_scores.parquet"

    @property
    def failed(self) -> Path:
        """The folder of the files of a run that did not end well."""
        return self.folder / FAILED

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print a step's beginning and end, and note its duration."""
        start = time.monotonic()
        with announced(name):
            yield
        self.seconds[name] = round(time.monotonic() - start, 1)

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file that a step wrote."""
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        return found

    def job(self, name: str, *argv: str | Path) -> list[str | Path]:
        """The argv of one Spark job on the demo's lake."""
        return [name, *argv, "--lake", self.folder / "lake", "--json", self.folder / f"{name}.json"]

    def learn(self, spark: SparkProcess) -> None:
        """Bring data in and train on the events before the split."""
        if self.contacts:
            said = ("--mapping", "contacts", "--shop", CONTACTS_SHOP, "--time-zone", self.time_zone)
            data = self.job("import_events", self.contacts, *said)
        else:
            world = ("--start", SYNTHETIC_START, "--days", str(SYNTHETIC_DAYS))
            data = self.job("generate_shop", *world, "--contacts-per-day", str(SYNTHETIC_CONTACTS))
        with self.step("learn from the past"):
            spark.run("data", data)
            self.policies = self.write_policies()
            judged, replayed = policy_arguments(self.policies), ("--output", self.folder / "replay.jsonl", "--timers")
            jobs = [
                self.job("export_events", "--since", self.split, *replayed, *judged),
                self.job("build_training_set", "--as-of", self.split, *judged),
                self.job("train_model", "--output", self.folder / "artefact"),
            ]
            spark.run("training set, training", one_after_another(jobs))

    def serve(self, emulator: Emulator, spark: SparkProcess, outputs: dict[str, str]) -> list[Alert]:
        """Promote the model, bring the past in, replay the rest; the alerts as an SQS and a web subscriber got them."""
        environment = for_embedded(os.environ, emulator.endpoint)
        with self.step("export and promote"):
            promote_first(self.folder, outputs, environment, who="demo")
        with self.step("set policies"):
            self.set_policies(emulator, outputs, self.policies)
        with self.step("materialize histories"):
            revisions = {shop: json.loads(file.read_bytes())["revision"] for shop, file in self.policies.items()}
            judged = ("--as-of", self.split, *policy_arguments(revisions))
            spark.run("materialize", self.job("materialize_histories", *judged, *state_options(outputs)))
        for shop_id, settings in self.stored_settings().items():
            write_settings(emulator.cloud.dynamodb, outputs["AlertsTableName"], shop_id, settings)
        records = read_records(self.folder / "replay.jsonl")
        events = events_among(records)
        say(f"  {len(records) - len(events)} reached stages between {len(events)} events")
        cloud, topic = emulator.cloud, outputs["AlertTopicArn"]
        signed = sign_stages(records, cloud.read_secret(outputs["ControlKeySecretArn"]))
        with QueueSubscriber(cloud, topic) as queue, WebSubscriber(cloud, topic) as web:
            with self.step("replay"):
                numbers = put_events(cloud, outputs["EventStreamName"], signed, expected=len(signed))
                wait_for_archive(cloud, outputs["ArchiveBucketName"], numbers)
            with self.step("receive alerts"):
                self.published = count_alert_rows(cloud, outputs["AlertsTableName"])
                for inbox in (queue.inbox, web.inbox):
                    try:
                        inbox.wait_for(self.published, seconds=RECEIVE_SECONDS)
                    except NotReceivedError as error:
                        say(f"  {error}")
        self.replayed = len(events)
        self.replayed_until = max(event.received_at for event in events)
        self.quality = judge_alerts(read_alert_rows(cloud, outputs["AlertsTableName"]), events)
        by_web, by_queue = (
            {alert.message_id: alert for one in inbox.messages.values() for alert in [decode_alert(one.body.encode())]}
            for inbox in (web.inbox, queue.inbox)
        )
        self.received_by_web = len(by_web)
        return list(by_queue.values())

    def happen_live(self, emulator: Emulator, outputs: dict[str, str]) -> None:
        """Let conversations happen now, and note each message about them as it came."""
        cloud = emulator.cloud
        with self.step("a minute live"):
            policy = self.folder / "policy-live.json"
            write_json(policy, policy_document(now_ms()))
            for shop_id, settings in LIVE_SHOPS.items():
                write_settings(cloud.dynamodb, outputs["AlertsTableName"], shop_id, settings)
            self.set_policies(emulator, outputs, dict.fromkeys(LIVE_SHOPS, policy))
            minute = play_live(cloud, outputs)
            self.live = minute.figures()
            wait_for_archive(cloud, outputs["ArchiveBucketName"], minute.numbers)

    def stored_settings(self) -> dict[str, dict[str, str]]:
        """The settings of each shop's alerts."""
        if self.contacts:
            return {CONTACTS_SHOP: {"time_zone": self.time_zone, "currency": self.currency}}
        settings: dict[str, dict[str, str]] = self.read("generate_shop").get("settings", {})
        return settings

    def write_policies(self) -> dict[str, Path]:
        """The file of each shop's policy."""
        if self.contacts:
            return {CONTACTS_SHOP: self.policy} if self.policy else {}
        found = {}
        for shop_id, document in self.read("generate_shop").get("policies", {}).items():
            found[shop_id] = self.folder / f"policy-{shop_id}.json"
            write_json(found[shop_id], document)
        return found

    def set_policies(self, emulator: Emulator, outputs: dict[str, str], policies: Mapping[str, Path]) -> None:
        """Put each policy on its shop's log, and wait until the archive has it."""
        environment = for_embedded(os.environ, emulator.endpoint)
        state = StateReader(emulator.cloud.dynamodb, outputs["StateTableName"])
        numbers = []
        for shop_id, policy in policies.items():
            of_shop = ("--stack", STACK, "--shop", shop_id, "--file", str(policy))
            run_module(f"policy of {shop_id}", ["infra.operations", "policy", "set", *of_shop], environment)
            shop = state.read_shop(shop_id)
            numbers += [sequence_of(shop.last_position)] if shop else []
        wait_for_archive(emulator.cloud, outputs["ArchiveBucketName"], numbers)

    @property
    def version(self) -> str:
        """The exported model's version."""
        return str(self.read("export")["version"])

    def prove(self, spark: SparkProcess, turn: Turn) -> int:
        """Fold the archive, judge the served scores, recompute every feature; the check's exit code."""
        with self.step("fold the archive"):
            turn.fold(spark)
        argv = [*self.job("evaluate_scores", "--scores", self.scores), "then", *self.job("check_consistency")]
        with self.step("evaluate and check consistency"):
            status, said = spark.try_to_run("evaluate, check", argv)
        if not (self.folder / "check_consistency.json").is_file():
            raise LocalRunError(f"the check did not come to its end: {last_words(said)}")
        return status

    def turn(self, emulator: Emulator, outputs: dict[str, str]) -> Turn:
        """One turn of the loop on what the demo replayed; the last day judges, since it has only a few."""
        folder = self.folder / "learn"
        folder.mkdir()
        environment = for_embedded(os.environ, emulator.endpoint)
        return Turn(
            folder,
            self.folder / "lake",
            outputs,
            environment,
            judge_days=1,
            with_past=True,
            policies=self.policies,
            received_until=format_instant(self.replayed_until),
        )

    def close_loop(self, spark: SparkProcess, turn: Turn) -> None:
        """Train on what was served and since rated; promote the candidate unless it is worse."""
        with self.step("learn from what was served"):
            self.learning = turn.learn(spark)
