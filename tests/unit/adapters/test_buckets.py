"""Rejected records and archive objects in S3."""

import gzip
import json
from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
from botocore.stub import ANY

from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.adapters.buckets.rejected_store import MAX_OBJECT_BYTES, RejectedStore, rejected_key
from service_quality.commit.archive_objects import ArchiveObject
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.log_records import LogRecord, Rejection
from tests.stand_ins.aws_services import S3

REJECTION = Rejection("s", LogRecord("0001-9-0", b"\xff{", 1500), "malformed_json", "found text that is no JSON")
ARCHIVED = ArchiveObject("archive/date=2026-11-20/abc.jsonl.gz", b"{}\n{}\n", 2)


def test_rejected_record_is_stored_whole_with_reason_and_position():
    s3: Any = S3({"rejected": {}})

    RejectedStore(s3, "rejected").put([REJECTION])

    ((key, body),) = s3.buckets["rejected"].items()
    stored = json.loads(body)
    assert key == f"rejected/s/0001-9-0-{sha256(body).hexdigest()[:8]}.jsonl"
    assert b64decode(stored.pop("raw_base64")) == b"\xff{"
    assert stored == {
        "shop_id": "s",
        "position": "0001-9-0",
        "reason": "malformed_json",
        "message": "found text that is no JSON",
        "arrived_at": "1970-01-01T00:00:01.500Z",
    }


def rejections(*numbers: int, shop_id: str = "s", data: bytes = b"{") -> list[Rejection]:
    return [Rejection(shop_id, LogRecord(f"0001-{number}-0", data, 1500), "r", "found 1") for number in numbers]


def stored_after(*calls: list[Rejection]) -> dict[str, list[str]]:
    """The objects that calls leave: by key, the positions of their records."""
    s3: Any = S3({"rejected": {}})
    for call in calls:
        RejectedStore(s3, "rejected").put(call)
    return {
        key: [json.loads(line)["position"] for line in body.splitlines()]
        for key, body in s3.buckets["rejected"].items()
    }


def test_records_of_one_call_are_one_object_in_their_order():
    assert list(stored_after(rejections(*range(1, 1001))).values()) == [[f"0001-{one}-0" for one in range(1, 1001)]]


def test_call_without_a_record_writes_nothing():
    assert stored_after([]) == {}


def test_same_records_land_on_the_same_object_again():
    assert stored_after(rejections(1, 2), rejections(1, 2)) == stored_after(rejections(1, 2))


def test_other_records_from_the_same_position_on_overwrite_nothing():
    stored = stored_after(rejections(1, 2), rejections(1, 3), rejections(1))

    assert list(stored.values()) == [["0001-1-0", "0001-2-0"], ["0001-1-0", "0001-3-0"], ["0001-1-0"]]


def test_records_of_several_shops_lie_under_no_shop():
    (key,) = stored_after([*rejections(1, shop_id="s"), *rejections(2, shop_id="t")])

    assert key.startswith("rejected/_invalid/0001-1-0-")


def test_parked_records_have_a_folder_of_their_own():
    parked = [one._replace(reason="parked") for one in rejections(2, 3)]

    stored = stored_after([*rejections(1), *parked])

    folders = {key.partition("/")[0]: positions for key, positions in stored.items()}
    assert folders == {"rejected": ["0001-1-0"], "parked": ["0001-2-0", "0001-3-0"]}


def test_object_of_more_than_eight_megabytes_is_split_between_records():
    stored = stored_after(rejections(*range(100, 110), data=b"x" * 1_500_000))

    assert [key.split("-")[1] for key in stored] == ["100", "104", "108"]
    assert [len(positions) for positions in stored.values()] == [4, 4, 2]


def test_record_that_is_longer_than_an_object_may_be_has_one_of_its_own():
    stored = stored_after([*rejections(1), *rejections(2, data=b"x" * MAX_OBJECT_BYTES), *rejections(3)])

    assert list(stored.values()) == [["0001-1-0"], ["0001-2-0"], ["0001-3-0"]]


def test_shops_id_stays_one_segment_of_the_key():
    names = {rejected_key(shop_id, "p", b"") for shop_id in ("a/b", "a%2Fb", "..", "%2E%2E", "店铺")}

    assert len(names) == 5
    assert all(name.count("/") == 2 for name in names)


def test_longest_shop_id_fits_a_key():
    assert len(rejected_key("😀" * 128, "p" * 67, b"").encode()) <= 1024


def test_archive_object_is_gzipped_the_same_every_time():
    s3: Any = S3({"archive": {}})

    for _ in range(2):
        ArchiveBucket(s3, "archive").write(ARCHIVED)

    (written,) = s3.buckets["archive"].values()
    assert gzip.decompress(written) == b"{}\n{}\n"
    assert written == gzip.compress(b"{}\n{}\n", mtime=0)


@pytest.mark.parametrize("bucket", [RejectedStore, ArchiveBucket])
def test_check_passes_where_only_the_digest_is_refused(s3, bucket):
    asked = {"Bucket": "b", "Key": ANY, "Body": b"check", "ContentMD5": ANY}
    s3.add_client_error("put_object", "BadDigest", expected_params=asked)

    bucket(s3.client, "b").check()


@pytest.mark.parametrize("code", ["NoSuchBucket", "AccessDenied"])
@pytest.mark.parametrize("bucket", [RejectedStore, ArchiveBucket])
def test_missing_or_forbidden_bucket_is_named(s3, bucket, code):
    s3.add_client_error("put_object", code)

    with pytest.raises(DeploymentError, match=f"{code} at bucket b"):
        bucket(s3.client, "b").check()


@pytest.mark.parametrize(
    "write",
    [
        lambda s3: RejectedStore(s3, "b").put([REJECTION]),
        lambda s3: ArchiveBucket(s3, "b").write(ARCHIVED),
    ],
)
def test_failing_bucket_is_a_dependency_error(s3, write):
    s3.add_client_error("put_object", "SlowDown", http_status_code=503)

    with pytest.raises(DependencyError, match="bucket b: SlowDown"):
        write(s3.client)
