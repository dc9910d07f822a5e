"""Customers at cutoffs: who may leave, and whether they did. Instants in epoch milliseconds.

A customer is asked about at a cutoff T with an order in [T − 90 d, T); the label is 1 without an order in
[T, T + 90 d). An order that was cancelled counts as one.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from service_quality.instants import DAY
from service_quality.tasks.declared_tasks import CHURN_HORIZON, CHURN_POPULATION
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop, knowing_all
from spark_jobs.logs.shop_log import event_columns, order_by_time, without_words
from spark_jobs.reader.cutoff_features import compute_at_cutoffs

#: Days after a shop's first order that make no rows: by then everybody who may leave is known.
CUSTOMER_WARM_UP_DAYS = CHURN_POPULATION // DAY
CUTOFF_EVERY = 7 * DAY
#: A customer who orders once is in so many rows; together they weigh one.
ROW_WEIGHT = CUTOFF_EVERY / CHURN_POPULATION

_FIRST_MONDAY = 4 * DAY  # 1970-01-05


def weekly_cutoffs(first: int, last: int) -> range:
    """The beginnings of the UTC weeks, on Mondays, from an instant to another, both included.

    >>> [cutoff // DAY for cutoff in weekly_cutoffs(4 * DAY + 1, 18 * DAY)]
    [11, 18]
    """
    begin = first + (_FIRST_MONDAY - first) % CUTOFF_EVERY
    return range(begin, last + 1, CUTOFF_EVERY)


def one_cutoff(at: int) -> range:
    """A single cutoff."""
    return range(at, at + 1)


def orders_of(events: DataFrame) -> DataFrame:
    """The instants of each customer's orders: shop_id, customer_id, orders; events are those of the lake."""
    placed = events.where("kind = 'order_placed' and customer_id is not null")
    return placed.groupBy("shop_id", "customer_id").agg(F.collect_set(F.unix_millis("occurred_at")).alias("orders"))


def population(orders: DataFrame, cutoffs: range) -> DataFrame:
    """Who is asked about at each cutoff: the columns of `orders_of` and `cutoff`."""
    instants = F.sequence(F.lit(cutoffs[0]), F.lit(cutoffs[-1]), F.lit(cutoffs.step))
    present = F.filter(instants, lambda at: _ordered(at - CHURN_POPULATION, at))
    return orders.withColumn("cutoff", F.explode(present))


def closed_cutoffs(orders: DataFrame, *, as_of: int, warm_up_days: int) -> DataFrame:
    """The population of the weekly cutoffs whose label had closed by an instant, with `label`.

    A shop's cutoffs begin with the end of its warm-up and end where its orders reach 90 days further: later it is not
    known who ordered. Empty where there is no such cutoff.
    """
    of_shop = orders.groupBy("shop_id").agg(
        F.min(F.array_min("orders")).alias("first"), F.max(F.array_max("orders")).alias("last")
    )
    ends = of_shop.agg(F.min("first").alias("first"), F.max("last").alias("last")).collect()[0]
    cutoffs = range(0)
    if ends["first"] is not None:
        cutoffs = weekly_cutoffs(ends["first"] + warm_up_days * DAY, min(ends["last"], as_of) - CHURN_HORIZON)
    if not cutoffs:
        return _labelled(orders.withColumn("cutoff", F.lit(0)).limit(0))
    lived = F.col("cutoff").between(F.col("first") + warm_up_days * DAY, F.col("last") - CHURN_HORIZON)
    return _labelled(population(orders, cutoffs).join(F.broadcast(of_shop), "shop_id").where(lived))


def with_features(
    asked: DataFrame, events: DataFrame, features: FeatureSet, policies: PoliciesByShop = NO_POLICIES
) -> DataFrame:
    """Customers at cutoffs with their features, as of the lake's events before each cutoff in order of time."""
    asked = asked.persist()
    ends = asked.agg(F.min("cutoff").alias("first"), F.max("cutoff").alias("last")).collect()[0]
    if ends["first"] is None:
        return asked.withColumn("features", F.array().cast("array<float>"))
    step = CUTOFF_EVERY if ends["last"] > ends["first"] else 1
    ordered = knowing_all(order_by_time(without_words(events.select(*event_columns()))), policies)
    return compute_at_cutoffs(ordered, asked, range(ends["first"], ends["last"] + 1, step), features, policies)


def as_training_rows(featured: DataFrame) -> DataFrame:
    """Labelled customers with their features as rows of a training set (tables.CUSTOMER_SET_SCHEMA)."""
    at, weight = F.timestamp_millis("cutoff").alias("occurred_at"), F.lit(ROW_WEIGHT).alias("weight")
    return featured.select("shop_id", "customer_id", at, "features", "label", weight)


def _labelled(rows: DataFrame) -> DataFrame:
    gone = ~_ordered(F.col("cutoff"), F.col("cutoff") + CHURN_HORIZON)
    return rows.select("shop_id", "customer_id", "cutoff", gone.cast("int").alias("label"))


def _ordered(first: Column, end: Column) -> Column:
    """Whether the customer has an order from one instant on and before another."""
    return F.exists("orders", lambda at: (at >= first) & (at < end))
