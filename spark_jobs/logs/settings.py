"""The settings that shops' logs have brought: policies and rules, read in one pass over the archive's entries."""

import json
from base64 import b64decode
from collections.abc import Iterable
from typing import NamedTuple

from pyspark.sql import DataFrame

from service_quality.events.control_records import POLICY, RULES, SettingsChanged
from spark_jobs.logs.archive import taken_controls
from spark_jobs.logs.policies import PoliciesByShop, policies_of
from spark_jobs.logs.rules import ShopStages, stages_by, subjects_of


class Brought(NamedTuple):
    """A document that a record of a shop's log brought, at its position; `section` is POLICY or RULES."""

    shop_id: str
    position: str
    section: str
    document: bytes


class LogSettings(NamedTuple):
    """What jobs need to know of settings: the policies by shop, the stages at which timers ring, and whom rules of any
    revision are about.
    """

    policies: PoliciesByShop
    stages: ShopStages
    rule_subjects: frozenset[str]


def read_brought(entries: DataFrame) -> list[Brought]:
    """The settings that entries of the archive (archive.ENTRY_DDL) brought, in the order of each shop's log."""
    taken = taken_controls(entries, SettingsChanged.kind)
    rows = sorted(taken.select("shop_id", "position", "control").collect())
    controls = ((row["shop_id"], row["position"], json.loads(row["control"])) for row in rows)
    return [
        Brought(shop_id, position, control.get("section", POLICY), b64decode(control["document"]))
        for shop_id, position, control in controls
    ]


def settings_of(brought: Iterable[Brought]) -> LogSettings:
    """The settings of documents in the order of each shop's log."""
    documents = list(brought)
    policies = policies_of((one.shop_id, one.position, one.document) for one in documents if one.section == POLICY)
    rules = [(one.shop_id, one.document) for one in documents if one.section == RULES]
    return LogSettings(policies, stages_by(rules), subjects_of(document for _, document in rules))


def read_settings(entries: DataFrame) -> LogSettings:
    """The settings that entries of the archive (archive.ENTRY_DDL) brought."""
    return settings_of(read_brought(entries))
