"""The items of shops' next imports: the changes of their new events to histories and conversations."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.conversations.conversation import CONVERSATION_RETENTION
from service_quality.features.declarations import FeatureSet
from spark_jobs.backfill.history_items import build_history_items
from spark_jobs.backfill.known_past import KnownPast
from spark_jobs.logs.folding import fold_last_import
from spark_jobs.logs.import_rows import import_rows, with_imports

_KEY = ["shop_id", "fold_key"]


def fold_new(located: DataFrame, past: KnownPast, features: FeatureSet) -> DataFrame:
    """The changes of new events (known_past.locate_new; folding.IMPORT_SCHEMA), and the clocks after the import record.

    Only the conversations of the new events, present and former, are folded again from the log.
    """
    log = past.log.where("import_id is null")
    rows = import_rows(log, past.imported.select(*located.columns).unionByName(located)).cache()
    last = located.groupBy("shop_id").agg(
        F.max("number").alias("number"), F.max("occurred_at").alias("own"), F.max("received_until").alias("received")
    )
    affected = rows.join(F.broadcast(last.select("shop_id", "number")), ["shop_id", "number"]).select(*_KEY)
    known = with_imports(log, rows).join(affected.distinct(), _KEY, "left_semi")
    folded = fold_last_import(known, features, past.settings.policies, past.settings.stages)
    ends = past.log.groupBy("shop_id").agg(F.max("clock").alias("ended"))
    clocks = last.join(F.broadcast(ends), "shop_id", "left").select(
        "shop_id",
        F.greatest("own", F.coalesce("ended", "own")).alias("clock"),
        F.greatest("own", "received").alias("received_clock"),
    )
    return folded.join(F.broadcast(clocks), "shop_id")


def build_items(folded: DataFrame, features: FeatureSet) -> DataFrame:
    """The items of each shop's import: shop_id, kind ("histories" or "conversations"), key, data.

    A conversation beyond retention at the import record has no item; its facts are counted all the same.
    """
    exploded = folded.select("shop_id", F.lit("").alias("import_id"), "clock", F.explode("facts").alias("fact"))
    facts = exploded.select("shop_id", "import_id", "clock", "fact.*")
    histories = build_history_items(facts, {"": features.plan}).drop("import_id")
    within_retention = folded.where(F.col("received_clock") - F.col("touched_at") <= CONVERSATION_RETENTION)
    parts = within_retention.select("shop_id", F.col("fold_key").alias("key"), F.col("part").alias("data"))
    return histories.withColumn("kind", F.lit("histories")).unionByName(
        parts.withColumn("kind", F.lit("conversations"))
    )
