"""Positions: where an event is in its shop's log, as strings that sort like the log."""

from typing import NamedTuple

_SEQUENCE_DIGITS = 56  # more than a DynamoDB number holds
_WIDTHS = (4, _SEQUENCE_DIGITS, 4)

#: Before the first event of a log.
START = ""


class Position(NamedTuple):
    """`generation` rises when a stream is replaced; `part` counts events packed under one sequence number."""

    generation: int
    sequence: int
    part: int = 0

    def __str__(self) -> str:
        """Fixed width, so that text order is log order.

        >>> str(Position(1, 9)) < str(Position(1, 10)) < str(Position(2, 1))
        True
        """
        return "-".join(str(number).zfill(width) for number, width in zip(self, _WIDTHS, strict=True))


def is_position(text: str) -> bool:
    """Whether a text is a position in a log, and not made of a message's id.

    >>> is_position(str(Position(1, 9))), is_position("message-7-0000"), is_position(START)
    (True, False, False)
    """
    parts = text.split("-")
    return tuple(map(len, parts)) == _WIDTHS and all(part.isascii() and part.isdigit() for part in parts)


def sequence_of(position: str) -> int:
    """The stream's sequence number in a position; -1 for START.

    >>> sequence_of(str(Position(1, 42))), sequence_of(START)
    (42, -1)
    """
    return int(position.split("-")[1]) if position else -1
