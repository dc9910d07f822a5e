"""Previews: the score that an event would get now, changing nothing."""

from dataclasses import dataclass

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_fold import ShopFold
from service_quality.commit.shop_memory import ShopMemory
from service_quality.commit.state_items import ShopItem
from service_quality.commit.store import Store
from service_quality.errors import RejectedEventError, StateVersionError, SurroundingsError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scored_event import ScoredEvent
from service_quality.scoring.scores import Scorer

_MOST_REASONS = 5
_ATTEMPTS = 5

#: What an event would lead to: its score, None where it would not be scored, or why it would be refused.
Foreseen = ScoredEvent | RejectedEventError | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Answers what would happen, by the same fold over the state as it is read now."""

    store: Store
    scorer: Scorer
    features: FeatureSet

    def foresee(self, shop_id: str, events: list[InteractionEvent]) -> list[Foreseen]:
        """What each of a shop's events would lead to, one after the other, as if nothing else came.

        SurroundingsError when the shop's state changed under every attempt to read it.
        """
        for _ in range(_ATTEMPTS):
            shop = self._read_shop(shop_id)
            foreseen = self._fold(shop_id, shop, events)
            if self._read_shop(shop_id).version == shop.version:
                return foreseen
        raise SurroundingsError(f"the state of a shop changed during {_ATTEMPTS} attempts to read it")

    def _read_shop(self, shop_id: str) -> ShopItem:
        expected = OnlineCommit(self.store, lambda: self.scorer, self.features, rules=()).fold_version
        shop = self.store.read_shop(shop_id) or ShopItem(fold_version=expected)
        if shop.fold_version != expected:
            raise StateVersionError(f"found state of version {shop.fold_version}, expected {expected}")
        return shop

    def _fold(self, shop_id: str, shop: ShopItem, events: list[InteractionEvent]) -> list[Foreseen]:
        memory = ShopMemory(shop_id, shop, self.features.plan)
        fold = ShopFold(memory, self.features, (), self.scorer, self.store.read_items)
        fold.prefetch(events)
        return [_apply(fold, event) for event in events]


def describe_preview(event_id: str, scored: ScoredEvent | None, features: FeatureSet) -> dict[str, object]:
    """The preview as a caller gets it; without a score where the event would have none."""
    if scored is None or scored.score is None:
        return {"event_id": event_id, "score": None, "reasons": [], "model_version": None}
    return {
        "event_id": event_id,
        "score": round(scored.score.probability, 5),
        "reasons": [
            {"feature": name, "value": scored.values.get(name), "contribution": round(contribution, 5)}
            for name, contribution in scored.score.reasons(features.names, most=_MOST_REASONS)
        ],
        "model_version": scored.score.model_version,
    }


def _apply(fold: ShopFold, event: InteractionEvent) -> Foreseen:
    try:
        step = fold.step(event)
    except RejectedEventError as error:
        return error
    return fold.apply(event, step).scored if step is not None else None
