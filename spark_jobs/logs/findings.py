"""The subjects of the findings that shops' logs have brought: each has an item, also one that no event names."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.finding_reported import FindingReported
from service_quality.events.identifiers import SEPARATOR
from service_quality.facts.entities import ENTITIES
from service_quality.tasks.declared_findings import FINDINGS
from spark_jobs.logs.archive import taken_controls


def read_found(entries: DataFrame) -> DataFrame:
    """The keys of the items of those whom accepted findings are about, each once: shop_id, key.

    `entries` are those of the archive (archive.ENTRY_DDL), all of them or those up to a position of each log.
    """
    kinds = sorted({one.subject for one in FINDINGS.values()})
    entity_names = F.create_map(*[F.lit(each) for kind in kinds for each in (kind, ENTITIES[kind].name)])
    name = entity_names[F.get_json_object("control", "$.subject_kind")]
    key = F.concat(name, F.lit(SEPARATOR), F.get_json_object("control", "$.subject_id"))
    found = taken_controls(entries, FindingReported.kind)
    return found.select("shop_id", key.alias("key")).where("key is not null").distinct()
