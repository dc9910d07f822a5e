"""Orders in, warnings about customers who are likely to stay away out, on the running deployment: import an export,
learn from what lies before a day, promote the model of churn beside the one that is there, bring the past in, let the
orders of the next days arrive, sweep those who were silent, and check everything that was served of customers. The exit
status is 0 only when nothing differs and every alert that was published was received."""

import argparse
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cli.arguments import whole_number
from cli.locks import only_one
from cli.progress import announced, say, wait_until
from infra.local.archive import ArchivedSequences
from infra.local.cloud import for_embedded
from infra.local.demo import a_day, existing_file
from infra.local.deployment import read_outputs
from infra.local.emulator import FOLDER, Emulator, find_running
from infra.local.errors import EmulatorError, NotReceivedError
from infra.local.line_steps import archive_of, one_after_another, promote_first, state_options, stream_options
from infra.local.module_runs import SparkProcess
from infra.local.outbox import read_alert_rows
from infra.local.replaying import QUIET_SECONDS, events_among, put_events, read_records, sign_stages, wait_for_archive
from infra.local.status import count_items
from infra.local.subscribers import QueueSubscriber
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import decode_alert
from service_quality.alerts.shop_settings import shop_settings
from service_quality.alerts.wording import render_email
from service_quality.instants import DAY, format_instant, parse_instant
from service_quality.message import LANGUAGES
from service_quality.scoring.champion import LOOK_AGAIN_SECONDS
from service_quality.tasks.declared_tasks import CHURN

RULE = "customer_leaving"
RECEIVE_SECONDS = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", type=existing_file, metavar="FILE", help="an export with a year of orders or more")
    parser.add_argument("--mapping", required=True, metavar="NAME", help="how it is read: a name or a file")
    parser.add_argument("--shop", default="orders", metavar="ID", help="the shop's id (%(default)s)")
    split_help = "learn from what lies before this day; orders arrive from it on"
    parser.add_argument("--split", type=a_day, required=True, metavar="YYYY-MM-DD", help=split_help)
    days_help = "days of orders that arrive before the sweep (%(default)s)"
    parser.add_argument("--days", type=partial(whole_number, least=1), default=14, metavar="N", help=days_help)


