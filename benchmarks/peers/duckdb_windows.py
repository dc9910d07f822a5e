"""The windows of a synthetic log by DuckDB: differences of running sums, the old end found by an as-of join.

The best of the forms tried. Entity and instant are packed into one number, so that sums run over whole sorted tables
(a streaming window, no partition) and the join has one key; what earlier entities add cancels in the difference.
Slower: the same by entity and instant apart, in one query or a query a window; the same over tiles summed up first;
one running sum over rows and window starts sorted together; frames of a range, which moreover count by instant what
has to count by log index.
"""

from pathlib import Path

import duckdb

from benchmarks.windows_runs.question import ASKED, CONTACTS, ENTITIES, SUMMED, Answer, answers, run_engine
from service_quality.histories.windows import Window
from service_quality.instants import DAY

_FACTS = (CONTACTS, *SUMMED)
_SO_FAR = "OVER (ROWS UNBOUNDED PRECEDING)"
MEMORY = "8GB"  # more is spilled to disk


def compute(log: Path) -> duckdb.DuckDBPyConnection:
    """A database whose table `answer` holds all answers."""
    database = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(log.with_suffix(".spill"))})
    database.execute(f"CREATE VIEW log AS SELECT *, 1 AS {CONTACTS} FROM read_parquet('{log}')")
    database.execute(f"CREATE TABLE bounds AS SELECT min(occurred_at) - {91 * DAY} AS lowest FROM log")
    for entity in ENTITIES:
        for statement in (entered(entity), left(entity), *(difference(entity, one) for one in ASKED.values())):
            database.execute(statement)
    tables = [f"{entity}_{window}" for entity in ENTITIES for window in ASKED]
    joined = " ".join(f"JOIN {table} USING (log_index)" for table in tables[1:])
    names = ", ".join(one.name for one in answers())
    database.execute(f"CREATE TABLE answer AS SELECT log_index, {names} FROM {tables[0]} {joined}")
    return database


def write(database: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Write the answer as Parquet."""
    database.execute(f"COPY answer TO '{target}' (FORMAT parquet, COMPRESSION snappy)")


def entered(entity: str) -> str:
    """A table in order of entity and log index: the key of each window's start, and the sums before each row."""
    starts = ", ".join(f"{packed(entity, start(window))} AS key_{name}" for name, window in ASKED.items())
    sums = ", ".join(
        f"{alive_sum(fact, window)} - {alive(fact, window)} AS {fact}_{window.name}"
        for window in ASKED.values()
        for fact in _FACTS
    )
    return f"""CREATE OR REPLACE TABLE entered AS SELECT log_index, {starts}, {sums}
        FROM (SELECT * FROM log, bounds ORDER BY {entity}, log_index)"""


def left(entity: str) -> str:
    """A table in order of entity and instant: the sums that leave each window with a fact and all earlier ones."""
    sums = ", ".join(
        f"{alive_sum(fact, window)} AS {fact}_{window.name}" for window in ASKED.values() for fact in _FACTS
    )
    return f"""CREATE OR REPLACE TABLE gone AS SELECT {packed(entity, "occurred_at")} AS key, {sums}
        FROM (SELECT * FROM log, bounds ORDER BY {entity}, occurred_at)"""


def difference(entity: str, window: Window) -> str:
    """The answers of one window: what entered before, less what is older than its start."""
    columns = ", ".join(
        f"entered.{fact}_{window.name} - coalesce(gone.{fact}_{window.name}, 0) AS {Answer(entity, window, fact).name}"
        for fact in _FACTS
    )
    return f"""CREATE TABLE {entity}_{window.name} AS SELECT log_index, {columns}
        FROM entered ASOF LEFT JOIN gone ON entered.key_{window.name} > gone.key"""


def start(window: Window) -> str:
    """The first instant inside the window at the clock."""
    return f"(clock - {window.length}) // {window.hop} * {window.hop}"


def packed(entity: str, instant: str) -> str:
    """Entity and instant as one number; 2 ** 40 milliseconds are 34 years."""
    return f"({entity}::BIGINT << 40) + ({instant} - lowest)"


def alive(fact: str, window: Window) -> str:
    """The fact's value, 0 if it came when the window had passed it."""
    return f"CASE WHEN occurred_at >= {start(window)} THEN {fact} ELSE 0 END"


def alive_sum(fact: str, window: Window) -> str:
    """Its running sum."""
    return f"(sum({alive(fact, window)}) {_SO_FAR})::BIGINT"


if __name__ == "__main__":
    run_engine(compute, write)
