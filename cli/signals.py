"""Signals that end a command: they raise one exception, so that the command can clean up undisturbed."""

import os
import signal
from pathlib import Path
from types import FrameType

ENDED_BY = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "ended with its terminal",
}


class EndedBySignal(KeyboardInterrupt):
    """A signal ended the command; not an Exception, so that no handler takes it for a failure."""

    def __init__(self, number: int) -> None:
        """Name the signal."""
        super().__init__(ENDED_BY[signal.Signals(number)])
        self.exit_code = 128 + number


def end_once() -> None:
    """From now on raise EndedBySignal at the first signal that asks to end, and ignore those that follow.

    A signal that is ignored already, as by nohup or for a job in the background of a script, stays ignored.
    """
    for number in ENDED_BY:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def end_children() -> None:
    """Kill every process that this one has started and that still runs."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                os.kill(int(stat.parent.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def _end(number: int, frame: FrameType | None) -> None:
    for one in ENDED_BY:
        signal.signal(one, signal.SIG_IGN)
    raise EndedBySignal(number)
