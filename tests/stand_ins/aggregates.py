"""Aggregates as the Kinesis Producer Library writes them, packed by hand."""

import hashlib


def aggregate(keys: list[str], records: list[tuple[int, bytes]]) -> bytes:
    """One stream record that holds several: each with the number of its partition key."""
    body = b"".join(field(1, key.encode()) for key in keys)
    body += b"".join(field(3, b"\x08" + varint(key) + field(3, data)) for key, data in records)
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body, usedforsecurity=False).digest()


def field(number: int, value: bytes) -> bytes:
    """A field of bytes in a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """An integer in groups of seven bits, lowest first."""
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])
