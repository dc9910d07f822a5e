"""Mutants of policies: plausible ways to judge by another one than that in force, or to lose one."""

from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.commit import control, state_items
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.transactions import control_entry
from service_quality.conversations import reading
from service_quality.policies.policy import Policy, policy_in_force
from service_quality.policies.policy_document import parse_policy
from tests.simulation.world import World


class PoliciesKept(OnlineCommit):
    """Reads the shop's item again, and keeps the policies that an earlier attempt had, whatever became of it."""

    def _load_shop(self, shop_id: str) -> ShopState:
        known = self.__dict__.setdefault("known", {})
        state = super()._load_shop(shop_id)
        if shop_id in known:
            state.policies = known[shop_id].policies
        known[shop_id] = state
        return state


def judged_from_before_its_record(world: World) -> list[Any]:
    """A policy judges what began before its record, too."""

    def policy(reader: Any, event: Any) -> Policy:
        return policy_in_force(reader.policies, known=len(reader.policies), began_at=event.occurred_at)

    return [mock.patch.object(reading.Reading, "_policy", policy)]


def judged_before_it_is_valid(world: World) -> list[Any]:
    """A policy judges from its record on, though it is valid later."""

    def latest_known(policies: Any, *, known: int, began_at: int) -> Policy:
        return policies[known - 1]

    return [mock.patch.object(reading, "policy_in_force", latest_known)]


def place_among_policies_not_stored(world: World) -> list[Any]:
    """What an event knew of policies is lost when its conversation is read again."""
    sound = state_items._event_to_stored

    def event_to_stored(event: Any) -> list[object]:
        return sound(replace(event, policies_known=0))

    return [mock.patch.object(state_items, "_event_to_stored", event_to_stored)]


def counted_twice(world: World) -> list[Any]:
    """A policy that comes again is another one."""

    def change_settings(builder: Any, reading: Any, event: Any) -> bool:
        state = builder.state
        builder.flush()
        state.add_policy(parse_policy(event.document), event.document)
        builder.add(reading, control_entry(reading.position, event, clock=state.shop.clock), size=reading.size + 200)
        builder.flush()
        return True

    return [
        mock.patch.object(control, "_change_settings", change_settings),
        mock.patch.object(ShopItem, "with_policy", _appended),
    ]


def counted_whatever_it_follows(world: World) -> list[Any]:
    """A policy counts whatever the present one is."""
    return [mock.patch.object(ShopItem, "with_policy", _appended)]


def _appended(shop: ShopItem, policy: Policy) -> ShopItem:
    return shop._replace(policies=(*shop.policies, policy.revision))


def forgotten_by_a_rebuild(world: World) -> list[Any]:
    """A rebuilt shop begins without policies."""
    sound = ShopItem.rebuilt

    def rebuilt(shop: ShopItem, record: Any, plan: Any, *, position: str) -> ShopItem:
        return sound(shop, record, plan, position=position)._replace(policies=())

    return [mock.patch.object(ShopItem, "rebuilt", rebuilt)]


def expires(world: World) -> list[Any]:
    """A policy's document is deleted with the histories of its time."""
    return [mock.patch("service_quality.adapters.state_table.stored_days", return_value=state_items.HISTORY_DAYS)]
