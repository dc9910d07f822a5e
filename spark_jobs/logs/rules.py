"""The rules of shops' own, as records of their logs brought them."""

import json
from base64 import b64decode

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.control_records import RULES, SettingsChanged


def read_rule_subjects(entries: DataFrame) -> frozenset[str]:
    """Whom or what the rules are about that entries of the archive (archive.ENTRY_DDL) brought, of any revision.

    Alerts of withdrawn rules may still be open.
    """
    taken = entries.where("rejected is null and not duplicate and control is not null")
    of_kind = F.get_json_object("control", "$.kind") == SettingsChanged.kind
    of_rules = F.get_json_object("control", "$.section") == RULES
    rows = taken.where(of_kind & of_rules).select("control").collect()
    documents = (json.loads(b64decode(json.loads(row["control"])["document"])) for row in rows)
    return frozenset(rule["subject"] for document in documents for rule in document["rules"])
