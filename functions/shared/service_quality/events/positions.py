"""Positions: an event's place in its shop's log, as strings that sort like the log."""

from typing import NamedTuple

_SEQUENCE_DIGITS = 56  # more than a DynamoDB number holds

#: Before the first event of a log.
START = ""


class Position(NamedTuple):
    """`generation` rises when a stream is made anew; `part` counts events packed under one sequence number."""

    generation: int
    sequence: int
    part: int = 0

    def __str__(self) -> str:
        """Fixed width, so that text order is log order.

        >>> str(Position(1, 9)) < str(Position(1, 10)) < str(Position(2, 1))
        True
        """
        widths = ((self.generation, 4), (self.sequence, _SEQUENCE_DIGITS), (self.part, 4))
        return "-".join(str(number).zfill(width) for number, width in widths)
