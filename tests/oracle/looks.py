"""When rules look at a conversation again though nothing happens, found from what they knew of it by then."""

from collections.abc import Iterable

from tests.oracle.deadlines import Deadline, deadline, open_from
from tests.oracle.rounds import rounds, silent_until
from tests.oracle.story import Story


def next_look(story: Story, looks: Iterable[int], *, clock: int, received_clock: int) -> Deadline | None:
    """The first deadline at which a rule looks again, given the instants at which it wants to.

    A shop that is closed then looks when it opens, and what events came behind is looked at behind them. What the
    shop's clock has passed by then was looked at.
    """
    found = []
    for look in looks:
        due_at = _open(story, look)
        if due_at is not None and due_at > clock:
            found.append(due_at if due_at > received_clock else _open(story, received_clock + 1))
    return min((due for at in found if at is not None and (due := deadline(story, f"clock:{at}"))), default=None)


def _open(story: Story, at: int) -> int | None:
    """The first instant, not before `at`, at which the shop is open while the last round runs."""
    running = rounds(story)[-1:]
    if not running or running[0].ended_from is not None:
        return None
    return open_from(story, running[0].opens, at, silent_until(story, running[0].opens, len(story)))
