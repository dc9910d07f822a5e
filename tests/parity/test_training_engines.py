"""MLlib's training and scikit-learn's come to the same log loss on the same rows."""

import pytest

from benchmarks.training import measure


@pytest.mark.spark
@pytest.mark.slow
def test_log_losses_are_equal_to_four_digits():
    section = measure(1, print, thousands=2)

    assert abs(section.figures["log_loss_difference"]) < 5e-5
    losses = [row.median for row in section.rows if row.what.endswith(", log loss")]
    assert len(losses) == 4
    assert all(0.3 < loss < 0.6 for loss in losses)
