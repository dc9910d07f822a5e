"""How a command ends when somebody ends it: by one exception, so that it can put away what it began, undisturbed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDED_BY = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "told to end",
    signal.SIGHUP: "ended with its terminal",
}


class EndedBySignal(KeyboardInterrupt):
    """Somebody ended the command; not an Exception, so nobody takes it for a failure that can be mended."""

    def __init__(self, number: int) -> None:
        """Tell how."""
        super().__init__(ENDED_BY[signal.Signals(number)])
        self.exit_code = 128 + number


def end_once() -> None:
    """From now on raise EndedBySignal at the first signal that asks to end, and ignore those that follow.

    A signal that is ignored already, as by nohup or for a job in the background of a script, stays ignored.
    """
    for number in ENDED_BY:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


@contextmanager
def interrupt_postponed() -> Iterator[None]:
    """Let a Ctrl-C wait until the context is over, whose end also puts back whoever took it before.

    For what leaves a process behind when it is interrupted, as a start of Spark does while Java comes up.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    for one in ENDED_BY:
        signal.signal(one, signal.SIG_IGN)
    raise EndedBySignal(number)
