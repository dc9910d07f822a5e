"""Rows of the alerts table's stream, each exactly as the commit put it."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import NamedTuple

from service_quality.errors import UnreadableRowError
from service_quality.instants import LATEST_SECOND

StreamRecord = Mapping[str, object]

_KEYS = ("stream_key", "sequence")
_LONGEST_KEY = 1_024  # bytes, of the sort key of a table


class InsertedRow(NamedTuple):
    """A row of the outbox as the table's stream delivers it; `written_at` in epoch milliseconds."""

    stream_key: str
    sequence: str
    shop_id: str
    body: bytes
    written_at: int


def read_inserts(event: object, row_kind: str) -> list[StreamRecord]:
    """The records of a batch that insert a row of a kind, in order; empty for an event that is no batch.

    A row leaves when it is inserted. No later write or removal sends it again.
    """
    return _records(event, row_kind, ("INSERT",))


def read_puts(event: object, row_kind: str) -> list[StreamRecord]:
    """The records of a batch that put a row of a kind, a new one or another in its place; empty for no batch."""
    return _records(event, row_kind, ("INSERT", "MODIFY"))


def read_row(record: StreamRecord) -> InsertedRow:
    """The row in a record; UnreadableRowError for a row without keys, without a possible shop id, or without bytes."""
    image = _image(record)
    texts = {name: _value(image, name, "S") for name in ("stream_key", "sequence", "shop_id")}
    body = _value(image, "body", "B")
    missing = [name for name, value in texts.items() if not _is_key(value)]
    missing += [] if isinstance(body, str) else ["body"]
    if missing:
        raise UnreadableRowError("missing_field", found=f"a row without {', '.join(missing)}", expected="all of them")
    try:
        data = b64decode(str(body), validate=True)
    except ValueError:
        raise UnreadableRowError("wrong_type", found="a body in another encoding", expected="base64") from None
    written_at = _part(record.get("dynamodb"), "ApproximateCreationDateTime")
    seconds = written_at if isinstance(written_at, int | float) and 0 <= written_at <= LATEST_SECOND else 0
    return InsertedRow(
        str(texts["stream_key"]), str(texts["sequence"]), str(texts["shop_id"]), data, int(seconds * 1000)
    )


def to_record(row: InsertedRow, row_kind: str) -> StreamRecord:
    """The record in which the table's stream delivered a row of a kind."""
    key = {"stream_key": {"S": row.stream_key}, "sequence": {"S": row.sequence}}
    rest = {"row_kind": {"S": row_kind}, "shop_id": {"S": row.shop_id}, "body": {"B": b64encode(row.body).decode()}}
    change = {"Keys": key, "NewImage": key | rest, "ApproximateCreationDateTime": row.written_at / 1000}
    return {"eventName": "INSERT", "dynamodb": change}


def row_name(record: StreamRecord) -> str:
    """A name for a record by the row's key: the same for every delivery of a row; a hash, since keys hold ids."""
    keys = _part(record.get("dynamodb"), "Keys") or {name: _image(record).get(name) for name in _KEYS}
    return hashlib.sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()[:32]


def image_value(record: StreamRecord, name: str, type_name: str) -> object:
    """An attribute of the row in a record, in the form of its type; None where the row has no such attribute."""
    return _value(_image(record), name, type_name)


def _records(event: object, row_kind: str, names: tuple[str, ...]) -> list[StreamRecord]:
    records = event.get("Records") if isinstance(event, dict) else None
    found = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
    return [one for one in found if one.get("eventName") in names and image_value(one, "row_kind", "S") == row_kind]


def _is_key(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= _LONGEST_KEY


def _image(record: StreamRecord) -> Mapping[str, object]:
    image = _part(record.get("dynamodb"), "NewImage")
    return image if isinstance(image, dict) else {}


def _value(image: Mapping[str, object], name: str, type_name: str) -> object:
    return _part(image.get(name), type_name)


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
