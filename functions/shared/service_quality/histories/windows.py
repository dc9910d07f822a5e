"""Windows: trailing spans measured back from the shop's clock, whose old end moves by hops."""

from typing import NamedTuple

from service_quality.instants import DAY, HOUR, MINUTE, floor_to


class Window(NamedTuple):
    """A trailing span of `length` milliseconds; tiles of `hop` milliseconds leave it whole."""

    name: str
    length: int
    hop: int

    def start(self, clock: int) -> int:
        """The first instant still inside at this clock: a tile belongs if it starts at or after it.

        >>> WINDOWS["1h"].start(2 * HOUR + 7 * MINUTE) == HOUR + 5 * MINUTE
        True
        """
        return floor_to(clock - self.length, self.hop)

    def tile(self, instant: int) -> int:
        """The start of the tile that holds an instant."""
        return floor_to(instant, self.hop)

    def leaves_at(self, instant: int) -> int:
        """The first clock at which a fact of this instant is outside."""
        return floor_to(instant, self.hop) + self.hop + self.length


WINDOWS = {
    window.name: window
    for window in (
        Window("1h", HOUR, 5 * MINUTE),
        Window("1d", DAY, HOUR),
        Window("7d", 7 * DAY, 6 * HOUR),
        Window("30d", 30 * DAY, DAY),
        Window("90d", 90 * DAY, DAY),
        Window("365d", 365 * DAY, 7 * DAY),
    )
}

#: How far behind a clock the longest window reaches at most.
LONGEST_REACH = max(window.length + window.hop for window in WINDOWS.values())
