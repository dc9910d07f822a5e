"""The windows of a synthetic log by polars: differences of running sums, the old end found by an as-of join.

The best of the forms tried. Entity and instant are packed into one number, so that sums run over whole sorted tables
and the join has one sorted key; what earlier entities add cancels in the difference. Slower: sums `over` the entity
and a join `by` it (twice the time), ranks by `search_sorted` and `gather` (half as much again).
"""

from pathlib import Path

import polars as pl

from benchmarks.windows_runs.question import ASKED, CONTACTS, ENTITIES, SUMMED, Answer, answers, run_engine
from service_quality.histories.windows import Window
from service_quality.instants import DAY

_FACTS = (CONTACTS, *SUMMED)


def compute(log: Path) -> pl.DataFrame:
    """All answers, in order of log index."""
    rows = pl.read_parquet(log).with_columns(pl.lit(1, dtype=pl.Int64).alias(CONTACTS))
    rows = rows.with_columns((pl.col("occurred_at").min() - 91 * DAY).alias("lowest"))
    parts = [rows.select("log_index"), *(entity_answers(rows, entity) for entity in ENTITIES)]
    return pl.concat(parts, how="horizontal").select("log_index", *(one.name for one in answers()))


def entity_answers(rows: pl.DataFrame, entity: str) -> pl.DataFrame:
    """The columns of one kind of entity, in order of log index."""
    by_log_index = rows.sort(entity, "log_index")
    by_instant = by_log_index.with_columns(packed(entity, pl.col("occurred_at")).alias("key")).sort("key")
    columns = [column for window in ASKED.values() for column in differences(by_log_index, by_instant, entity, window)]
    return pl.DataFrame([by_log_index["log_index"], *columns]).sort("log_index").drop("log_index")


def differences(by_log_index: pl.DataFrame, by_instant: pl.DataFrame, entity: str, window: Window) -> list[pl.Series]:
    """The answers of one window: what entered before, less what is older than its start."""
    start = (pl.col("clock") - window.length) // window.hop * window.hop
    alive = {fact: pl.when(pl.col("occurred_at") >= start).then(pl.col(fact)).otherwise(0) for fact in _FACTS}
    gone = by_instant.lazy().select(
        pl.col("key").set_sorted(), *(value.cum_sum().alias(f"gone_{fact}") for fact, value in alive.items())
    )
    entered = by_log_index.lazy().select(
        packed(entity, start).set_sorted().alias("key"),
        *((value.cum_sum() - value).alias(fact) for fact, value in alive.items()),
    )
    joined = entered.join_asof(gone, on="key", strategy="backward", allow_exact_matches=False)
    return (
        joined.select(
            (pl.col(fact) - pl.col(f"gone_{fact}").fill_null(0)).alias(Answer(entity, window, fact).name)
            for fact in _FACTS
        )
        .collect()
        .get_columns()
    )


def packed(entity: str, instant: pl.Expr) -> pl.Expr:
    """Entity and instant as one number; 2 ** 40 milliseconds are 34 years."""
    return pl.col(entity).cast(pl.Int64) * 2**40 + (instant - pl.col("lowest"))


if __name__ == "__main__":
    run_engine(compute, lambda answer, target: answer.write_parquet(target, compression="snappy"))