def run(arguments: argparse.Namespace) -> int:
    """Run it all and print what came out."""
    emulator = find_running()
    outputs = read_outputs(emulator.cloud)
    if not count_items(emulator.cloud, outputs["ModelsTableName"]):
        raise EmulatorError("found no promoted model, expected the one of the first task, since functions wait for it")
    folder = FOLDER.parent / "churn"
    with only_one(FOLDER.parent / "churn.lock", "`churn`"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        environment = for_embedded(os.environ, emulator.endpoint)
        line = _Line(arguments, emulator, outputs, environment, folder)
        with SparkProcess(environment) as spark:
            return line.run(spark)


@dataclass(frozen=True)
class _Line:
    """One run: what it was asked, where it runs, and where its files are."""

    asked: argparse.Namespace
    emulator: Emulator
    outputs: Mapping[str, str]
    environment: Mapping[str, str]
    folder: Path

    def run(self, spark: SparkProcess) -> int:
        """Every step in turn; the exit status."""
        before = {alert.alert_id for alert in self._published()}
        with announced("import the orders, learn who stays away"):
            self._learn(spark)
        with announced("export and promote"):
            promote_first(self.folder, self.outputs, self.environment, who="churn", task=CHURN)
        followed_at = time.monotonic() + LOOK_AGAIN_SECONDS
        with announced("bring the past in"):
            past = self._job("materialize_histories", "--as-of", self.asked.split, *state_options(self.outputs))
            spark.run("materialize", past)
        with QueueSubscriber(self.emulator.cloud, self.outputs["AlertTopicArn"], "churn-subscriber") as queue:
            with announced("orders arrive, once the functions follow the promotion"):
                time.sleep(max(0.0, followed_at - time.monotonic()))
                ordered = self._let_arrive()
            at_orders = [alert for alert in self._published() if alert.alert_id not in before]
            with announced("sweep those who were silent"):
                swept = self._sweep(spark)
            published = [alert for alert in self._published() if alert.alert_id not in before]
            received = _wait_for(queue, published)
        with announced("check what was served"):
            checked = self._check(spark)
        print(f"{ordered} orders arrived: {checked['entities'][CHURN.name]} scores of customers at them")
        print(f"{swept['customers']} customers swept, {swept['findings']} findings")
        print(f"{len(published)} alerts, {len(at_orders)} at an order, {len(received)} received")
        print(f"{checked['compared']} values compared, {checked['mismatched']} mismatched")
        _show(received)
        is_right = checked["chain"] == "whole" and not checked["differing"]
        return 0 if is_right and len(received) == len(published) else 1

    def _learn(self, spark: SparkProcess) -> None:
        asked = self.asked
        given = ("--mapping", asked.mapping, "--shop", asked.shop)
        spark.run("import", self._job("import_events", asked.file, *given))
        task = ("--task", CHURN.name)
        jobs = [
            self._job("export_events", "--since", asked.split, "--output", self.folder / "arriving.jsonl"),
            self._job("build_training_set", *task, "--as-of", asked.split),
            self._job("train_model", *task, "--output", self.folder / "artefact"),
        ]
        spark.run("training set, training", one_after_another(jobs))

    def _let_arrive(self) -> int:
        """Put the orders of the next days on the stream and wait until all are archived; how many there were."""
        cloud, outputs = self.emulator.cloud, self.outputs
        records = [one for one in read_records(self.folder / "arriving.jsonl") if one.occurred_at < self._until]
        signed = sign_stages(records, cloud.read_secret(outputs["ControlKeySecretArn"]))
        numbers = put_events(cloud, outputs["EventStreamName"], signed, expected=len(signed))
        wait_for_archive(cloud, outputs["ArchiveBucketName"], numbers)
        return len(events_among(records))

    def _sweep(self, spark: SparkProcess) -> dict[str, Any]:
        """Score everybody as of the end, and wait until each finding is archived; what the job says of itself."""
        archived = ArchivedSequences(self.emulator.cloud, self.outputs["ArchiveBucketName"])
        archived.look()
        known = len(archived.numbers)
        registry = ("--bucket", self.outputs["ModelsBucketName"], "--table", self.outputs["ModelsTableName"])
        as_of = format_instant(self._until)
        spark.run("sweep", self._job("score_customers", "--as-of", as_of, *registry, *stream_options(self.outputs)))
        swept = self._read("score_customers")

        def folded() -> bool:
            archived.look()
            return len(archived.numbers) >= known + int(swept["findings"])

        said = f"{swept['findings']} findings"
        if not wait_until(folded, title="archive", state=lambda: said, seconds=QUIET_SECONDS):
            raise NotReceivedError(f"found {len(archived.numbers) - known} findings in the archive, expected {said}")
        return swept

    def _check(self, spark: SparkProcess) -> dict[str, Any]:
        """Recompute what was served from the archive itself; the check's summary, whatever it found."""
        argv = self._job("check_consistency", archive_of(self.outputs), "--shop", self.asked.shop)
        status, said = spark.try_to_run("check", argv)
        if status:
            say(f"  {said[-1]}")
        return self._read("check_consistency")

    @property
    def _until(self) -> int:
        """The end of the days in which orders arrive."""
        days: int = self.asked.days
        return parse_instant(f"{self.asked.split}T00:00:00Z") + days * DAY

    def _published(self) -> list[Alert]:
        """The alerts of the rule that the functions have committed to be sent, one a message."""
        found = read_alert_rows(self.emulator.cloud, self.outputs["AlertsTableName"])
        return [alert for alert in found if alert.kind == RULE and alert.shop_id == self.asked.shop]

    def _job(self, name: str, *argv: str | Path) -> list[str | Path]:
        return [name, *argv, "--lake", self.folder / "lake", "--json", self.folder / f"{name}.json"]

    def _read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        return found


def _wait_for(queue: QueueSubscriber, published: list[Alert]) -> list[Alert]:
    """The alerts of the rule that have been received, as soon as all that were published have come, or in the end."""
    wanted = {alert.message_id for alert in published}

    def received() -> dict[str | None, Alert]:
        bodies = [decode_alert(one.body.encode()) for one in [*queue.inbox.messages.values()]]
        return {alert.message_id: alert for alert in bodies if alert.message_id in wanted}

    found = f"of {len(wanted)} alerts"
    wait_until(
        lambda: len(received()) == len(wanted),
        title="subscriber",
        state=lambda: f"{len(received())} {found}",
        seconds=RECEIVE_SECONDS,
    )
    return [*received().values()]


def _show(received: list[Alert]) -> None:
    """The last alert with reasons, as its mail reads in each language."""
    explained = [alert for alert in received if alert.reasons]
    for language in LANGUAGES if explained else ():
        subject, text = render_email(explained[-1], shop_settings({"language": language}))
        print(f"\n{subject}\n{text}", end="")
