"""Objects of the archive: one a date and bucket of shops, the same for the same rows."""

import json

from service_quality.commit.archive_objects import ArchiveRow, archive_objects
from service_quality.commit.archived_ranges import Range
from service_quality.commit.shop_buckets import SHOP_BUCKETS, shop_bucket

SHOPS = [f"shop-{number}" for number in range(200)]


def row(shop_id: str, number: int = 0, date: str = "2026-11-20") -> ArchiveRow:
    line = json.dumps({"shop_id": shop_id, "number": number}).encode()
    return ArchiveRow(shop_id, Range(str(number), str(number + 1)), line, date)


def shops_in(lines: bytes) -> set[str]:
    return {json.loads(line)["shop_id"] for line in lines.splitlines()}


def test_object_holds_shops_of_the_bucket_in_its_key_alone():
    objects = archive_objects([row(shop_id) for shop_id in SHOPS])

    for one in objects:
        bucket = int(one.key.split("/")[2].removeprefix("bucket="))
        assert {shop_bucket(shop_id) for shop_id in shops_in(one.lines)} == {bucket}
    assert len(objects) == SHOP_BUCKETS
    assert set.union(*(shops_in(one.lines) for one in objects)) == set(SHOPS)


def test_batch_of_one_shop_and_day_is_one_object():
    (one,) = archive_objects([row("shop-1", number) for number in range(1_000)])

    assert one.rows == 1_000


def test_rows_of_two_dates_are_two_objects():
    objects = archive_objects([row("shop-1"), row("shop-1", 1, date="2026-11-21")])

    assert [one.key.rpartition("/")[0] for one in objects] == [
        "archive/date=2026-11-20/bucket=00",
        "archive/date=2026-11-21/bucket=00",
    ]


def test_same_rows_again_have_the_same_key_and_bytes():
    rows = [row(shop_id, number) for number in range(3) for shop_id in SHOPS[:20]]

    assert archive_objects(rows) == archive_objects(list(rows))
