"""The JSON of stored items: equal values give equal bytes."""

import json
import zlib
from typing import Any

_AS_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PLAIN_BYTES = 800  # with its key and the names of its attributes an item of this size is below a kilobyte


def pack(value: object) -> bytes:
    """JSON, compressed where it is larger than one of the kilobytes that a table charges for."""
    data = _AS_TEXT(value).encode()
    return data if len(data) <= _PLAIN_BYTES else zlib.compress(data, 1)


def unpack(data: bytes) -> Any:  # type: ignore[explicit-any]  # our own JSON
    """The value that `pack` stored."""
    return json.loads(data if data[:1] in (b"[", b"{") else zlib.decompress(data))
