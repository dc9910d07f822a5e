"""The question to every engine about a synthetic log: 45 sums before every row. Standard library only: peers import it.

Each reads the same Parquet file and must come to whole rows: `log_index` and the 45 columns as 64-bit integers, in any
order of rows. "Windows alone" ends there, whatever is the engine's cheapest way to have had every row in its hands: a
table in memory, or a stream whose rows are dropped. An answer that is compared is written as Parquet besides.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks.process_usage import print_numbers
from service_quality.histories.windows import WINDOWS, Window

ENTITIES = ("agent", "category", "customer")
Table = TypeVar("Table")
#: The windows asked for, by name: those that the log's days fill.
ASKED = {name: WINDOWS[name] for name in ("1h", "1d", "7d", "30d", "90d")}
#: The summed values: rows, and two of the log's numbers.
CONTACTS, SUMMED = "contacts", ("reply_ms", "amount_minor")


class Answer(NamedTuple):
    """One column of the answer: a sum over an entity's rows before this one that its window holds."""

    entity: str
    window: Window
    fact: str

    @property
    def name(self) -> str:
        """Its name, as a feature would be called."""
        return f"{self.entity}_{self.fact}_{self.window.name}"


def answers() -> Iterator[Answer]:
    """All columns, in order."""
    for entity in ENTITIES:
        for window in ASKED.values():
            for fact in (CONTACTS, *SUMMED):
                yield Answer(entity, window, fact)


def run_engine(compute: Callable[[Path], Table], write: Callable[[Table, Path], None]) -> None:
    """The main of an engine's script: read a log, compute all answers, print the duration as JSON.

    With --answer the answers are written as well, and the time of both is printed as `written`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--answer", type=Path)
    options = parser.parse_args()
    start = time.perf_counter()
    table = compute(options.log)
    seconds = {"windows": time.perf_counter() - start}
    if options.answer:
        write(table, options.answer)
        seconds["written"] = time.perf_counter() - start
    print_numbers(seconds)
