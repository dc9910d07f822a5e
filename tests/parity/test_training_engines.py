"""MLlib's training and scikit-learn's come to the same log loss on the same rows."""

import pytest

from benchmarks.training import MLLIB, SCIKIT_LEARN, run_engine
from benchmarks.training_runs.synthetic_rows import write_rows


@pytest.mark.spark
@pytest.mark.slow
def test_log_losses_are_equal_to_four_digits(tmp_path):
    write_rows(tmp_path / "rows.parquet", rows=20_000)

    ours, theirs = (run_engine(engine, tmp_path / "rows.parquet").printed for engine in (MLLIB, SCIKIT_LEARN))

    assert ours["log_loss"] == pytest.approx(theirs["log_loss"], abs=5e-5)
    assert 0.3 < ours["log_loss"] < 0.6
