"""Stream records that hold several: the aggregates that the Kinesis Producer Library writes.

The format is the library's own: four magic bytes, a protocol buffer, and the MD5 of that buffer. The buffer holds a
table of partition keys (field 1) and the records (field 3), each the number of its key (field 1) and data (field 3).
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

_MOST_PARTS = 10_000  # what a position has digits for
_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_LENGTH = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class PackedRecord(NamedTuple):
    """One record of a source; `part` is its number among those of one sequence number."""

    partition_key: str
    part: int
    data: bytes


def unpack_record(partition_key: str, data: bytes) -> list[PackedRecord]:
    """The records in a stream record: itself, or the records of an aggregate in their order.

    An aggregate that is damaged, or holds more records than a position can count, stays one record: no reader takes it
    for an event, and it is rejected whole.
    """
    if data.startswith(_MAGIC):
        body, digest = data[len(_MAGIC) : -_DIGEST_LENGTH], data[-_DIGEST_LENGTH:]
        if hashlib.md5(body, usedforsecurity=False).digest() == digest:
            try:
                return _unpack(body)
            except (ValueError, IndexError, UnicodeDecodeError):
                pass  # a sound digest and yet no aggregate: one record
    return [PackedRecord(partition_key, 0, data)]


def _unpack(body: bytes) -> list[PackedRecord]:
    keys: list[str] = []
    packed: list[tuple[int, bytes]] = []
    for number, value in _fields(body):
        if number == 1 and isinstance(value, bytes):
            keys.append(value.decode())
        elif number == 3 and isinstance(value, bytes):
            packed.append(_record(value))
    if not packed:
        raise ValueError("found no record in an aggregate, expected at least one")
    if len(packed) > _MOST_PARTS:
        raise ValueError(f"found {len(packed)} records, expected at most {_MOST_PARTS}")
    return [PackedRecord(keys[key], part, data) for part, (key, data) in enumerate(packed)]


def _record(body: bytes) -> tuple[int, bytes]:
    found = dict(_fields(body))
    key, data = found.get(1), found.get(3)
    if not isinstance(key, int) or not isinstance(data, bytes):
        raise ValueError("found a record without key or data, expected both")
    return key, data


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and value of everything in a message; numbers of fixed width are skipped."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(body, at)
            yield number, value
        elif kind == _BYTES:
            length, at = _varint(body, at)
            if at + length > len(body):
                raise ValueError("found fewer bytes than announced")
            yield number, body[at : at + length]
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"found wire type {kind}, expected 0, 1, 2 or 5")


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("found a number beyond 64 bits")
