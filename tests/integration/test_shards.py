"""A stream of several shards on the embedded AWS: a record on any shard counts its event once.

The embedded AWS drops what a split or merged shard still holds, and reads a new shard from what comes after it has
looked at it once. So the stream is read to its end before, and probed until each new shard is read.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cli.progress import wait_until
from infra.local.archive import read_archive_rows
from infra.local.cloud import Cloud
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.replaying import put_events
from service_quality.events.event_forms import event_to_json
from service_quality.events.routing import HashRange, hash_key
from tests.integration.line_steps import read_rejected
from tests.integration.test_deployment import opened, promote_tiny_model
from tests.stand_ins.aggregates import aggregate

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.long]

SECONDS = 90
EVENTS_A_SHOP = 8


@dataclass(frozen=True)
class Line:
    """The deployed line and what was put on its stream."""

    cloud: Cloud
    outputs: dict[str, str]
    sent: set[str]

    @property
    def stream(self) -> str:
        return self.outputs["EventStreamName"]

    def shards(self) -> dict[str, HashRange]:
        found = self.cloud.kinesis.list_shards(StreamName=self.stream)["Shards"]
        ranges = ((one["ShardId"], one["HashKeyRange"]) for one in found)
        return {name: HashRange(int(one["StartingHashKey"]), int(one["EndingHashKey"])) for name, one in ranges}

    def put_aggregate(self, prefix: str, shops: list[str], *, onto: int) -> None:
        """An aggregate with events of all these shops in turn, on the shard of a hash key."""
        names = [f"{prefix}-{number}" for number in range(EVENTS_A_SHOP * len(shops))]
        datas = [event_to_json(opened(name, shop_id=shops[at % len(shops)])) for at, name in enumerate(names)]
        packed = aggregate(shops, [(at % len(shops), data) for at, data in enumerate(datas)])
        self.cloud.kinesis.put_record(
            StreamName=self.stream, Data=packed, PartitionKey="any", ExplicitHashKey=str(onto)
        )
        self.sent.update(names)

    def put_by_hand(self, name: str, shop_id: str, *, onto: int) -> None:
        """A plain record under its shop's id, with a hash key of its own."""
        data = event_to_json(opened(name, shop_id=shop_id))
        self.cloud.kinesis.put_record(
            StreamName=self.stream, Data=data, PartitionKey=shop_id, ExplicitHashKey=str(onto)
        )
        self.sent.add(name)

    def folded(self) -> Counter[str]:
        """The number of times that each event was folded, by the archive."""
        rows = read_archive_rows(self.cloud, self.outputs["ArchiveBucketName"])
        return Counter(entry["event"]["event_id"] for row in rows for entry in row["entries"] if "event" in entry)

    def await_all(self) -> None:
        """Wait until everything that was sent is archived."""
        assert wait_until(
            lambda: self.sent <= self.folded().keys(),
            title="archive",
            state=lambda: f"{len(self.sent & self.folded().keys())} of {len(self.sent)} events",
            seconds=SECONDS,
        ), f"not folded: {sorted(self.sent - self.folded().keys())}"

    def await_readers(self, prefix: str) -> None:
        """Put the same event on each shard again and again until all are read."""
        probes = [opened(f"{prefix} of {name}", shop_id=shop_within(keys)) for name, keys in self.shards().items()]

        def answered() -> bool:
            put_events(self.cloud, self.stream, probes)
            return {event.event_id for event in probes} <= self.folded().keys()

        assert wait_until(answered, title="shards", state=lambda: "not all are read", seconds=SECONDS)


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Iterator[Line]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        outputs = deploy(emulator, {"ShardCount": "2"})
        promote_tiny_model(emulator.cloud, outputs)
        yield Line(emulator.cloud, outputs, set())


def shop_within(keys: HashRange) -> str:
    """A shop whose id these hash keys hold."""
    return next(shop_id for shop_id in map("shop-{}".format, range(1_000)) if keys.holds(shop_id))


def test_aggregates_made_for_one_shard_are_folded_once_on_a_stream_of_two(line):
    low, high = line.shards().values()
    low_shop, high_shop = shop_within(low), shop_within(high)

    for number, onto in enumerate((high.first, low.first, high.last, low.last)):
        line.put_aggregate(f"aggregate-{number}", [low_shop, high_shop], onto=onto)
    line.put_by_hand("by-hand-low", low_shop, onto=high.last)
    line.put_by_hand("by-hand-high", high_shop, onto=low.first)
    line.await_all()

    assert set(line.folded().values()) == {1}
    assert read_rejected(line.cloud, line.outputs["RejectedBucketName"]) == []


def test_splitting_and_merging_shards_loses_and_doubles_nothing(line):
    (low, keys), *_ = line.shards().items()
    shop_id = shop_within(keys)
    line.put_aggregate("before", [shop_id], onto=keys.first)
    line.await_all()

    line.cloud.kinesis.split_shard(StreamName=line.stream, ShardToSplit=low, NewStartingHashKey=str(hash_key(shop_id)))
    line.await_readers("split")
    line.put_aggregate("split-old-map", [shop_id], onto=keys.first)
    line.put_aggregate("split-new-map", [shop_id], onto=hash_key(shop_id))
    line.put_by_hand("split-by-hand", shop_id, onto=keys.first)
    line.await_all()

    lower, upper = sorted(line.shards(), key=lambda name: line.shards()[name].first)[:2]
    line.cloud.kinesis.merge_shards(StreamName=line.stream, ShardToMerge=lower, AdjacentShardToMerge=upper)
    line.await_readers("merged")
    line.put_aggregate("merged", [shop_id], onto=keys.last)
    line.put_aggregate("merged-elsewhere", [shop_id], onto=keys.last + 1)
    line.await_all()

    assert set(line.folded().values()) == {1}
    assert read_rejected(line.cloud, line.outputs["RejectedBucketName"]) == []
    positions = positions_of(line, shop_id)
    assert positions == sorted(set(positions))
    assert len(positions) >= 5 * EVENTS_A_SHOP + 1


def positions_of(line: Line, shop_id: str) -> list[str]:
    """The positions on the shop's chain, link by link from its start; a gap ends it."""
    rows = read_archive_rows(line.cloud, line.outputs["ArchiveBucketName"])
    links = {row["follows"]: row for row in rows if row["shop_id"] == shop_id}
    positions, last = [], ""
    while last in links:
        positions += [entry["position"] for entry in links[last]["entries"]]
        last = links[last]["last"]
    assert len(links) == len({row["last"] for row in links.values()})
    return positions
