"""The measurement of a function by itself, as JSON on its last line."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """CPU time and AWS calls of the counted events, the process's peak memory, and every score by event."""

    cpu_microseconds: float
    calls: dict[str, float]
    peak_mb: float
    scores: dict[str, float]

    @property
    def calls_per_event(self) -> float:
        """All calls together."""
        return sum(self.calls.values())

    def print(self) -> None:
        """Write it to the process that started this one."""
        print(json.dumps(asdict(self)), flush=True)

    @classmethod
    def read(cls, printed: str) -> "Measured":
        """The measurement that `print` printed last."""
        return cls(**json.loads(printed.strip().splitlines()[-1]))


class CallCounter:
    """Counts the requests that botocore sends while `counting` is set, by operation; retries count."""

    def __init__(self, session: Any) -> None:
        """Watch every client that is made of this botocore session from now on."""
        self.calls: Counter[str] = Counter()
        self.counting = False
        client_events(session).register("before-send", self._count)

    def _count(self, request: Any, event_name: str, **_: Any) -> None:
        if self.counting:
            self.calls[event_name.removeprefix("before-send.")] += 1


def client_events(session: Any) -> Any:
    """The emitter that every client copies that is made of a botocore session from now on.

    `session.register` reaches only the emitter that the session was made with; ours gives its clients another one.
    """
    return session.get_component("event_emitter")


def peak_mb() -> float:
    """The peak memory of this process since it became this program."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process for some work."""
    start = time.process_time()
    work()
    return time.process_time() - start
