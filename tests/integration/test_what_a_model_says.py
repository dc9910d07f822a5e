"""The scores of a synthetic world's model as people read them: of new shops, of customers who wait, of prices."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from model_export.artefact import read_artefact
from model_export.export import export_model
from model_export.session import Session, open_session
from service_quality.alerts.shipped_rules import decision_threshold
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from spark_jobs.generate_shop import to_batches
from spark_jobs.logs.shop_log import order_by_time
from spark_jobs.reader.served_features import compute_served_features
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark

OPENING_DAY = parse_instant("2025-06-02T09:00:00Z")
WAITING, PRICE = FEATURES.names.index("waiting_ms"), FEATURES.names.index("price_minor")
BASE_RATE = (0.02, 0.4)


@pytest.fixture(scope="module")
def session(learned, tmp_path_factory) -> Session:
    exported = export_model(learned.artefact, tmp_path_factory.mktemp("model"))
    return open_session(exported.path("model.onnx").read_bytes())


@pytest.fixture(scope="module")
def sample(learned) -> NDArray[np.float32]:
    """Vectors of the training set, a few hundred of all kinds."""
    vectors: NDArray[np.float32] = read_artefact(learned.artefact).sample.vectors
    return vectors[:: max(1, len(vectors) // 300)]


def ordinary_contact(number: int, at: int, *, agent: str, category: str) -> list[InteractionEvent]:
    """Opened, assigned, asked, answered within a minute, asked once more, answered, resolved."""
    who = {"agent_id": agent, "supervisor_id": "s", "manager_id": "m"}
    about = {"category": category, "subcategory": f"{category}-1", "channel": "chat", "amount_minor": 4_900}
    events: list[tuple[str, int, dict]] = [
        ("conversation_opened", 0, {**about, "currency": "GBP"}),
        ("assigned", 5 * SECOND, who),
        ("customer_message", 10 * SECOND, {}),
        ("agent_message", 70 * SECOND, who),
        ("customer_message", 100 * SECOND, {}),
        ("agent_message", 140 * SECOND, who),
        ("resolved", 4 * MINUTE, who),
    ]
    return [
        InteractionEvent(
            event_id=f"{number}-{turn}",
            shop_id="brand-new",
            kind=kind,
            occurred_at=at + later,
            received_at=at + later,
            conversation_id=f"c-{number}",
            customer_id=f"customer-{number}",
            **values,
        )
        for turn, (kind, later, values) in enumerate(events)
    ]


def scores_of(session: Session, events: list[InteractionEvent], folder) -> NDArray[np.float32]:
    """The scores of a shop's first events, its vectors computed as they would be served."""
    spark = start_session("test", str(folder / "lake"))
    table = pa.Table.from_batches(list(to_batches(iter(events), "test")))
    log = order_by_time(spark.createDataFrame(table).select(*FIELDS))
    served = compute_served_features(log, FEATURES).orderBy("log_index").select("features").toPandas()
    vectors = np.array(served["features"].tolist(), dtype=np.float32)
    return session.probabilities(vectors)


def test_first_contacts_of_a_new_shop_raise_no_alert_out_of_ignorance(session, tmp_path):
    days = [(number, OPENING_DAY + number * 3 * HOUR) for number in range(10)]
    events = [
        event
        for number, at in days
        for event in ordinary_contact(number, at, agent=f"agent-{number % 2}", category=f"category-{number % 3}")
    ]

    found = scores_of(session, events, tmp_path)

    assert len(found) == len(events)
    assert found.max() < decision_threshold()
    assert BASE_RATE[0] < found[0] < BASE_RATE[1]
    assert np.abs(np.diff(found)).max() < 0.3


def test_score_of_a_waiting_customer_never_falls_as_waiting_grows(session, sample):
    waits = np.r_[0, 1, SECOND, np.arange(1, 60) * MINUTE, np.arange(1, 25) * HOUR, np.arange(2, 90) * DAY]

    odds = swept(session, sample, WAITING, waits)

    assert np.diff(odds, axis=1).min() >= -1e-5
    assert np.abs(np.diff(odds, axis=1)).max() < 1


def test_waiting_for_a_day_alarms_more_than_waiting_for_a_minute(session, sample):
    odds = swept(session, sample, WAITING, np.array([MINUTE, DAY]))

    assert (odds[:, 1] - odds[:, 0]).min() > 0.1


def test_price_has_no_leap(session, sample):
    prices = np.unique(np.round(np.exp(np.linspace(np.log(100), np.log(1e9), 400))))

    odds = swept(session, sample, PRICE, prices)

    assert np.abs(np.diff(odds, axis=1)).max() < 0.1
    assert np.ptp(odds, axis=1).max() < 2


def swept(session: Session, rows: NDArray[np.float32], at: int, values: NDArray) -> NDArray[np.float64]:
    """Log-odds, rows × values, up to the intercept, while one feature takes each of the values."""
    moved = np.repeat(rows, len(values), axis=0)
    moved[:, at] = np.tile(values, len(rows)).astype(np.float32)
    return session.contributions(moved).astype(np.float64).sum(axis=1).reshape(len(rows), -1)
