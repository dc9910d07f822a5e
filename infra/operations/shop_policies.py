"""The policies of a shop, read from the table of states in the order of its log."""

from typing import NamedTuple

from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import policy_key
from service_quality.instants import format_instant
from service_quality.policies.policy import DEFAULT_POLICY, Policy, policy_in_force
from service_quality.policies.policy_document import parse_policy
from service_quality.policies.policy_form import policy_to_dict


class ShopPolicies(NamedTuple):
    """A shop's policies in log order; the last is the present one, which the next one must follow."""

    shop_id: str
    policies: tuple[Policy, ...]

    @property
    def present(self) -> str | None:
        """The present revision; None for a shop that has the defaults."""
        return self.policies[-1].revision if self.policies else None

    def in_force(self, now: int) -> Policy:
        """The policy that judges what begins now: the present one, unless its instant is still to come."""
        return policy_in_force(self.policies, known=len(self.policies), began_at=now)

    def document(self, now: int) -> dict[str, object]:
        """The JSON form: every revision, and the whole policy in force."""
        in_force = self.in_force(now)
        return {
            "shop_id": self.shop_id,
            "present": self.present,
            "in_force": in_force.revision,
            "revisions": [
                {"revision": one.revision, "valid_from": format_instant(one.valid_from), "follows": one.follows}
                for one in self.policies
            ],
            "policy": None if in_force is DEFAULT_POLICY else policy_to_dict(in_force),
        }


def read_policies(state: StateReader, shop_id: str, shop: ShopItem) -> ShopPolicies:
    """The policies that the shop's item names."""
    keys = [policy_key(number) for number in range(1, len(shop.policies) + 1)]
    stored = state.read_items(shop_id, keys)
    return ShopPolicies(shop_id, tuple(parse_policy(stored[key]) for key in keys))
