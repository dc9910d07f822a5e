"""Models that are compared forward in time are fitted only on labels that had closed by then."""

import pytest

from service_quality.instants import DAY
from spark_jobs.errors import InputError
from spark_jobs.learning.model_selection import closed_by, require_both_labels, time_cuts
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark


@pytest.fixture
def rows(tmp_path):
    spark = start_session("test", str(tmp_path))
    return spark.createDataFrame([(day * DAY, float(day % 2)) for day in range(200)], "at bigint, label double")


def test_label_that_closes_behind_the_cut_is_not_fitted(rows):
    found = [row["at"] // DAY for row in closed_by(rows, 100 * DAY, 90 * DAY).collect()]

    assert sorted(found) == list(range(10))


def test_label_of_an_event_is_fitted_up_to_the_cut(rows):
    assert closed_by(rows, 100 * DAY, 0).count() == 100


def test_too_few_closed_labels_are_refused(rows):
    cuts = time_cuts(rows, (0.4, 0.9))
    require_both_labels(rows, cuts, 0)

    with pytest.raises(InputError, match="found 0 rows of label 0 and 0 of label 1 before 1969"):
        require_both_labels(rows, cuts, 90 * DAY)
