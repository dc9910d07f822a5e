"""Archive rows of shops, committed as the functions commit them, over a table of a few lines."""

import gzip
import json
import zlib

from service_quality.commit.archived_ranges import LEDGER, NOTHING_ARCHIVED, OUTBOX_DAYS, row_key
from service_quality.commit.inserted_rows import InsertedRow
from tests.stand_ins.aws_services import S3, DynamoDB

DAY_SECONDS = 86_400


def position(number: int) -> str:
    return f"0001-{number:056d}-0000" if number else ""


def commit_rows(dynamodb: DynamoDB, shop_id: str, count: int, *, first: int = 0, written_at: int = 0) -> list[dict]:
    """The next rows of a shop's chain, as items of the table; the first transaction opens the ledger."""
    items = []
    for number in range(first, first + count):
        follows, last = position(number), position(number + 1)
        link = {"shop_id": shop_id, "follows": follows, "last": last, "entries": [{"position": last, "clock": 0}]}
        item = {
            "stream_key": {"S": f"{shop_id}\x1farchive"},
            "sequence": {"S": row_key(follows)},
            "row_kind": {"S": "archive"},
            "shop_id": {"S": shop_id},
            "body": {"B": zlib.compress(json.dumps(link).encode())},
            "expires_at": {"N": str(written_at // 1000 + OUTBOX_DAYS * DAY_SECONDS)},
        }
        items.append(item)
        put(dynamodb, item)
        if not number:
            opened = {"stream_key": {"S": LEDGER}, "sequence": {"S": shop_id}, "body": {"B": NOTHING_ARCHIVED}}
            put(dynamodb, opened)
    return items


def inserted(item: dict) -> InsertedRow:
    """A row as the table's stream delivers it."""
    stream_key, sequence, shop_id = (item[name]["S"] for name in ("stream_key", "sequence", "shop_id"))
    return InsertedRow(stream_key, sequence, shop_id, item["body"]["B"], written_at=0)


def put(dynamodb: DynamoDB, item: dict) -> None:
    dynamodb.tables["alerts"][item["stream_key"]["S"], item["sequence"]["S"]] = item


def archived_chain(s3: S3, shop_id: str) -> list[tuple[str, str]]:
    """The links of a shop that the archive holds, each once, in order."""
    lines = (line for data in s3.buckets["archive"].values() for line in gzip.decompress(data).splitlines())
    links = (json.loads(line) for line in set(lines))
    return sorted((link["follows"], link["last"]) for link in links if link["shop_id"] == shop_id)


def whole_chain(count: int) -> list[tuple[str, str]]:
    return [(position(number), position(number + 1)) for number in range(count)]
