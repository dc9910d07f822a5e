"""A strand of work that stops before each call to the outside, until its owner lets it go on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class _Runner:
    """A thread that runs one strand after the other; it or the one who waits for it runs, never both."""

    work: Callable[[], None] | None = None
    go: threading.Lock = field(default_factory=threading.Lock)
    back: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.go.acquire()
        self.back.acquire()
        threading.Thread(target=self._run, daemon=True).start()

    def switch(self) -> None:
        """Let the thread go on until it stops or has done its work."""
        self.go.release()
        self.back.acquire()

    def stop(self) -> None:
        """Called within the thread: wait until `switch` is called again."""
        self.back.release()
        self.go.acquire()

    def _run(self) -> None:
        while True:
            self.go.acquire()
            assert self.work is not None
            self.work()
            self.back.release()


_idle: list[_Runner] = []  # a thread costs more than all that most strands do


@dataclass
class Strand:
    """Runs `work` in steps. At each step `pending` says what it is about to call; `failure` is what it ended with."""

    work: Callable[[], object]
    pending: str = ""
    done: bool = False
    failure: BaseException | None = None
    runs: bool = False
    _order: str = ""
    _runner: _Runner = field(init=False)

    def __post_init__(self) -> None:
        self._runner = _idle.pop() if _idle else _Runner()
        self._runner.work = self._work

    def go_on(self, order: str) -> None:
        """Begin, or answer the pending call as ordered; run to the next call or to the end."""
        self._order = order
        self.runs = True
        self._runner.switch()
        self.runs = False
        if self.done:
            _idle.append(self._runner)

    def pause(self, name: str) -> str:
        """Called by the work before it calls the outside; returns the order with which it goes on."""
        self.pending = name
        self._runner.stop()
        return self._order

    def _work(self) -> None:
        try:
            self.work()
        except BaseException as failure:  # a killed worker ends with one that no code under test may catch
            self.failure = failure
        self.pending, self.done = "", True
