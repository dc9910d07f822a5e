"""Signs of life on standard error while something takes longer than a few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_SIGN_SECONDS = 3.0
LATER_SIGN_SECONDS = 5.0
MOST_CHARACTERS = 100


def say(line: str) -> None:
    """Print one line at once."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def announced(title: str) -> Iterator[None]:
    """Print a step's beginning and, in the end, its duration."""
    say(f"{title} …")
    start = time.monotonic()
    yield
    say(f"{title}: done in {time.monotonic() - start:.1f} s")


class Signs:
    """Prints the progress, seldom enough to be read."""

    def __init__(self, title: str) -> None:
        """Begin to count the time."""
        self._title = title
        self._start = time.monotonic()
        self._next = self._start + FIRST_SIGN_SECONDS

    def show(self, state: str) -> None:
        """Print the state if the last sign is some seconds old."""
        now = time.monotonic()
        if now >= self._next:
            say(f"  {self._title}: {shorten(state)}, {now - self._start:.0f} s so far")
            self._next = now + LATER_SIGN_SECONDS


def wait_until(come: Callable[[], bool], *, title: str, state: Callable[[], str], seconds: float) -> bool:
    """Call `come()` until it is true or the time is over, with signs of life.

    `come` may itself wait; between two calls a fifth of a second passes.
    """
    signs, end = Signs(title), time.monotonic() + seconds
    while not come():
        if time.monotonic() >= end:
            return False
        signs.show(state())
        time.sleep(0.2)
    return True


def shorten(text: str, most: int = MOST_CHARACTERS) -> str:
    """One line of at most so many characters, cut between words, with a sign where something was cut.

    >>> shorten("CREATE_COMPLETE   AWS::CloudFormation::Stack   Storage", 40)
    'CREATE_COMPLETE …'
    """
    words = " ".join(text.split())
    if len(words) <= most:
        return words
    return words[: most - 1].rpartition(" ")[0] + " …"
