"""The windows of a synthetic log by pandas: differences of running sums, the old end found by merge_asof.

Entity and instant are packed into one number, as for the other peers: merge_asof `by` the entity takes several times
as long. `rolling` cannot answer: its windows end by instant, not by log index, and have no hops.
"""

from pathlib import Path

import pandas as pd

from benchmarks.windows_runs.question import ASKED, CONTACTS, ENTITIES, SUMMED, Answer, answers, run_engine
from service_quality.histories.windows import Window
from service_quality.instants import DAY

_FACTS = [CONTACTS, *SUMMED]


def compute(log: Path) -> pd.DataFrame:
    """All answers, in order of log index."""
    rows = pd.read_parquet(log).assign(**{CONTACTS: 1})
    whole = pd.concat([entity_answers(rows, entity) for entity in ENTITIES], axis="columns")
    whole.insert(0, "log_index", rows["log_index"])
    return whole[["log_index", *(one.name for one in answers())]]


def entity_answers(rows: pd.DataFrame, entity: str) -> pd.DataFrame:
    """The columns of one kind of entity, by the rows' own index."""
    by_log_index = rows.sort_values([entity, "log_index"])
    by_instant = rows.sort_values([entity, "occurred_at"])
    parts = [differences(by_log_index, by_instant, entity, window) for window in ASKED.values()]
    return pd.concat(parts, axis="columns").set_axis(by_log_index.index).sort_index()


def differences(by_log_index: pd.DataFrame, by_instant: pd.DataFrame, entity: str, window: Window) -> pd.DataFrame:
    """The answers of one window: what entered before, less what is older than its start."""
    lowest = by_instant["occurred_at"].min() - 91 * DAY
    gone = alive(by_instant, window).cumsum().assign(key=packed(by_instant[entity], by_instant["occurred_at"] - lowest))
    came = alive(by_log_index, window)
    entered = (came.cumsum() - came).assign(key=packed(by_log_index[entity], start(by_log_index, window) - lowest))
    joined = pd.merge_asof(entered, gone, on="key", allow_exact_matches=False, suffixes=("", "_gone"))
    return pd.DataFrame(
        {
            Answer(entity, window, fact).name: joined[fact] - joined[f"{fact}_gone"].fillna(0).astype("int64")
            for fact in _FACTS
        }
    )


def alive(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The facts' values, 0 if they came when the window had passed them."""
    return rows[_FACTS].where(rows["occurred_at"] >= start(rows, window), 0)


def start(rows: pd.DataFrame, window: Window) -> pd.Series:
    """The first instant inside the window at the clock."""
    return (rows["clock"] - window.length) // window.hop * window.hop


def packed(entity: pd.Series, instant: pd.Series) -> pd.Series:
    """Entity and instant as one number; 2 ** 40 milliseconds are 34 years."""
    return entity.astype("int64") * 2**40 + instant


if __name__ == "__main__":
    run_engine(compute, lambda answer, target: answer.to_parquet(target, index=False, compression="snappy"))
