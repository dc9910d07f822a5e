from dataclasses import replace

import numpy as np
import pytest

from model_export.documents import parse_document, to_json
from model_export.errors import ModelRefusedError
from model_export.parity import Parity, flipped, read_parity, spread

GOOD = Parity(
    rows=10,
    edge_rows=5,
    rows_alone=7,
    max_abs_diff=1e-7,
    flipped=0,
    contributions_max_abs_diff=1e-6,
    contributions_max_relative_diff=1e-6,
)


def test_parity_within_its_limits_passes():
    GOOD.require("model")

    assert not GOOD.faults()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_abs_diff": 2e-6}, "max_abs_diff: found 2e-06, expected at most 1e-06"),
        ({"max_abs_diff": float("nan")}, "max_abs_diff: found nan"),
        ({"flipped": 1}, "flipped decisions: found 1, expected at most 0"),
        ({"contributions_max_relative_diff": 2e-5}, "contributions_max_relative_diff: found 2e-05"),
        ({"rows": 0}, "rows: found 0"),
    ],
)
def test_parity_beyond_a_limit_is_refused_with_the_figures(changes, message):
    with pytest.raises(ModelRefusedError, match=message):
        replace(GOOD, **changes).require("model")


def test_parity_survives_its_file():
    stored = to_json(GOOD.fields())

    assert read_parity(parse_document("parity.json", stored)) == GOOD


def test_spread_is_the_widest_distance_of_any_two_engines():
    answers = {"a": np.array([0.1, 0.5]), "b": np.array([0.1, 0.4]), "c": np.array([0.1, 0.7])}

    assert spread(answers) == pytest.approx(0.3)
    assert np.isnan(spread({**answers, "d": np.array([0.1, np.nan])}))


def test_row_is_flipped_when_one_engine_decides_otherwise():
    answers = {"a": np.array([0.44, 0.45, 0.9]), "b": np.array([0.44, 0.44999, 0.9])}

    assert flipped(answers, 0.45) == 1
