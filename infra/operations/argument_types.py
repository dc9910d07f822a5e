"""Values of the operators' arguments: what is no such value is refused with found and expected."""

import argparse
from collections.abc import Callable

from cli.arguments import number_above_zero, shown
from infra.operations.selection import KNOWN
from infra.operations.shop_settings import setting
from service_quality.events.identifiers import EXPECTED_ID, is_id
from service_quality.instants import parse_instant


def shop_argument(text: str) -> str:
    """The id of a shop."""
    if not is_id(text):
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected a shop's id of {EXPECTED_ID}")
    return text


def instant_argument(text: str) -> int:
    """Epoch milliseconds of a day or an instant with a zone."""
    try:
        return parse_instant(f"{text}T00:00:00Z" if len(text) == len("YYYY-MM-DD") else text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found {shown(text)}, expected a day such as 2026-11-20 or an instant such as 2026-11-20T08:00:00Z"
        ) from None


def reason_argument(text: str) -> str:
    """A word that selects; a mistyped one is refused, since it would select nothing."""
    if text not in KNOWN:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected one of {', '.join(sorted(KNOWN))}")
    return text


def seconds_argument(text: str) -> float:
    """A time to wait in seconds, finite and above 0."""
    return number_above_zero(text, expected="a finite number of seconds above 0")


def setting_argument(name: str) -> Callable[[str], str]:
    """The value of a setting of this name, "" for its default."""

    def parse(text: str) -> str:
        try:
            return setting(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse
