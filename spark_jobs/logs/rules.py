"""What jobs need to know of the rules that shops' logs have brought: whom they are about, and their stages."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from service_quality.alerts.rule_document import parse_rules
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.conversations.wait_stages import Stage
from service_quality.errors import RejectedRulesError
from service_quality.events.control_records import RULES, SettingsChanged
from service_quality.features.feature_set import FEATURES


class ShopStages(NamedTuple):
    """The stages at which timers ring: those of the release, and those of shops that have rules of their own."""

    shipped: tuple[Stage, ...] = ()
    own: Mapping[str, tuple[Stage, ...]] = {}

    def of(self, shop_id: str) -> tuple[Stage, ...]:
        """The stages of a shop."""
        return self.own.get(shop_id, self.shipped)


#: Nobody's timer rings.
NO_STAGES = ShopStages()


def read_stages(entries: DataFrame) -> ShopStages:
    """The stages of the latest rules that entries of the archive (archive.ENTRY_DDL) brought, else of the release's.

    Rules that this release would refuse count as those of the release.
    """
    latest = {row["shop_id"]: _document(row) for row in _brought(entries)}
    own: dict[str, tuple[Stage, ...]] = {}
    for shop_id, document in latest.items():
        with suppress(RejectedRulesError):
            own[shop_id] = stages_of(parse_rules(document, FEATURES).rules)
    return ShopStages(stages_of(shipped_rules()), own)


def read_rule_subjects(entries: DataFrame) -> frozenset[str]:
    """Whom or what the rules are about that entries of the archive (archive.ENTRY_DDL) brought, of any revision.

    Alerts of withdrawn rules may still be open.
    """
    documents = (json.loads(_document(row)) for row in _brought(entries))
    return frozenset(rule["subject"] for document in documents for rule in document["rules"])


def _brought(entries: DataFrame) -> Iterator[Row]:
    """The records that brought rules (shop_id, position, control), in the order of each shop's log."""
    taken = entries.where("rejected is null and not duplicate and control is not null")
    of_kind = F.get_json_object("control", "$.kind") == SettingsChanged.kind
    of_rules = F.get_json_object("control", "$.section") == RULES
    return iter(sorted(taken.where(of_kind & of_rules).select("shop_id", "position", "control").collect()))


def _document(row: Row) -> bytes:
    return b64decode(json.loads(row["control"])["document"])
