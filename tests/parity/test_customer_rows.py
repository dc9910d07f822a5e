"""Customers at cutoffs: who is asked about, who left, and the features that would have been served there."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from service_quality.events.interaction_event import FIELDS, InteractionEvent, log_order
from service_quality.events.parsing import parse_event
from service_quality.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, with_timestamps
from spark_jobs.learning.customer_rows import (
    as_training_rows,
    closed_cutoffs,
    one_cutoff,
    orders_of,
    population,
    weekly_cutoffs,
    with_features,
)
from spark_jobs.reader import served_features
from spark_jobs.session.start import start_session
from tests.oracle.feature_values import FeatureValues
from tests.oracle.story import Instant, Story
from tests.properties.naive_reader import NaiveReader

pytestmark = pytest.mark.spark

MONDAY = parse_instant("2025-03-03T00:00:00Z")
ORDERS, LAST_ORDER, FIRST_ORDER, DAYS = (
    CHURN.features.names.index(f"customer_{name}")
    for name in ("orders_90d", "time_since_orders_365d", "time_since_first_orders_365d", "order_days_365d")
)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def event(
    number: int, kind: str, at: int, customer: str | None, shop: str = "shop", **more: object
) -> InteractionEvent:
    form = {
        "event_id": f"e{number}", "shop_id": shop, "kind": kind, "occurred_at": format_instant(at),
        "customer_id": customer, **more,
    }  # fmt: skip
    return parse_event({name: value for name, value in form.items() if value is not None}, arrived_at=at)


def orders(*placed: tuple[str, int], shop: str = "shop") -> list[InteractionEvent]:
    return [event(number, "order_placed", at, customer, shop) for number, (customer, at) in enumerate(placed)]


def lake_of(spark: SparkSession, events: Iterable[InteractionEvent]) -> DataFrame:
    nothing: dict[str, Any] = dict.fromkeys(EVENTS_IN_MILLIS.fieldNames())
    rows = [Row(**nothing | {name: getattr(one, name) for name in FIELDS} | {"source": "test"}) for one in events]
    return with_timestamps(spark.createDataFrame(rows, EVENTS_IN_MILLIS))


def labels(spark: SparkSession, events: Iterable[InteractionEvent], *, as_of: int, warm_up_days: int = 0) -> dict:
    found = closed_cutoffs(orders_of(lake_of(spark, events)), as_of=as_of, warm_up_days=warm_up_days).collect()
    return {(row["customer_id"], (row["cutoff"] - MONDAY) / (7 * DAY)): row["label"] for row in found}


def test_weeks_begin_on_mondays():
    assert [*weekly_cutoffs(MONDAY, MONDAY)] == [MONDAY]
    assert [*weekly_cutoffs(MONDAY + 1, MONDAY + 15 * DAY)] == [MONDAY + 7 * DAY, MONDAY + 14 * DAY]
    assert not weekly_cutoffs(MONDAY + 1, MONDAY + 2)


def test_customer_is_asked_about_for_90_days_behind_an_order_and_has_left_without_another_in_90(spark):
    placed = orders(
        ("opens", MONDAY - 100 * DAY), ("once", MONDAY - 90 * DAY), ("late", MONDAY - 90 * DAY - 1),
        ("back", MONDAY - DAY), ("back", MONDAY + 90 * DAY - 1), ("gone", MONDAY - DAY), ("gone", MONDAY + 90 * DAY),
        ("now", MONDAY),
    )  # fmt: skip

    found = labels(spark, placed, as_of=MONDAY + 97 * DAY - 1, warm_up_days=100)

    assert found == {("once", 0): 1, ("back", 0): 0, ("gone", 0): 1}


def test_order_at_the_cutoff_is_ahead_of_it(spark):
    placed = orders(("a", MONDAY - DAY), ("a", MONDAY), ("b", MONDAY), ("b", MONDAY + 100 * DAY))

    assert labels(spark, placed, as_of=MONDAY + 90 * DAY) == {("a", 0): 0}


def test_cancelled_order_counts_as_an_order(spark):
    placed = orders(("a", MONDAY - DAY), ("a", MONDAY + DAY), ("b", MONDAY + 90 * DAY))
    cancelled = event(9, "order_cancelled", MONDAY + 2 * DAY, "a")

    assert labels(spark, [*placed, cancelled], as_of=MONDAY + 90 * DAY) == {("a", 0): 0}


@pytest.mark.parametrize(
    ("as_of", "last", "weeks"),
    [(90 * DAY, 200 * DAY, 1), (97 * DAY, 200 * DAY, 2), (97 * DAY - 1, 200 * DAY, 1), (200 * DAY, 97 * DAY, 2)],
    ids=["closes at as_of", "a week later", "not yet", "no order is known later"],
)
def test_cutoffs_end_where_labels_are_known(spark, as_of, last, weeks):
    placed = orders(("a", MONDAY - DAY), ("b", MONDAY + last))

    found = labels(spark, placed, as_of=MONDAY + as_of)

    assert sorted(week for customer, week in found if customer == "a") == list(range(weeks))


def test_each_shop_has_its_own_span_and_warm_up(spark):
    early = orders(("a", MONDAY - 30 * DAY), ("a", MONDAY + 90 * DAY), shop="early")
    late = orders(("a", MONDAY - DAY), ("a", MONDAY + 200 * DAY), shop="late")

    asked = closed_cutoffs(orders_of(lake_of(spark, early + late)), as_of=MONDAY + 97 * DAY, warm_up_days=8)

    found = {(row["shop_id"], (row["cutoff"] - MONDAY) // DAY) for row in asked.collect()}
    assert found == {("early", day) for day in (-21, -14, -7, 0)} | {("late", 7)}


def test_shop_without_a_closed_label_has_no_rows(spark):
    assert labels(spark, orders(("a", MONDAY)), as_of=MONDAY + 10 * DAY) == {}
    assert labels(spark, [event(1, "page_viewed", MONDAY, "a")], as_of=MONDAY + 200 * DAY) == {}


def test_features_at_a_cutoff_are_of_the_events_before_it_and_windows_end_there(spark):
    placed = orders(
        ("a", MONDAY - 91 * DAY - 1),  # in a tile that has left the 90 days
        ("a", MONDAY - 90 * DAY), ("a", MONDAY - DAY), ("a", MONDAY - DAY + HOUR), ("a", MONDAY),
        ("b", MONDAY - 2 * DAY),
    )  # fmt: skip
    events = lake_of(spark, placed)
    asked = population(orders_of(events), one_cutoff(MONDAY)).drop("orders")

    found = {row["customer_id"]: row["features"] for row in with_features(asked, events, CHURN.features).collect()}

    week = 7 * DAY
    last, first = ((MONDAY - days * DAY) // week * week for days in (1, 92))
    assert [found["a"][place] for place in (ORDERS, DAYS)] == [3, 3]
    assert found["a"][LAST_ORDER] == np.float32(MONDAY - last)
    assert found["a"][FIRST_ORDER] == np.float32(MONDAY - first)
    assert [found["b"][place] for place in (ORDERS, DAYS)] == [1, 1]


KINDS = ("order_placed", "order_placed", "order_cancelled", "order_returned", "page_viewed", "contact")


def random_events(seed: int) -> Iterator[InteractionEvent]:
    """Orders, what is taken back of them, contacts with complaints and ratings, some on a cutoff to the millisecond."""
    random = Random(seed)
    for number in range(180):
        at = MONDAY - random.choice([random.randrange(460 * DAY), 7 * DAY * random.randrange(60), DAY * number])
        customer, shop = random.choice("abcd"), random.choice(["shop", "other"])
        kind, more = random.choice(KINDS), {"sku": f"s{random.randrange(9)}", "quantity": random.randrange(1, 9)}
        if kind != "contact":
            yield event(number, kind, at, customer, shop, **more if kind.startswith("order") else {})
            continue
        contact = {"conversation_id": f"c{number}"}
        yield event(number, "customer_message", at, customer, shop, **contact)
        yield event(number + 1_000, "agent_message", at + MINUTE, customer, shop, **contact, agent_id="ann")
        if random.random() < 0.6:
            yield event(number + 2_000, "complaint_filed", at + HOUR, customer, shop, **contact)
        if random.random() < 0.6:
            yield event(number + 3_000, "rated", at + 9 * DAY, customer, shop, **contact, rating=random.randrange(1, 6))


@dataclass(frozen=True)
class OfCustomer(FeatureValues):
    """The naive reading of a customer's features, at an instant that no event tells."""

    customer: str = ""

    @property
    def _attributes(self) -> dict[str, str | None]:  # type: ignore[override]  # of the story otherwise
        return {"customer_id": self.customer}


