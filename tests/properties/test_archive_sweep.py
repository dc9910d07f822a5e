"""Whatever the archiver misses, and wherever archiver and sweep die, the archive ends whole, by few second copies."""

from collections.abc import Iterator
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.commit.archive_objects import ArchiveRow, archive_objects, ranges_by_shop, unpack_archive_row
from service_quality.commit.archive_sweep import ArchiveSweep
from tests.stand_ins.archive_rows import archived_chain, commit_rows, inserted, whole_chain
from tests.stand_ins.aws_services import S3, DynamoDB

SHOPS = ("shop", "shop-1", "店铺")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from(SHOPS), st.integers(1, 5)),
        st.tuples(st.just("archive"), st.integers(0, 12), st.sampled_from(["whole", "lost", "twice", "dies", "late"])),
        st.tuples(st.just("sweep"), st.integers(1, 6), st.sampled_from(["lives", "dies writing", "dies entering"])),
    ),
    max_size=40,
)


class DiedError(Exception):
    """A function ends before it has entered what it wrote."""


class Stage:
    """A table, a bucket, an archiver that is handed rows, and a sweep."""

    def __init__(self) -> None:
        self.dynamodb, self.s3 = DynamoDB({"alerts": {}}), S3({"archive": {}})
        self.counts = dict.fromkeys(SHOPS, 0)
        self.waiting: list[ArchiveRow] = []

    def commit(self, shop_id: str, count: int) -> None:
        for item in commit_rows(self.dynamodb, shop_id, count, first=self.counts[shop_id]):
            self.waiting.append(unpack_archive_row(inserted(item)))
        self.counts[shop_id] += count

    def archive(self, size: int, how: str) -> None:
        batch, self.waiting = self.waiting[:size], self.waiting[size:]
        if how == "lost":
            return
        if how in ("twice", "late"):
            self.waiting = batch + self.waiting if how == "twice" else self.waiting + batch
        for one in archive_objects(batch):
            self.bucket().write(one)
        if how != "dies":
            for shop_id, ranges in ranges_by_shop(batch).items():
                self.ledger().add(shop_id, ranges)

    def sweep(self, looks: int, how: str = "lives") -> bool:
        time = iter([True] * looks)
        ledger, bucket = self.ledger(), self.bucket()
        if how == "dies entering":
            ledger = DyingLedger(self.dynamodb, "alerts")  # type: ignore[arg-type]
        sweep = ArchiveSweep(
            ledger, die if how == "dies writing" else bucket.write, lambda *_: None, lambda: next(time, False)
        )
        with suppress(DiedError):
            sweep.run(written_before=1)
        return sweep.swept.finished

    def ledger(self) -> ArchiveLedger:
        return ArchiveLedger(self.dynamodb, "alerts")  # type: ignore[arg-type]  # a stand-in of the client

    def bucket(self) -> ArchiveBucket:
        return ArchiveBucket(self.s3, "archive")  # type: ignore[arg-type]  # a stand-in of the client


def die(_: object) -> None:
    raise DiedError


class DyingLedger(ArchiveLedger):
    """Dies instead of entering anything."""

    def add(self, shop_id: str, ranges: object) -> None:
        raise DiedError


def sweeps(stage: Stage) -> Iterator[bool]:
    while True:
        yield stage.sweep(3)


@settings(max_examples=60)
@given(STEPS)
def test_archive_is_whole_when_the_sweep_has_gone_round(steps):
    stage = Stage()
    for step, *words in steps:
        getattr(stage, step)(*words)

    rounds = sum(1 for finished, _ in zip(sweeps(stage), range(200), strict=False) if finished)

    assert rounds >= 2  # the first may have begun in the middle
    for shop_id, count in stage.counts.items():
        assert archived_chain(stage.s3, shop_id) == whole_chain(count)
    objects = dict(stage.s3.buckets["archive"])
    assert any(finished for finished, _ in zip(sweeps(stage), range(100), strict=False))
    assert stage.s3.buckets["archive"] == objects  # nothing is left to do
