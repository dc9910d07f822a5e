"""The end of a command by a signal."""

import signal
import subprocess
import sys

import pytest

from cli.signals import ENDED_BY, EndedBySignal, end_once


@pytest.fixture(autouse=True)
def usual_signals():
    before = {number: signal.getsignal(number) for number in ENDED_BY}
    for number in ENDED_BY:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, taken_by in before.items():
        signal.signal(number, taken_by)


@pytest.mark.parametrize(
    ("number", "said", "exit_code"),
    [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143), (signal.SIGHUP, "its terminal", 129)],
)
def test_signal_to_end_says_how_and_gives_the_customary_exit_code(number, said, exit_code):
    end_once()

    with pytest.raises(EndedBySignal, match=said) as ended:
        signal.raise_signal(number)

    assert ended.value.exit_code == exit_code


def test_second_signal_does_not_disturb_what_is_put_away():
    end_once()
    with pytest.raises(EndedBySignal):
        signal.raise_signal(signal.SIGINT)

    for number in ENDED_BY:
        signal.raise_signal(number)


def test_ignored_signal_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    end_once()
    signal.raise_signal(signal.SIGHUP)

    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


_PARENT = """
import subprocess, sys
from cli.signals import end_children
with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as child:
    end_children()
    print(child.wait(timeout=10))
"""


def test_children_are_ended_and_nobody_else():
    """In a process of its own: this one may have children of other tests, such as Java."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as other:
        found = subprocess.run([sys.executable, "-c", _PARENT], capture_output=True, text=True, check=True)

        assert int(found.stdout) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()
