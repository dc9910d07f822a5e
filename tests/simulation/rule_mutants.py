"""Mutants of a shop's own rules: plausible ways to ask others than those in force, or to tell an end twice."""

from typing import Any
from unittest import mock

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.rule_decisions import RuleDecisions
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from tests.simulation.world import World


class RulesKept(OnlineCommit):
    """Reads the shop's item again, and keeps the rules that an earlier attempt had, whatever became of it."""

    def _load_shop(self, shop_id: str) -> ShopState:
        known = self.__dict__.setdefault("known", {})
        state = super()._load_shop(shop_id)
        if shop_id in known:
            state.own_rules = known[shop_id].own_rules
        known[shop_id] = state
        return state


def counted_whatever_they_follow(world: World) -> list[Any]:
    """Rules count whatever the present ones are."""
    return [mock.patch.object(ShopItem, "with_rules", _following_any)]


_sound_with_rules = ShopItem.with_rules


def _following_any(shop: ShopItem, revision: str, *, follows: str | None, position: str) -> ShopItem:
    present = shop.rules.revision if shop.rules is not None else None
    return _sound_with_rules(shop, revision, follows=present, position=position)


def forgotten_by_a_rebuild(world: World) -> list[Any]:
    """A rebuilt shop begins with the rules of the release."""
    sound = ShopItem.rebuilt

    def rebuilt(shop: ShopItem, record: Any, plan: Any, *, position: str) -> ShopItem:
        return sound(shop, record, plan, position=position)._replace(rules=None)

    return [mock.patch.object(ShopItem, "rebuilt", rebuilt)]


def end_not_noted(world: World) -> list[Any]:
    """The message that ends the alert of a withdrawn rule leaves, and the alert stays open in its item."""
    sound = RuleDecisions._end

    def end(decisions: RuleDecisions, judged: Any, endings: Any) -> Any:
        before = {key: dict(decisions.item(key).alert_states) for key, *_ in endings}
        rows = sound(decisions, judged, endings)
        for key, states in before.items():
            decisions.item(key).alert_states.update(states)
        return rows

    return [mock.patch.object(RuleDecisions, "_end", end)]
