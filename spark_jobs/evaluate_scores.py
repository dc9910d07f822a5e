"""Judge the scores that were served by later ratings on the same log."""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cli.atomic_write import atomic_file
from service_quality.events import kinds
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import JUDGE, READ
from spark_jobs.command_line import add_as_of, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.learning.labelled_rows import RATING_COLUMNS, ROUND, label_rounds, merged_conversations
from spark_jobs.learning.metrics import calibration_curve, compute_metrics, figure_text, ranking_curve
from spark_jobs.logs.entry_source import ARCHIVE_HELP, read_entries
from spark_jobs.logs.log_prefix import entries_by

_DESCRIPTION = """Reads the log and judges the scores as they were served: one score a round, of those whose opening
question and rating are both in the log, at the opening, when a wait first reached a stage, and after the agent's first
answer, as far as the rating came later."""

SCORE_COLUMNS = ("event_id", "conversation_id", "shop_id", "occurred_at", "round", "kind", "score", "model_version")
ANSWER = "agent_message"
#: The moments at which scores are judged: the first score of a round at an event of one of these kinds.
MOMENTS: Mapping[str, Collection[str]] = {
    "answer": {ANSWER},
    "opening": kinds.QUESTIONS,
    "stage": {kinds.TIME_REACHED},
}
#: Kinds of which the first in a round says whether the log holds the round's opening.
_OF_TURNS = (*kinds.QUESTIONS, ANSWER, "resolved")


def served_scores(entries: DataFrame) -> DataFrame:
    """Every score as served (SCORE_COLUMNS, and position)."""
    return entries.where("served_score is not null").select(
        "event_id",
        "conversation_id",
        "shop_id",
        F.timestamp_millis("occurred_at").alias("occurred_at"),
        "round",
        "kind",
        F.col("served_score").alias("score"),
        "model_version",
        "position",
    )


def rated_rounds(entries: DataFrame) -> DataFrame:
    """The rounds that were opened and rated in the log (labelled_rows.label_rounds)."""
    accepted = entries.where("rejected is null and not duplicate and conversation_id is not null")
    ratings = accepted.where(F.col("kind") == kinds.RATED).select(*RATING_COLUMNS)
    return label_rounds(ratings, merged_conversations(accepted)).join(opened_rounds(accepted), ROUND, "left_semi")


def opened_rounds(accepted: DataFrame) -> DataFrame:
    """The rounds of which the log holds the question that opened them: shop_id, conversation_id, round.

    Of a round that opened before the log, the log holds an answer or an end first.
    """
    is_question = F.col("kind").isin(*kinds.QUESTIONS)
    order = F.struct("occurred_at", ~is_question, "position")
    first = accepted.where(F.col("kind").isin(*_OF_TURNS)).groupBy(*ROUND).agg(F.min_by("kind", order).alias("kind"))
    return first.where(is_question).select(*ROUND)


def first_scores(scores: DataFrame, of_kinds: Collection[str]) -> DataFrame:
    """The first score that each round got at an event of one of these kinds, and when."""
    first = F.min_by(F.struct("score", "occurred_at"), "position").alias("first")
    return scores.where(F.col("kind").isin(*of_kinds)).groupBy(*ROUND).agg(first).select(*ROUND, "first.*")


def judge(scores: DataFrame, labels: DataFrame, of_kinds: Collection[str]) -> dict[str, Any]:
    """Metrics and curves of the first score at events of some kinds, where the rating came later."""
    first = first_scores(scores, of_kinds).join(labels, ROUND)
    judged = first.where(F.col("rated_at") >= F.unix_millis("occurred_at")).select("label", "score").toPandas()
    if judged.empty:
        return {"metrics": {"rows": 0}, "roc": [], "calibration": [], "base_rate": None}
    truth, score = judged["label"].to_numpy(), judged["score"].to_numpy()
    return {
        "metrics": dict(compute_metrics(truth, score)),
        "roc": ranking_curve(truth, score),
        "calibration": calibration_curve(truth, score),
        "base_rate": float(np.mean(truth)),
    }


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the log, write the scores as served, judge them."""
    parser = job_parser("evaluate_scores", _DESCRIPTION)
    parser.add_argument("archive", nargs="?", metavar="ARCHIVE", help=ARCHIVE_HELP)
    parser.add_argument("--scores", type=Path, metavar="FILE.parquet", help="write every score as served")
    add_as_of(parser)
    options = parser.parse_args(arguments)
    spark = session_for(options, "evaluate_scores")
    note_step(READ)
    entries = entries_by(read_entries(spark, options.archive).cache(), options.as_of)
    scores = served_scores(entries).cache()
    written = scores.orderBy("shop_id", "position").select(*SCORE_COLUMNS).toPandas()
    if written.empty:
        raise InputError("found no score in the log, expected at least one")
    note_step(JUDGE)
    labels = rated_rounds(entries).cache()
    judged = {name: judge(scores, labels, of_kinds) for name, of_kinds in MOMENTS.items()}
    if options.scores is not None:
        write_scores(written, options.scores)
    print_summary(
        f"evaluate_scores: {len(written)} scores; after the first answer {judged['answer']['metrics']['rows']} rated"
        f" rounds, AUC {figure_text(judged['answer']['metrics'].get('auc'))}",
        {"scores": len(written), "model_versions": sorted(written["model_version"].unique()), **judged},
        file=options.json,
    )


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """One Parquet file of SCORE_COLUMNS, in the order of the log, instants in UTC; it appears whole or not at all."""
    in_utc = scores.assign(occurred_at=scores["occurred_at"].dt.tz_localize("UTC"))
    with atomic_file(path) as unfinished:
        in_utc.to_parquet(unfinished, index=False)


if __name__ == "__main__":
    sys.exit(run_job(main))
