"""The rules of a shop, read from the table of states: its own, or those of the release."""

import json
from typing import NamedTuple

from service_quality.adapters.state_table import StateReader
from service_quality.alerts.rules import Rule
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stored_rules import store_rules
from service_quality.commit.own_rules import OwnRules, decode_rules
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import rules_key
from service_quality.features.feature_set import FEATURES


class ShopRules(NamedTuple):
    """What is in force in a shop; `own` is None, and `position` "", where it has the shipped rules."""

    shop_id: str
    own: OwnRules | None
    position: str

    @property
    def present(self) -> str | None:
        """The present revision; None for a shop that has the shipped rules."""
        return self.own.revision if self.own is not None else None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self.own.rules if self.own is not None else shipped_rules()

    def document(self) -> dict[str, object]:
        """The JSON form: the document as it was put, or the shipped rules."""
        own = self.own
        return {
            "shop_id": self.shop_id,
            "present": self.present,
            "since_position": self.position or None,
            "document": json.loads(own.document) if own is not None else None,
            "rules": store_rules(self.rules),
            "withdrawn": [rule.name for rule in own.withdrawn] if own is not None else [],
        }


def read_shop_rules(state: StateReader, shop_id: str, shop: ShopItem) -> ShopRules:
    """The rules that the shop's item names."""
    if shop.rules is None:
        return ShopRules(shop_id, None, "")
    key = rules_key(shop.rules.number)
    own = decode_rules(state.read_items(shop_id, [key])[key], FEATURES)
    return ShopRules(shop_id, own, shop.rules.position)
