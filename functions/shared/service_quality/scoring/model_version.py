"""The version of a model: how old its knowledge is, and which file it is."""

import hashlib

from service_quality.instants import format_instant


def short_hash(data: bytes) -> str:
    """The start of the SHA-256, by which a version names its model."""
    return hashlib.sha256(data).hexdigest()[:12]


def model_version(last: int, data: bytes) -> str:
    """The version of a model's bytes; `last` is the instant of the last row that it was trained on.

    >>> model_version(0, b"")
    '19700101T000000Z-e3b0c44298fc'
    """
    instant = format_instant(last)[:19].replace("-", "").replace(":", "")
    return f"{instant}Z-{short_hash(data)}"
