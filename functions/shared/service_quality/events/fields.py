"""Required fields of a record: read with type and bounds, or rejected with found and expected."""

from collections.abc import Mapping

from service_quality.errors import RejectedEventError
from service_quality.events.declared_fields import EARLIEST
from service_quality.events.identifiers import EXPECTED_ID, one_spelling
from service_quality.events.shown_values import shown
from service_quality.instants import LATEST_SECOND, MINUTE, SECOND, parse_instant

#: How far a source's clock may be ahead of ours and count as right.
MAX_AHEAD = 5 * MINUTE
#: The most bytes of a control record; a record that is put back holds another one in base64, which may itself hold a
#: policy of 64 KB in base64.
MAX_CONTROL_BYTES = 128_000
_LONGEST_INSTANT = 40  # characters
_LATEST = (LATEST_SECOND + 1) * SECOND - 1


def read_instant(raw: Mapping[str, object], name: str) -> int:
    """Epoch milliseconds of the ISO 8601 instant in a required field."""
    value = raw.get(name)
    if value is None:
        raise RejectedEventError("missing_field", field=name, found="nothing", expected="an ISO 8601 instant")
    if not isinstance(value, str):
        raise RejectedEventError(
            "wrong_type", field=name, found=shown(value), expected="an ISO 8601 instant as a string"
        )
    instant = instant_in(value)
    if instant is None:
        raise RejectedEventError(
            "out_of_range", field=name, found=shown(value), expected="an ISO 8601 instant with a zone, after 1999"
        )
    return instant


def instant_in(text: str) -> int | None:
    """Epoch milliseconds of an ISO 8601 instant with a zone, after 1999; None for any other text.

    >>> instant_in("2000-01-01T00:00:00Z"), instant_in("2000-01-01T00:00:00"), instant_in("soon")
    (946684800000, None, None)
    """
    try:
        instant = parse_instant(text) if len(text) <= _LONGEST_INSTANT else None
    except (ValueError, OverflowError):
        return None
    return instant if instant is not None and EARLIEST <= instant <= _LATEST else None


def require_not_ahead(name: str, instant: int, arrived_at: int) -> None:
    """RejectedEventError "from_the_future" for an instant that is more than MAX_AHEAD after the arrival."""
    if instant > arrived_at + MAX_AHEAD:
        raise RejectedEventError(
            "from_the_future",
            field=name,
            found=f"{(instant - arrived_at) // 1000} s ahead of its arrival",
            expected=f"at most {MAX_AHEAD // 1000} s ahead",
        )


def read_id(raw: Mapping[str, object], name: str) -> str:
    """The identifier in a required field, in its one spelling."""
    if raw.get(name) is None:
        raise RejectedEventError("missing_field", field=name, found="nothing", expected="a value")
    return read_present_id(raw, name)


def read_present_id(raw: Mapping[str, object], name: str) -> str:
    """The identifier in a present field, in its one spelling."""
    value = raw[name]
    if not isinstance(value, str):
        raise RejectedEventError("wrong_type", field=name, found=shown(value), expected="a string")
    spelt = one_spelling(value)
    if not spelt:
        raise RejectedEventError("out_of_range", field=name, found=shown(value), expected=EXPECTED_ID)
    return spelt


def read_text(raw: Mapping[str, object], name: str, *, longest: int) -> str:
    """The text in a field: at most `longest` characters of valid Unicode."""
    value = raw.get(name)
    if not isinstance(value, str):
        raise RejectedEventError("wrong_type", field=name, found=shown(value), expected="a string")
    if len(value) > longest:
        raise RejectedEventError(
            "out_of_range", field=name, found=shown(value), expected=f"at most {longest} characters"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RejectedEventError(
            "out_of_range", field=name, found="a lone surrogate", expected="valid Unicode"
        ) from None
    return value


def read_integer(raw: Mapping[str, object], name: str, *, lowest: int, highest: int) -> int:
    """The integer in a field, within bounds; a float without a fraction counts as one."""
    value = raw.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise RejectedEventError("wrong_type", field=name, found=shown(value), expected="an integer")
    if not lowest <= value <= highest:
        raise RejectedEventError(
            "out_of_range", field=name, found=shown(value), expected=f"an integer from {lowest} to {highest}"
        )
    return value
