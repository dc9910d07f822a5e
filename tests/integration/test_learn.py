"""The loop on the embedded AWS: served and rated events train a model that replaces a bad one, the functions go on with
it, and a worse one is refused: by the export, or beside the champion by its figures."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.progress import wait_until
from infra.local import learn
from infra.local.archive import read_archive_rows
from infra.local.cloud import Cloud
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.replaying import put_events, wait_for_archive
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.instants import DAY, MINUTE, format_instant, parse_instant
from service_quality.scoring.champion import LOOK_AGAIN_SECONDS
from spark_jobs.synthetic_shop.world import World, events_of, shop_of
from tests.stand_ins.tiny_model import tiny_model

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1500)]

WORLD = World(shops=2, days=5, contacts_per_day=90, seed=5, start=parse_instant("2025-03-03T00:00:00Z"))
SECONDS = 180
#: About every second conversation of the world waits longer for its first answer.
LONG_WAIT = 3 * MINUTE


def days(first: int, last: int) -> list[InteractionEvent]:
    """The world's events from one day on until before another, in order."""
    shops = [shop_of(WORLD, number) for number in range(WORLD.shops)]
    every = (event for shop in shops for event in events_of(WORLD, shop, range(WORLD.customers)))
    begin, end = WORLD.start + first * DAY, WORLD.start + last * DAY
    return sorted((event for event in every if begin <= event.occurred_at < end), key=log_order)


@dataclass
class Line:
    """The deployed functions, and where `learn` keeps what it makes."""

    cloud: Cloud
    outputs: dict[str, str]
    folder: Path

    def send(self, events: Sequence[InteractionEvent]) -> None:
        numbers = put_events(self.cloud, self.outputs["EventStreamName"], events)
        wait_for_archive(self.cloud, self.outputs["ArchiveBucketName"], numbers, quiet=SECONDS)

    def learn(self) -> tuple[int, dict]:
        """The exit status, and the outcome as stored."""
        status = learn.run(Namespace(lake=self.folder / "lake", judge_days=1, warm_up_days=0, with_past=False))
        return status, json.loads((self.folder / "learn" / "outcome.json").read_text("utf-8"))

    def models_of(self, events: Sequence[InteractionEvent]) -> set[str]:
        """The versions that scored these events."""
        ids = {(event.shop_id, event.event_id) for event in events}
        rows = read_archive_rows(self.cloud, self.outputs["ArchiveBucketName"])
        scored = (entry for row in rows for entry in row["entries"] if "model" in entry)
        return {one["model"] for one in scored if (one["event"]["shop_id"], one["event"]["event_id"]) in ids}

    def champion(self) -> str:
        key = {"pk": {"S": "pointer"}, "sk": {"S": "champion"}}
        item = self.cloud.dynamodb.get_item(TableName=self.outputs["ModelsTableName"], Key=key)["Item"]
        return item["version"]["S"]

    def promote_tiny_model(self, *, bias: float) -> None:
        """A first champion, for which the bias and whether an agent answered are all that counts."""
        model = tiny_model(bias=bias, metadata={"training": json.dumps({"as_of": format_instant(WORLD.start)})})
        self.cloud.s3.put_object(Bucket=self.outputs["ModelsBucketName"], Key="models/tiny/model.onnx", Body=model)
        texts = {"pk": "pointer", "sk": "champion", "version": "tiny"}
        item = {name: {"S": value} for name, value in texts.items()} | {"revision": {"N": "1"}}
        self.cloud.dynamodb.put_item(TableName=self.outputs["ModelsTableName"], Item=item)

    def await_swap(self, version: str) -> None:
        """Let the functions score an event now and then until all do it by this version; each looks once a minute."""
        sent: list[InteractionEvent] = []
        promoted_at = time.monotonic()

        def swapped() -> bool:
            sent.append(probe(len(sent)))
            self.send(sent[-1:])
            all_looked = time.monotonic() - promoted_at > LOOK_AGAIN_SECONDS
            return all_looked and self.models_of(sent[-1:]) == {version}

        assert wait_until(swapped, title="swap", state=lambda: f"{len(sent)} events", seconds=SECONDS)


