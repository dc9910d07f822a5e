"""The fit on small training sets made for one question each: what too few rows show has no say, directions hold."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from scipy.optimize import minimize  # type: ignore[import-untyped]

from service_quality.features.basis import basis_of
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.tasks.declared_tasks import DISSATISFACTION
from spark_jobs.learning.basis_columns import basis_columns
from spark_jobs.learning.learnt_ranges import Learnt, learn_ranges
from spark_jobs.learning.linear_training import fit_linear, scaled_rows
from spark_jobs.learning.term_scaling import Bounds, Scaling, coefficient_bounds, fit_scaling
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark

TERMS = basis_of(FEATURES)
WAITING, PRICE, AGENT, SUPERVISOR = (
    FEATURES.names.index(name)
    for name in (
        "waiting_ms",
        "price_minor",
        "agent_dissatisfied_rate_30d",
        "supervisor_dissatisfied_rate_30d",
    )
)
NAN = float("nan")
L2 = 0.0006


class Taught:
    """The model learned from vectors and labels, each row of weight 1 unless given."""

    def __init__(self, folder, vectors: NDArray[np.float32], labels, weights=None) -> None:
        self.vectors, self.labels = vectors, np.asarray(labels, dtype=np.float64)
        self.weights = np.ones(len(vectors)) if weights is None else np.asarray(weights)
        rows = self._rows(folder)
        self.learnt: Learnt = learn_ranges(rows, FEATURES)
        self.scaling: Scaling = fit_scaling(rows, FEATURES, TERMS, self.learnt)
        self.bounds: Bounds = coefficient_bounds(DISSATISFACTION, TERMS, self.scaling)
        scaled = scaled_rows(rows, FEATURES, TERMS, self.learnt.ranges, self.scaling)
        model = fit_linear(scaled, L2, self.bounds)
        self.coefficients = model.coefficients.toArray()
        self.intercept = float(model.intercept)

    def log_odds(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        columns = basis_columns(vectors, FEATURES.names, TERMS, self.learnt.ranges)
        found: NDArray[np.float64] = self.scaling.standardise(columns) @ self.coefficients + self.intercept
        return found

    def of(self, feature: str) -> dict[str, float]:
        """Coefficients of a feature's terms that were not left out, by operation and knot."""
        found = zip(TERMS, self.scaling.scales, self.coefficients, strict=True)
        return {
            f"{term.operation} {term.knot:g}": value
            for term, scale, value in found
            if term.feature == feature and scale
        }

    def _rows(self, folder) -> DataFrame:
        numbers = range(len(self.vectors))
        columns = {
            "shop_id": ["shop"] * len(numbers),
            "unit_id": [str(number) for number in numbers],
            "at": list(numbers),
            "label": self.labels,
            "weight": self.weights,
            "features": list(self.vectors),
        }
        table = pa.table(columns)
        pq.write_table(table, folder / "rows.parquet")
        return start_session("test", str(folder / "lake")).read.parquet(str(folder / "rows.parquet")).cache()


def usual(rows: int, seed: int = 1) -> NDArray[np.float32]:
    """Rows in which nothing happens but ordinary rates."""
    random = np.random.default_rng(seed)
    vectors = np.zeros((rows, len(FEATURES.names)), dtype=np.float32)
    vectors[:, WAITING] = NAN
    for at, name in enumerate(FEATURES.names):
        if "_rate_" in name:
            vectors[:, at] = random.beta(4, 16, rows)
    return vectors


def drawn(log_odds: NDArray[np.float64], seed: int = 2) -> NDArray[np.float64]:
    return (np.random.default_rng(seed).random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)


def sweep(taught: Taught, feature: int, values) -> NDArray[np.float64]:
    vectors = np.repeat(usual(1), len(values), axis=0)
    vectors[:, feature] = values
    return taught.log_odds(vectors)


def test_waits_that_next_to_no_row_shows_have_no_say(tmp_path):
    """The fault itself: a few waits beyond five minutes, all of them satisfied, once gave a slope of −69."""
    vectors = usual(3000)
    vectors[:600, WAITING] = np.random.default_rng(3).uniform(0, 4 * MINUTE, 600)
    vectors[:4, WAITING] = 5.03 * MINUTE
    labels = drawn(np.full(3000, -1.4))
    labels[:4] = 0

    taught = Taught(tmp_path, vectors, labels)

    assert set(taught.of("waiting_ms")) <= {"log_ramp 0", "missing 0"}
    _, high = taught.learnt.ranges[WAITING] or (NAN, NAN)
    assert high <= 4 * MINUTE
    waits = sweep(taught, WAITING, [0, MINUTE, 4 * MINUTE, 6 * MINUTE, HOUR, DAY, 90 * DAY])
    assert (np.diff(waits) >= 0).all()
    assert waits[-1] == waits[2]


