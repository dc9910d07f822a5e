"""What an alert lives through, found by looking back over everything that was judged; slow and obvious.

Within a cooldown after a message only what is worse than that message, and the end of what was told, is said. What
occurred again meanwhile and still holds after it is said again with the number of its occurrences, and what returned is
told then. What nobody was told of ends without a word, and is counted in the next message.
"""

from collections.abc import Sequence
from typing import NamedTuple

GRAVITY = ("info", "warning", "critical")


class Judged(NamedTuple):
    """One judged event: the severity that holds, "" for none, whether the rule calls it over, and whether it counts."""

    clock: int
    severity: str
    is_over: bool = False
    counts: bool = True


class Said(NamedTuple):
    """A message: what it was about, by the place of the event at which the alert began, and its count."""

    place: int
    began: int
    what: str
    severity: str
    times: int


class Row(NamedTuple):
    """What a list of alerts must show after an event."""

    began: int
    is_open: bool
    is_silent: bool
    severity: str
    times: int


def messages_of(judged: Sequence[Judged], cooldown: int) -> list[Said]:
    """Every message, in order."""
    said: list[Said] = []
    for index, event in enumerate(judged):
        holding = _holding(judged, index)
        what = _what(judged, index, said, cooldown=cooldown)
        if what and holding:
            severity = event.severity or judged[holding[-1]].severity
            count = _times(judged, index - (holding == [index]), said)
            said.append(Said(index, holding[0], what, severity, count))
    return said


def row_after(judged: Sequence[Judged], index: int, said: Sequence[Said]) -> Row | None:
    """The row after an event; None while nothing ever was wrong."""
    known = [one for one in said if one.place <= index]
    ended = _is_end(judged, index) or not _holding(judged, index)
    while index >= 0 and not _holding(judged, index):
        index -= 1
    if index < 0:
        return None
    holding = _holding(judged, index)
    told = [one for one in known if one.began == holding[0]]
    return Row(holding[0], not ended, not told, judged[holding[-1]].severity, _times(judged, index, known))


def _what(judged: Sequence[Judged], index: int, said: Sequence[Said], *, cooldown: int) -> str:
    holding = _holding(judged, index)
    if not holding:
        return ""
    is_told = any(one.began == holding[0] for one in said)
    if _is_end(judged, index):
        return "resolved" if is_told else ""
    if index not in holding:
        return ""
    if not said:
        return "opened"
    over = judged[index].clock >= judged[said[-1].place].clock + cooldown
    worse = GRAVITY.index(judged[index].severity) > GRAVITY.index(said[-1].severity)
    if worse and (is_told or holding != [index] or not over):
        return "worsened"
    if over and is_told:
        return "repeated" if _times(judged, index, said) else ""
    return "opened" if over else ""


def _is_end(judged: Sequence[Judged], index: int) -> bool:
    return judged[index].is_over and not judged[index].severity


def _holding(judged: Sequence[Judged], index: int) -> list[int]:
    """The events up to an index at which the alert held that is open there, or that ends there."""
    ends = [one for one in range(index) if _is_end(judged, one)]
    return [one for one in range(ends[-1] + 1 if ends else 0, index + 1) if judged[one].severity]


def _times(judged: Sequence[Judged], index: int, said: Sequence[Said]) -> int:
    """How many events since the last message an alert held at and count, as the first of each alert always does."""
    since = range(said[-1].place + 1 if said else 0, index + 1)
    held = [one for one in since if judged[one].severity]
    return sum(judged[one].counts or _holding(judged, one)[0] == one for one in held)
