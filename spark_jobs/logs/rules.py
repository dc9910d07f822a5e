"""What jobs need to know of the rules that shops' logs have brought: whom they are about, and their stages."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from service_quality.alerts.rule_document import parse_rules
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.conversations.wait_stages import Stage
from service_quality.errors import RejectedRulesError
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


def stages_by(brought: Iterable[tuple[str, bytes]]) -> ShopStages:
    """The stages of the latest rules that records of logs brought (shop, document, in order), else of the release's.

    Rules that this release would refuse count as those of the release.
    """
    own: dict[str, tuple[Stage, ...]] = {}
    for shop_id, document in dict(brought).items():
        with suppress(RejectedRulesError):
            own[shop_id] = stages_of(parse_rules(document, FEATURES).rules)
    return ShopStages(stages_of(shipped_rules()), own)


def subjects_of(documents: Iterable[bytes]) -> frozenset[str]:
    """Whom or what rules are about, of any revision: alerts of withdrawn rules may still be open."""
    rules = (rule for document in documents for rule in json.loads(document)["rules"])
    return frozenset(rule["subject"] for rule in rules if "subject" in rule)
