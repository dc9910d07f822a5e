"""Previews: the score that an event would get now, changing nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from service_quality.commit.event_fold import EventFold
from service_quality.commit.log_reader import LogReader
from service_quality.commit.readings import EventStep, Failed, Found, Unfit
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.errors import DependencyError, RejectedEventError, StateVersionError
from service_quality.events.annotations import annotate
from service_quality.events.intake import Intake, describe_intake
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.reasons import describe_reasons, shown_probability
from service_quality.scoring.scored_event import ScoredEvent
from service_quality.scoring.scores import Scorer

_ATTEMPTS = 5

#: The preview of an event: its score, None for an event without a score, or its rejection.
Preview = ScoredEvent | RejectedEventError | None


class StateStore(Protocol):
    """The state of shops, strongly consistent."""

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item."""

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key; a missing item is left out."""


@dataclass(frozen=True, slots=True)
class Previewer:
    """Computes previews by the same fold over the state as it is read now."""

    store: StateStore
    scorer: Scorer
    features: FeatureSet

    def preview_all(self, events: Mapping[int, InteractionEvent]) -> dict[int, Preview]:
        """The preview of each event, by its index; each shop's events one after the other."""
        found: dict[int, Preview] = {}
        for shop_id, indexes in _by_shop(events).items():
            found |= zip(indexes, self.preview(shop_id, [events[index] for index in indexes]), strict=True)
        return dict(sorted(found.items()))

    def preview(self, shop_id: str, events: list[InteractionEvent]) -> list[Preview]:
        """The preview of each of a shop's events, one after the other, as if no other event came.

        DependencyError when the shop's state changed under every attempt to read it.
        """
        for _ in range(_ATTEMPTS):
            shop = self._read_shop(shop_id)
            previews = self._fold(shop_id, shop, events)
            if self._read_shop(shop_id).version == shop.version:
                return previews
        raise DependencyError(f"a shop: its state changed in {_ATTEMPTS} attempts to read it; send the preview again")

    def _read_shop(self, shop_id: str) -> ShopItem:
        shop = self.store.read_shop(shop_id) or ShopItem(fold_version=FOLD_VERSION)
        if shop.fold_version != FOLD_VERSION:
            found = f"found state of version {shop.fold_version}, expected {FOLD_VERSION}"
            raise StateVersionError(f"{found}: rebuild_state has not come to this shop yet")
        return shop

    def _fold(self, shop_id: str, shop: ShopItem, events: list[InteractionEvent]) -> list[Preview]:
        plan = self.features.plan
        state = ShopState(shop_id, shop.under(plan), plan)
        reader = LogReader(state, self.features, (), self.store.read_items)
        fold = EventFold(state, self.features, (), self.scorer)
        return [_apply(fold, one) for one in reader.read_events(map(annotate, events))]


def describe_previews(intake: Intake, previews: Mapping[int, Preview], features: FeatureSet) -> dict[str, object]:
    """The answer to a caller: that of an inlet, what the fold rejects among the rejected, and `previews`."""
    rejected = {index: one for index, one in previews.items() if isinstance(one, RejectedEventError)}
    left = {index: event for index, event in intake.accepted.items() if index not in rejected}
    answer = describe_intake(replace(intake, accepted=left))
    answer["rejected"] += [
        {"index": index, "event_id": intake.accepted[index].event_id, "reason": error.reason, "message": str(error)}
        for index, error in rejected.items()
    ]
    scored = [(intake.accepted[index], one) for index, one in previews.items() if index in left]
    return {
        **answer,
        "previews": [
            _describe(event.event_id, one, features) for event, one in scored if not isinstance(one, RejectedEventError)
        ],
    }


def _describe(event_id: str, scored: ScoredEvent | None, features: FeatureSet) -> dict[str, object]:
    """The preview of one event; for an event without a score, with empty fields."""
    if scored is None or scored.score is None:
        return {"event_id": event_id, "score": None, "reasons": [], "model_version": None}
    return {
        "event_id": event_id,
        "score": shown_probability(scored.score),
        "reasons": describe_reasons(scored.score, scored.values, features.names),
        "model_version": scored.score.model_version,
    }


def _by_shop(events: Mapping[int, InteractionEvent]) -> dict[str, list[int]]:
    """The indexes of each shop's events."""
    indexes: dict[str, list[int]] = {}
    for index, event in events.items():
        indexes.setdefault(event.shop_id, []).append(index)
    return indexes


def _apply(fold: EventFold, found: Found) -> Preview:
    if isinstance(found, EventStep):
        return fold.apply(found.event, found.step).scored
    if isinstance(found, Failed):
        raise found.error
    return found.error if isinstance(found, Unfit) else None