def naive_vector(events: Iterable[InteractionEvent], customer: str, cutoff: int) -> bytes:
    reader = NaiveReader(CHURN.features, scores=False)
    before = sorted((one for one in events if one.occurred_at < cutoff), key=log_order)
    reader.read(("", one) for one in before)
    reader.clock = cutoff
    reading = OfCustomer(reader, Instant(cutoff), Story(()), customer=customer)
    values = [reading.value(feature) for feature in CHURN.features.features]
    return struct.pack(f"<{len(values)}f", *(float("nan") if value is None else value for value in values))


@pytest.mark.parametrize("parts", [1, 3], ids=["a shop in one part", "in several"])
def test_features_at_cutoffs_equal_the_naive_reading_bit_for_bit(spark, parts, monkeypatch):
    monkeypatch.setattr(served_features, "FEWEST_EVENTS_A_PART", 50_000 if parts == 1 else 60)
    events = sorted(random_events(seed=parts), key=log_order)
    lake = lake_of(spark, events)
    asked = population(orders_of(lake), weekly_cutoffs(MONDAY - 50 * 7 * DAY, MONDAY)).drop("orders")

    found = with_features(asked, lake, CHURN.features).collect()

    assert len(found) == asked.count() > 200
    by_shop = {shop: [one for one in events if one.shop_id == shop] for shop in ("shop", "other")}
    for row in found:
        expected = naive_vector(by_shop[row["shop_id"]], row["customer_id"], row["cutoff"])
        vector = np.array(row["features"], dtype="<f4").tobytes()
        assert vector == expected, (row["shop_id"], row["customer_id"], row["cutoff"])


def test_rows_are_those_of_a_training_set(spark):
    lake = lake_of(spark, orders(("a", MONDAY - DAY), ("a", MONDAY + 90 * DAY)))
    asked = closed_cutoffs(orders_of(lake), as_of=MONDAY + 90 * DAY, warm_up_days=0)

    (row,) = as_training_rows(with_features(asked, lake, CHURN.features)).collect()

    assert (row["shop_id"], row["customer_id"], row["label"], row["weight"]) == ("shop", "a", 1, 7 / 90)
    assert row["features"][ORDERS] == 1
