"""The card of the run that goes on in this process, rewritten while it runs, ended with it.

It begins with the session of a job on Spark, and with the work of one without: what fails at its arguments has none.
"""

import os
import secrets
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cli.atomic_write import atomic_file
from cli.version import version
from service_quality.instants import format_instant
from spark_jobs.cards.card import (
    DONE,
    FAILED,
    INTERRUPTED,
    PAGE,
    RUNNING,
    Card,
    prune,
    runs_folder,
    write_card,
)
from spark_jobs.cards.next_steps import next_commands
from spark_jobs.cards.steps import START
from spark_jobs.entry import endings
from spark_jobs.entry.endings import Main
from spark_jobs.errors import JobError

REWRITTEN_EVERY_SECONDS = 2.0
LONGEST_LOOK_SECONDS = 5.0
#: The name of the thread that rewrites a card.
THREAD = "card"
INTERRUPTED_CODE = 130

Progress = Callable[[], Mapping[str, int] | None]


class Expected(NamedTuple):
    """A run that begins in this process: the words of its command line, and when, by the monotonic clock, too."""

    words: Sequence[str]
    at: datetime
    clock: float


class RunningCard:
    """One run's card; the first failure to write it is said, and it is given up.

    With `progress` a thread of its own rewrites it every few seconds; without it is written at its end.
    """

    def __init__(self, folder: Path, card: Card, began: float, progress: Progress | None) -> None:
        self.folder = folder
        self.card = card
        self._progress = progress
        self._began = self._step_began = began
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._given_up = False
        self._thread = threading.Thread(target=self._rewrite, name=THREAD, daemon=True)

    def start(self) -> None:
        """Write the card for the first time, and from then on every few seconds."""
        if self._progress is not None:
            self.write()
            self._thread.start()

    def begin_step(self, name: str) -> None:
        """End the step before, and begin this one."""
        with self._lock:
            self._time_step()
            self._step_began = time.monotonic()
            self.card.steps.append({"step": name, "seconds": 0.0})

    def _time_step(self) -> None:
        if self.card.steps:
            self.card.steps[-1]["seconds"] = round(time.monotonic() - self._step_began, 1)

    def change(self, change: Callable[[Card], None]) -> None:
        """Change the card; what it says is written within seconds, and at its end."""
        with self._lock:
            change(self.card)

    def end(self, code: int) -> None:
        """Write the card for the last time, as of a run that ended with this exit code."""
        self._ended.set()
        if self._progress is not None:
            self._thread.join(LONGEST_LOOK_SECONDS)  # it may ask a Java that is gone
        with self._lock:
            self.card.state = {0: DONE, INTERRUPTED_CODE: INTERRUPTED}.get(code, FAILED)
            self.card.progress = None
            self.card.ended_at = _now()
            self.card.next = next_commands(self.card.job, self.card.arguments, code)
        self.write()

    def write(self) -> None:
        """Write the card as JSON and as a page."""
        if self._given_up:
            return
        from reports.run_page import render_run  # noqa: PLC0415  # a job that fails at its arguments shows no page

        with self._lock:
            self._time_step()
            self.card.seconds = round(time.monotonic() - self._began, 1)
            try:
                write_card(self.folder, self.card)
                with atomic_file(self.folder / self.card.id / PAGE) as page:
                    page.write_text(render_run(self.card.__dict__), "utf-8")
            except OSError as error:
                self._given_up = True
                print(f"{self.card.job}: no card: {error.strerror}: {self.folder}", file=sys.stderr, flush=True)

    def _rewrite(self) -> None:
        assert self._progress is not None
        while not self._ended.wait(REWRITTEN_EVERY_SECONDS):
            found = self._progress()
            with self._lock:
                self.card.progress = None if found is None else dict(found)
            self.write()


_running: RunningCard | None = None
_expected: Expected | None = None


def run_with_card(
    main: Main,
    arguments: Sequence[str] | None = None,
    *,
    explain: Callable[[BaseException], JobError] = endings.explain,
) -> int:
    """Run a job as `endings.run_job` does; the card that it begins ends as it does, with the failure on it."""

    def noted(error: BaseException) -> JobError:
        failure = explain(error)
        said = {"message": str(failure), "details": list(failure.details), "exit_code": failure.exit_code}
        _change(lambda card: setattr(card, "error", said))
        return failure

    expect_run(sys.argv[1:] if arguments is None else arguments)
    code = INTERRUPTED_CODE
    try:
        code = endings.run_job(main, arguments, explain=noted)
    finally:
        end_card(code)
    return code


def expect_run(argv: Sequence[str]) -> None:
    """Say that a run of a job begins in this process, with these words of its command line."""
    global _expected  # noqa: PLW0603  # a process runs one job at a time
    _expected = Expected(list(argv), datetime.now(UTC), time.monotonic())


def begin_card(job: str, arguments: Mapping[str, Any], progress: Progress | None = None) -> None:
    """Begin the card of the run that is expected; a session without one, as in an analyst's own, has no card."""
    global _running  # noqa: PLW0603
    if _expected is None or _running is not None:
        return
    folder = runs_folder()
    began = _expected.at
    name = f"{began:%Y%m%dT%H%M%S}-{job}-{secrets.token_hex(2)}"
    command = f"python -m spark_jobs {job} {shlex.join(_expected.words)}".strip()
    given = {key: value for key, value in sorted(arguments.items()) if value not in (None, False, [], ())}
    said = {key: _plain(value) for key, value in given.items()}
    begun_at = format_instant(int(began.timestamp() * 1000))
    card = Card(name, job, RUNNING, begun_at, version(), command, said, os.getpid())
    card.steps.append({"step": START, "seconds": 0.0})
    _running = RunningCard(folder, card, _expected.clock, progress)
    prune(folder)
    _running.start()


def end_card(code: int) -> None:
    """End the card of the run, if it has one, by its exit code."""
    global _expected, _running  # noqa: PLW0603
    _expected = None
    if _running is not None:
        running, _running = _running, None
        running.end(code)


def note_step(name: str) -> None:
    """Note that a step of the run begins (cards/steps.py); the one before is over."""
    if _running is not None:
        _running.begin_step(name)


def note_summary(summary: Mapping[str, object]) -> None:
    """Note the figures of the run."""
    _change(lambda card: card.counts.update(summary))


def note_table(name: str, snapshot: int | None) -> None:
    """Note a table that the run reads, at a snapshot."""
    _change(lambda card: card.add_input("table", name, snapshot=snapshot))


def note_file(name: str) -> None:
    """Note a file that the run reads."""
    _change(lambda card: card.add_input("file", name))


def warn(job: str, text: str) -> None:
    """Say a warning on the standard error, and on the card."""
    print(f"{job}: {text}", file=sys.stderr, flush=True)
    _change(lambda card: card.warnings.append(text))


def _change(change: Callable[[Card], None]) -> None:
    if _running is not None:
        _running.change(change)


def _now() -> str:
    return format_instant(int(time.time() * 1000))


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float) else str(value)