def probe(number: int) -> InteractionEvent:
    at = WORLD.start + 4 * DAY - 1
    return InteractionEvent(
        event_id=f"probe-{number}", shop_id=shop_of(WORLD, 0).shop_id, kind="conversation_opened",
        occurred_at=at, received_at=at, conversation_id=f"probe-{number}",
    )  # fmt: skip


def inverted(events: Sequence[InteractionEvent]) -> list[InteractionEvent]:
    """The events with every rating turned round, from which a model learns the opposite."""
    return [event if event.rating is None else replace(event, rating=6 - event.rating) for event in events]


def first_of(kind: str, events: Sequence[InteractionEvent]) -> dict[str | None, int]:
    """When the first event of a kind occurred, by conversation."""
    return {one.conversation_id: one.occurred_at for one in reversed(events) if one.kind == kind}


def misleading(events: Sequence[InteractionEvent]) -> list[InteractionEvent]:
    """The events with the worst rating after three of four long waits and one of three short ones.

    A model learns from them that long waits are worse, which is so, and expects far too many dissatisfied customers.
    """
    opened, answered = first_of("conversation_opened", events), first_of("agent_message", events)
    waits = {one: at - opened.get(one, at) for one, at in answered.items()}
    long, short = ([one for one, wait in waits.items() if (wait > LONG_WAIT) == is_long] for is_long in (True, False))
    worst = {*(one for number, one in enumerate(long) if number % 4), *short[::3]}
    return [
        replace(event, rating=1) if event.rating is not None and event.conversation_id in worst else event
        for event in events
    ]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(learn, "FOLDER", tmp_path / "emulator")
    monkeypatch.setattr("infra.local.emulator.FOLDERS", (tmp_path / "emulator",))
    with Emulator(tmp_path / "emulator") as emulator:
        yield Line(emulator.cloud, deploy(emulator), tmp_path)


def test_loop_closes_and_a_worse_candidate_is_refused(line: Line) -> None:
    line.promote_tiny_model(bias=2.0)
    served = days(0, 3)
    line.send(served)
    assert line.models_of(served) == {"tiny"}

    status, outcome = line.learn()

    judged = outcome["judgement"]
    assert (status, outcome["verdict"], judged["champion"]["version"]) == (0, "promoted", "tiny"), outcome
    assert judged["since"] == format_instant(WORLD.start + 2 * DAY)
    assert judged["rounds"] >= 30
    assert judged["candidate"]["log_loss"] < judged["champion"]["log_loss"] - 0.5
    new = line.champion()
    assert new == outcome["version"]
    line.await_swap(new)
    line.send(inverted(days(3, 4)))
    later = days(4, 5)
    line.send(later)
    assert line.models_of(later) == {new}

    status, outcome = line.learn()

    assert (status, outcome["verdict"], outcome["judgement"]) == (5, "refused", None), outcome
    assert "orders conversations the wrong way round" in outcome["why"]
    assert line.champion() == new


def test_candidate_of_a_higher_log_loss_is_refused_with_the_figures_and_the_champion_goes_on(line: Line) -> None:
    line.promote_tiny_model(bias=-3.0)  # 1 in 6 of the answered are dissatisfied, as in this world
    line.send(misleading(days(0, 2)))
    line.send(days(2, 3))

    status, outcome = line.learn()

    assert (status, outcome["verdict"]) == (5, "refused"), outcome
    assert outcome["judgement"], outcome["why"]
    candidate, champion = outcome["judgement"]["candidate"], outcome["judgement"]["champion"]
    assert (champion["version"], candidate["version"]) == ("tiny", outcome["version"])
    assert outcome["judgement"]["rounds"] >= 30
    assert candidate["log_loss"] > champion["log_loss"] + 0.001
    found = f"found log loss {candidate['log_loss']:.4f} beside {champion['log_loss']:.4f} of champion tiny"
    assert found in outcome["why"]
    assert "expected at most 0.001 above the champion's" in outcome["why"]
    assert line.champion() == "tiny"
    line.send([probe(0)])
    assert line.models_of([probe(0)]) == {"tiny"}
