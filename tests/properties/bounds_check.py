"""The core's bounds by what it does at them, against the oracle's own numbers."""

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import ConversationItem
from service_quality.conversations.conversation import EMPTY, advance
from service_quality.errors import RejectedEventError
from service_quality.events.event_forms import event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.declarations import FeatureSet, Total
from tests.oracle.bounds import MOST_CACHED_ITEMS, MOST_EVENTS, MOST_HISTORIES
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import event

FEATURES = FeatureSet((Total("agent_category", "contacts", "1d"),))


def assert_conversation_holds_so_many_events() -> None:
    """The last event that has room is taken, the next rejected, and what is held stays known."""
    held, reason = EMPTY, ""
    try:
        for number in range(MOST_EVENTS + 1):
            held = advance(held, event("customer_message", number))
    except RejectedEventError as rejected:
        reason = rejected.reason
    assert (len(held.events), reason) == (MOST_EVENTS, "conversation_full")
    assert advance(held, event("customer_message", 0)) is held


def assert_item_holds_so_many_histories() -> None:
    """One agent's contacts, each of a category of its own: the first without room is rejected, and only that."""
    opened = [
        event(
            "conversation_opened", number, conversation_id=f"c{number}", agent_id="ann", category=f"category-{number}"
        )
        for number in range(MOST_HISTORIES + 1)
    ]
    records = [LogRecord(str(Position(1, n)), event_to_json(one), one.received_at) for n, one in enumerate(opened)]

    stats = _commit().advance_shop("shop", records)

    assert (stats.accepted, stats.rejected) == (MOST_HISTORIES, {"item_full": 1})


def assert_cache_holds_so_many_items() -> None:
    """A shop of that many items is cached; one item more of another shop, and the first is dropped."""
    cache = _commit().cache
    largest, another = _shop_of("largest", MOST_CACHED_ITEMS), _shop_of("another", 1)
    cache.put(largest)
    assert cache.take("largest") is largest
    cache.put(largest)
    cache.put(another)
    assert cache.take("largest") is None
    assert cache.take("another") is another


def _commit() -> OnlineCommit:
    return OnlineCommit(MemoryStore(), FixedScorer, FEATURES, ())


def _shop_of(shop_id: str, items: int) -> ShopState:
    conversations = {f"contact\x1fc{number}": ConversationItem() for number in range(items)}
    return ShopState(shop_id, ShopItem(), FEATURES.plan, conversations)