def test_support_is_counted_in_weight_with_and_without_the_term(tmp_path):
    vectors = usual(2000)
    vectors[:120, WAITING] = 2 * HOUR
    vectors[120:400, WAITING] = MINUTE
    weights = np.full(2000, 1.0)
    weights[:120] = 0.05

    taught = Taught(tmp_path, vectors, drawn(np.full(2000, -1.0)), weights)

    place = [term.feature for term in TERMS].index("waiting_ms")
    assert taught.scaling.active[place + 1] == pytest.approx(6)
    assert taught.scaling.inactive[place + 1] == pytest.approx(280)
    assert taught.learnt.known[WAITING] == pytest.approx(286)
    assert taught.learnt.total == pytest.approx(1886)
    assert set(taught.of("waiting_ms")) == {"missing 0"}


def test_missing_that_was_never_learnt_moves_nothing(tmp_path):
    vectors = usual(2000)
    vectors[:, PRICE] = np.random.default_rng(5).lognormal(11, 1, 2000)
    vectors[:6, PRICE] = NAN

    taught = Taught(tmp_path, vectors, drawn(-1.4 + 0.5 * (np.log(np.nan_to_num(vectors[:, PRICE], nan=6e4)) - 11)))

    assert "missing 0" not in taught.of("price_minor")
    prices = sweep(taught, PRICE, [NAN, *np.exp(np.linspace(8, 14, 100))])
    assert np.ptp(prices[1:]) > 1
    assert prices[1:].min() < prices[0] < prices[1:].max()


def test_longer_wait_never_calms_though_the_labels_say_so(tmp_path):
    vectors = usual(4000)
    waits = np.exp(np.random.default_rng(6).uniform(7, 20, 2000))
    vectors[:2000, WAITING] = waits
    log_odds = np.full(4000, -1.0)
    log_odds[:2000] = np.where(waits > HOUR, -3.0, -0.5)

    taught = Taught(tmp_path, vectors, drawn(log_odds))

    assert (np.diff(sweep(taught, WAITING, [0, *np.exp(np.linspace(0, 23, 200))])) >= -1e-12).all()


def test_wait_that_matters_is_learnt(tmp_path):
    vectors = usual(4000)
    waits = np.exp(np.random.default_rng(7).uniform(7, 19, 2000))
    vectors[:2000, WAITING] = waits
    log_odds = np.full(4000, -1.5)
    log_odds[:2000] = -1.5 + 0.4 * np.maximum(0, np.log(waits / (10 * MINUTE)))

    taught = Taught(tmp_path, vectors, drawn(log_odds))

    short, long = sweep(taught, WAITING, [5 * MINUTE, DAY])
    assert long - short == pytest.approx(0.4 * np.log(DAY / (10 * MINUTE)), abs=0.5)


def test_worse_rate_never_calms_though_another_rate_holds_it_already(tmp_path):
    vectors = usual(4000)
    rate = vectors[:, AGENT].astype(np.float64)
    vectors[:, SUPERVISOR] = rate + np.random.default_rng(8).normal(0, 0.02, 4000)
    vectors[:, SUPERVISOR] = np.clip(vectors[:, SUPERVISOR], 0.01, 0.99)
    logit = np.log(vectors[:, SUPERVISOR] / (1 - vectors[:, SUPERVISOR]))

    taught = Taught(tmp_path, vectors, drawn(2.0 * np.log(rate / (1 - rate)) - 1.0 * logit))

    (agent,), (supervisor,) = (taught.of(FEATURES.names[place]).values() for place in (AGENT, SUPERVISOR))
    assert agent > 0.1
    assert supervisor == 0


def test_mllib_finds_the_bounded_optimum_that_another_solver_finds(tmp_path):
    vectors = usual(3000)
    vectors[:1500, WAITING] = np.exp(np.random.default_rng(9).uniform(7, 19, 1500))
    vectors[:, PRICE] = np.random.default_rng(10).lognormal(11, 1, 3000)
    known = np.nan_to_num(np.log1p(vectors[:, WAITING]), nan=10)

    taught = Taught(tmp_path, vectors, drawn(-2 + 0.1 * known - 0.5 * vectors[:, AGENT]), np.linspace(0.2, 1, 3000))

    columns = basis_columns(vectors, FEATURES.names, TERMS, taught.learnt.ranges)
    basis, labels, weights = taught.scaling.standardise(columns), taught.labels, taught.weights

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = basis @ point[:-1] + point[-1]
        off = weights * (1 / (1 + np.exp(-odds)) - labels) / weights.sum()
        mean = float((weights * (np.logaddexp(0, odds) - labels * odds)).sum() / weights.sum())
        gradient = np.append(basis.T @ off + L2 * point[:-1], off.sum())
        return mean + L2 / 2 * float(point[:-1] @ point[:-1]), gradient

    bounds = [*zip(taught.bounds.lowest, taught.bounds.highest, strict=True), (-np.inf, np.inf)]
    best = minimize(loss, np.zeros(len(TERMS) + 1), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14})
    found, _ = loss(np.append(taught.coefficients, taught.intercept))
    assert found == pytest.approx(best.fun, abs=2e-6)
