"""The memory of a cluster's workers while a job runs: each with its executors and their Python processes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from benchmarks.process_usage import family_of

_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass
class WorkerMemory:
    """Watches workers by the ids of their processes, as a context; all peaks in MB."""

    pids: Sequence[int]
    #: The most that one worker and everything that it had started took at one time.
    worker_mb: float = 0.0
    #: The most that a process of each program took.
    process_mb: dict[str, float] = field(default_factory=dict)
    _ended: Event = field(default_factory=Event)

    def __enter__(self) -> "WorkerMemory":
        self._thread = Thread(target=self._look_until_ended, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _look_until_ended(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            for pid in self.pids:
                self._look(pid)

    def _look(self, worker: int) -> None:
        together = 0.0
        for pid in family_of(worker):
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                program = Path(f"/proc/{pid}/exe").readlink().name
                taken = _proportional_mb(pid)
                together += taken
                self.process_mb[program] = max(taken, self.process_mb.get(program, 0.0))
        self.worker_mb = max(self.worker_mb, together)


def _proportional_mb(pid: int) -> float:
    """The memory of a process, pages that it shares with others divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0) / 1024
