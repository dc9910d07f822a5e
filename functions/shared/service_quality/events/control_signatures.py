"""Signatures of control records, by the deployment's key.

A record without a valid one is rejected, so a source that may only write the stream cannot forge one.
"""

import hmac
import json
from collections.abc import Callable, Mapping

from service_quality.events.control_records import ControlRecord, control_to_dict
from service_quality.instants import format_instant

#: Gives the deployment's key; it is called only for a control record.
ControlKey = Callable[[], bytes]


def sign_control(record: ControlRecord, key: bytes, *, issued_at: int) -> bytes:
    """The record as it is put on the stream: JSON, signed with its instant of issue by HMAC-SHA256 (RFC 2104)."""
    form = control_to_dict(record) | {"issued_at": format_instant(issued_at)}
    return json.dumps(form | {"signature": _signature(form, key)}, separators=(",", ":")).encode()


def is_signed(raw: Mapping[str, object], key: bytes) -> bool:
    """Whether a record in its JSON form has the signature that this key gives it."""
    claimed = raw.get("signature")
    if not isinstance(claimed, str) or not claimed.isascii():
        return False
    unsigned = {name: value for name, value in raw.items() if name != "signature"}
    return hmac.compare_digest(claimed, _signature(unsigned, key))


def _signature(form: Mapping[str, object], key: bytes) -> str:
    canonical = json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, canonical, "sha256").hexdigest()
