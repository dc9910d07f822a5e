"""The benchmark of scoring starts among the stacks of today, and compares two functions that do the same work."""

import pytest

from benchmarks.scoring import require_same_scores, run_function
from benchmarks.scoring_runs.naive import WARM_EVENTS
from benchmarks.scoring_runs.ours import BATCH, WARM_BATCHES
from benchmarks.scoring_runs.surroundings import surroundings

pytestmark = [pytest.mark.aws, pytest.mark.slow]


def test_both_functions_give_the_same_scores_and_their_calls_are_counted(tmp_path):
    events = WARM_EVENTS + 80  # the last of them after the first ratings

    with surroundings(tmp_path) as around:
        ours = run_function(around, "ours", 1, (WARM_BATCHES + 1) * BATCH, "test")
        naive = run_function(around, "naive", 1, events, "test", *around.pipelines)

    require_same_scores(ours, naive)
    assert len(set(naive.scores.values())) > events / 2  # most events, and each by values of its own
    assert ours.calls.keys() >= {"dynamodb.TransactWriteItems", "s3.PutObject"}  # those of the outbox, too
    assert 0 < ours.calls_per_event < 1 < naive.calls_per_event
