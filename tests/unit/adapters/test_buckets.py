"""Rejected records and archive objects in S3."""

import gzip
import json
from base64 import b64decode
from typing import Any

import pytest
from botocore.stub import ANY

from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.adapters.buckets.rejected_store import RejectedStore, rejected_key
from service_quality.commit.archive_objects import ArchiveObject
from service_quality.errors import DeploymentError, SurroundingsError
from service_quality.events.log_records import LogRecord, Rejection
from tests.stand_ins.aws_services import S3

REJECTION = Rejection("s", LogRecord("0001-9-0", b"\xff{", 1500), "malformed_json", "found text that is no JSON")
ARCHIVED = ArchiveObject("archive/date=2026-11-20/abc.jsonl.gz", b"{}\n{}\n", 2)


def test_rejected_record_is_kept_whole_with_reason_and_position():
    s3: Any = S3({"rejected": {}})

    RejectedStore(s3, "rejected").keep(REJECTION)

    kept = json.loads(s3.buckets["rejected"]["rejected/s/0001-9-0.json"])
    assert b64decode(kept.pop("raw_base64")) == b"\xff{"
    assert kept == {
        "shop_id": "s",
        "position": "0001-9-0",
        "reason": "malformed_json",
        "message": "found text that is no JSON",
        "arrived_at": "1970-01-01T00:00:01.500Z",
    }


def test_shops_id_stays_one_segment_of_the_key():
    names = {rejected_key(shop_id, "p") for shop_id in ("a/b", "a%2Fb", "..", "%2E%2E", "店铺")}

    assert len(names) == 5
    assert all(name.count("/") == 2 for name in names)


def test_longest_shop_id_fits_a_key():
    assert len(rejected_key("字" * 128, "p" * 67).encode()) <= 1024


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
        lambda s3: RejectedStore(s3, "b").keep(REJECTION),
        lambda s3: ArchiveBucket(s3, "b").write(ARCHIVED),
    ],
)
def test_failing_bucket_is_one_of_the_surroundings(s3, write):
    s3.add_client_error("put_object", "SlowDown", http_status_code=503)

    with pytest.raises(SurroundingsError, match="SlowDown at bucket b"):
        write(s3.client)
