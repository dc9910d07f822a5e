"""Spans of time in milliseconds, and the windows of histories, as docs/architecture.md states them."""

SECOND = 1_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000

#: Window name → its length back from the shop's clock, and the hop by which its old end moves.
WINDOWS = {
    "1h": (HOUR, 5 * MINUTE),
    "1d": (DAY, HOUR),
    "7d": (7 * DAY, 6 * HOUR),
    "30d": (30 * DAY, DAY),
    "90d": (90 * DAY, DAY),
    "365d": (365 * DAY, 7 * DAY),
}


def tile_start(at: int, window: str) -> int:
    """The start of the window's tile that holds an instant."""
    _, hop = WINDOWS[window]
    return at // hop * hop


def window_start(clock: int, window: str) -> int:
    """The earliest start of a tile that the window covers at this clock."""
    length, _ = WINDOWS[window]
    return tile_start(clock - length, window)
