"""The past of columns that began later than their shop: what they lack, as items that the functions absorb."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.control_records import HistoryFilled
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.declarations import FeatureSet
from service_quality.histories.history import HistoryPlan
from spark_jobs.backfill.history_items import build_history_items
from spark_jobs.backfill.known_past import KnownPast
from spark_jobs.logs.folding import fold_live
from spark_jobs.logs.import_rows import import_rows, with_imports
from spark_jobs.reader.counted_spans import ShopCounting

Row = dict[str, Any]


@dataclass(frozen=True)
class Lack:
    """What columns of one shop lack: everything up to a log index, which is that of the position `follows`."""

    shop_id: str
    follows: str
    behind: int
    clock: int
    columns: tuple[str, ...]
    table: str

    @property
    def import_id(self) -> str:
        """A hash of everything that the items depend on."""
        named = "|".join((self.table, self.shop_id, self.follows, str(CODE_VERSION), *self.columns))
        return hashlib.sha256(named.encode()).hexdigest()[:20]


def find_lacks(countings: dict[str, ShopCounting], features: FeatureSet, *, table: str) -> list[Lack]:
    """What each shop's columns lack whose windows still reach behind the position where they began.

    Columns that this code does not declare are left to the code that does.
    """
    plan = features.plan
    found = []
    for shop_id, one in sorted(countings.items()):
        for restart in one.counting.incomplete():
            own = [plan.column_of[name] for name in restart.columns if name in plan.column_of]
            reaching = [column for column in own if column.reaches(restart.clock or 0, clock=one.clock)]
            if reaching:
                names = tuple(sorted(column.name for column in reaching))
                behind = one.behind[restart.follows]
                found.append(Lack(shop_id, restart.follows, behind, one.clock, names, table))
    return found


def build_lacking_items(past: KnownPast, lacks: Sequence[Lack], features: FeatureSet) -> DataFrame:
    """The items of what columns lack: shop_id, import_id, kind ("histories"), key, data.

    The whole log up to the position of each lack is folded, with the imports whose records it holds.
    """
    spark = past.log.sparkSession
    live = past.log.where("import_id is null")
    brought = past.imported.drop("import_id", "content")
    folded = fold_live(with_imports(live, import_rows(live, brought)), features, past.settings.policies)
    wanted = spark.createDataFrame(
        [(one.shop_id, one.import_id, one.behind, one.clock) for one in lacks],
        "shop_id string, import_id string, behind long, now long",
    )
    facts = (
        folded.join(F.broadcast(wanted), "shop_id")
        .where(F.col("log_index") <= F.col("behind"))
        .select("shop_id", "import_id", F.col("now").alias("clock"), F.explode("facts").alias("fact"))
        .select("shop_id", "import_id", "clock", "fact.*")
    )
    plans = {one.import_id: HistoryPlan.of(features.plan.column_of[name] for name in one.columns) for one in lacks}
    return build_history_items(facts, plans).withColumn("kind", F.lit("histories"))


def filled_record(lack: Lack, *, buckets: int, histories: int) -> HistoryFilled:
    """The record that lets what a shop's columns lacked count."""
    return HistoryFilled(
        shop_id=lack.shop_id,
        import_id=lack.import_id,
        follows=lack.follows,
        buckets=buckets,
        histories=histories,
        columns=lack.columns,
    )
