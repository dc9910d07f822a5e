"""What a run's card says, and the folders in which cards lie."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cli.atomic_write import write_json
from reports.figures import flat

#: Where cards lie unless the environment names another folder.
DEFAULT_RUNS, VARIABLE = "build/runs", "SERVICE_QUALITY_RUNS"
JSON, PAGE = "card.json", "card.html"
FORMAT = 1
#: The runs that are kept; older ones go when a new one begins.
MOST_RUNS = 200
RUNNING, DONE, FAILED, INTERRUPTED, LOST = "running", "done", "failed", "interrupted", "lost"
#: A running card is rewritten every few seconds; one that is not for so long was killed.
LOST_AFTER_SECONDS = 60


@dataclass
class Card:
    """One run. `counts` is the job's summary; `error` has message, details and exit_code; instants in ISO 8601.

    `steps` are what it does one after another (cards/steps.py), each with its seconds; the last one may still go on.
    """

    id: str
    job: str
    state: str
    began_at: str
    version: str
    command: str
    arguments: dict[str, Any]
    pid: int
    seconds: float = 0.0
    ended_at: str | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    progress: dict[str, int] | None = None
    next: list[str] = field(default_factory=list)
    format: int = FORMAT

    def add_input(self, kind: str, name: str, **known: object) -> None:
        """Note a table or a file that the run reads, once."""
        one = {"kind": kind, "name": name, **known}
        if one not in self.inputs:
            self.inputs.append(one)


def runs_folder() -> Path:
    """The folder of all cards."""
    return Path(os.environ.get(VARIABLE) or DEFAULT_RUNS)


def write_card(folder: Path, card: Card) -> None:
    """Write a card's figures into its own folder below the one of all."""
    write_json(folder / card.id / JSON, asdict(card))


def read_cards(folder: Path, *, now: float) -> list[Card]:
    """All cards, the newest first; one that says it runs and is not rewritten any more is lost."""
    found = (_read(path, now) for path in folder.glob(f"*/{JSON}"))
    return sorted((card for card in found if card is not None), key=lambda card: card.id, reverse=True)


def _read(path: Path, now: float) -> Card | None:
    """A card; None for one of another format, or that goes while it is read."""
    try:
        document, written = json.loads(path.read_text("utf-8")), path.stat().st_mtime
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return None
    known = {name: document[name] for name in Card.__dataclass_fields__ if name in document}
    card = Card(**known)
    if card.state == RUNNING and now - written > LOST_AFTER_SECONDS:
        card.state = LOST
    return card


def prune(folder: Path, *, keep: int = MOST_RUNS) -> None:
    """Remove the oldest runs beyond those that are kept."""
    runs = sorted((path.parent for path in folder.glob(f"*/{JSON}")), reverse=True)
    for old in runs[keep:]:
        shutil.rmtree(old, ignore_errors=True)  # another run may prune, too


def figures_of(card: Card) -> Iterator[tuple[str, Any]]:
    """The seconds of a run and of its steps, then the plain figures of its summary (reports.figures.flat)."""
    yield "seconds", card.seconds
    for name in dict.fromkeys(one["step"] for one in card.steps):
        seconds = sum(one["seconds"] for one in card.steps if one["step"] == name)
        yield f"seconds.{name}", round(seconds, 1)
    yield from flat({name: value for name, value in card.counts.items() if name not in ("job", "seconds")})
