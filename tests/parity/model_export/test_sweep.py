"""A model that every engine computes alike may still be nonsense: the sweep refuses absurd scores."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model_export.artefact import Artefact, read_artefact
from model_export.conversion import convert_pipeline
from model_export.errors import ModelRefusedError
from model_export.export import export_model
from model_export.pipeline import build_pipeline
from model_export.session import open_session
from model_export.sweep import grid, sweep_model
from service_quality.features.expectations import LARGEST_CONTRIBUTION, LARGEST_STEP, expectation_of
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY
from tests.parity.model_export.artefacts import oracle_probability, rewrite_model, write_artefact, write_sample


@pytest.fixture(scope="module")
def artefact(tmp_path_factory) -> Artefact:
    return read_artefact(write_artefact(tmp_path_factory.mktemp("artefact"), rows=60).folder)


def with_slope(artefact: Artefact, feature: str, operation: str, slope: float, *, segment: int = 0) -> Artefact:
    """The artefact with another slope of one term, as steep as given per unit of its column, which is 0 usually."""
    model = artefact.model
    places = [at for at, term in enumerate(model.terms) if (term.feature, term.operation) == (feature, operation)]
    coefficients, scales = list(model.coefficients), list(model.scales)
    scales[places[segment]] = scales[places[segment]] or 1.0
    coefficients[places[segment]] = slope * scales[places[segment]]
    means = tuple(0.0 if at == places[segment] else mean for at, mean in enumerate(model.means))
    changed = replace(model, coefficients=tuple(coefficients), scales=tuple(scales), means=means)
    return replace(artefact, model=changed)


def with_range(artefact: Artefact, feature: str, low: float, high: float) -> Artefact:
    ranges = list(artefact.model.ranges)
    ranges[FEATURES.names.index(feature)] = (low, high)
    return replace(artefact, model=replace(artefact.model, ranges=tuple(ranges)))


def sweep(artefact: Artefact) -> dict:
    session = open_session(convert_pipeline(build_pipeline(artefact.model), artefact.model))
    return sweep_model(session, artefact.model, FEATURES.features, artefact.sample.vectors)


def test_model_within_its_declarations_passes(artefact):
    found = sweep(artefact)

    assert list(found) == list(FEATURES.names)
    assert max(one["contribution"] for one in found.values()) <= LARGEST_CONTRIBUTION
    assert found["waiting_ms"]["step"] > 0


@pytest.mark.parametrize(
    ("feature", "operation"),
    [
        ("waiting_ms", "log_ramp"),
        ("first_response_at_least_ms", "log_ramp"),
        ("longest_later_reply_ms", "log_ramp"),
        ("agent_dissatisfied_rate_30d", "logit"),
        ("supervisor_dissatisfied_rate_7d", "logit"),
        ("sku_returned_rate_90d", "logit"),
        ("agent_slow_rate_7d", "logit"),
        ("conversation_complaints", "value"),
        ("reopenings", "value"),
        ("customer_complaints_90d", "log"),
        ("agent_reply_ms_per_timed_replies_1d", "log"),
    ],
)
def test_model_against_a_declared_direction_is_refused_by_the_feature(artefact, feature, operation):
    bad = with_slope(with_range(artefact, feature, 0.0, DAY), feature, operation, -0.02)

    with pytest.raises(
        ModelRefusedError, match=rf"{feature}: found .* against its direction .* never lowers the score"
    ):
        sweep(bad)


def test_slope_of_a_segment_that_next_to_no_row_shows_is_refused(artefact):
    """The fault itself: −69 a log unit from five minutes of waiting on."""
    bad = with_slope(with_range(artefact, "waiting_ms", 0.0, 90 * DAY), "waiting_ms", "log_ramp", -69.0, segment=1)

    with pytest.raises(ModelRefusedError) as refusal:
        sweep(bad)

    assert "waiting_ms: found 159 log-odds against its direction" in str(refusal.value)
    assert "waiting_ms: found a leap of 44.5 log-odds" in str(refusal.value)
    assert "expected at most 4" in str(refusal.value)


def test_price_that_leaps_is_refused_though_it_has_no_direction(artefact):
    bad = with_slope(with_range(artefact, "price_minor", 100, 150_000), "price_minor", "log_ramp", 5.6, segment=1)

    with pytest.raises(ModelRefusedError, match=r"price_minor: found a leap of 1\.\d+ .*, expected steps of at most 1"):
        sweep(bad)


def test_feature_that_shouts_is_refused_though_it_does_not_leap(artefact):
    bad = with_slope(with_range(artefact, "customer_orders_90d", 0, 1000), "customer_orders_90d", "log", 1.2)

    with pytest.raises(ModelRefusedError, match=r"^[^;]*customer_orders_90d: found a contribution of [^;]* at most 4$"):
        sweep(bad)


def test_missing_that_shouts_is_refused(artefact):
    bad = with_slope(artefact, "waiting_ms", "missing", -30.0)

    with pytest.raises(ModelRefusedError, match=r"waiting_ms: found a contribution of .* at missing"):
        sweep(bad)


def test_model_that_gives_no_number_is_refused(artefact):
    model = artefact.model
    bad = replace(artefact, model=replace(model, coefficients=(float("nan"), *model.coefficients[1:])))

    with pytest.raises(ModelRefusedError, match=r"found nan log-odds"):
        sweep(bad)


def test_steep_slope_beyond_the_learnt_range_is_never_reached(artefact):
    """The clamp in the graph: values above a day were not learnt, and are not swept."""
    bad = with_range(artefact, "waiting_ms", 0.0, 60_000)

    found = sweep(with_slope(bad, "waiting_ms", "log_ramp", 69.0, segment=2))

    assert found["waiting_ms"]["contribution"] <= LARGEST_CONTRIBUTION


def test_export_refuses_and_leaves_nothing(tmp_path):
    made = write_artefact(tmp_path / "in", rows=40)
    place = next(at for at, term in enumerate(made.document["terms"]) if term["feature"] == "waiting_ms")
    coefficients = list(made.document["coefficients"])
    coefficients[place] = -0.2
    rewrite_model(made.folder, coefficients=coefficients)
    document = json.loads((made.folder / "model.json").read_text("utf-8"))
    write_sample(made.folder, made.vectors, [oracle_probability(document, row) for row in made.vectors.tolist()])

    with pytest.raises(ModelRefusedError, match="refused by the sweep of its features: waiting_ms: found"):
        export_model(made.folder, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_every_feature_is_swept_over_all_that_it_may_be():
    ends = {
        feature.name: (grid(expectation_of(feature))[0], grid(expectation_of(feature))[-1])
        for feature in FEATURES.features
    }

    assert ends["waiting_ms"] == (0, 90 * DAY)
    assert ends["price_minor"] == (0, 1e9)
    assert ends["agent_dissatisfied_rate_30d"] == (0, 1)
    assert ends["opened_hour"] == (0, 23)
    assert ends["conversation_complaints"][1] >= 20
    assert ends["agent_contacts_1h"][1] >= 500


@pytest.mark.parametrize("feature", FEATURES.features, ids=FEATURES.names)
def test_steps_of_a_sweep_are_no_longer_than_a_doubling_a_fiftieth_or_one(feature):
    expected = expectation_of(feature)

    values = grid(expected)

    steps = np.diff(np.log1p(values)) / np.log(2) if expected.scale == "log" else np.diff(values)
    assert (steps > 0).all()
    assert steps.max() <= (1 if expected.scale == "log" or expected.highest > 1 else 0.02) + 1e-12
    assert 0 < LARGEST_STEP <= expected.largest_step <= LARGEST_CONTRIBUTION
