"""A rebuild in memory: what the job `rebuild_state` writes, made by the core itself from a calm run of the log."""

from dataclasses import dataclass, field

from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    carry_alerts,
    decode_pack,
    encode_conversation,
    encode_histories,
    encode_pack,
    encode_part,
    entity_name,
    is_settings,
    pack_key,
    stored_key,
)
from service_quality.conversations.imported_part import ImportedPart
from service_quality.events.control_records import PendingImport, StateRebuilt
from service_quality.features.declarations import FeatureSet
from tests.stand_ins.memory_store import MemoryStore

_BUCKETS = 2


@dataclass
class Rebuild:
    """The items that a rebuild writes, by stored key, and the record that lets them count."""

    record: StateRebuilt
    items: dict[str, bytes] = field(default_factory=dict)


def rebuild(
    calm: MemoryStore, shop: ShopItem, lived: dict[str, bytes], features: FeatureSet, *, shop_id: str, rebuild_id: str
) -> Rebuild:
    """The rebuild of a shop, whose item is `shop` and whose items are `lived`.

    `calm` holds what an undisturbed run of the same code left of the shop's log so far.
    """
    folded = calm.read_shop(shop_id)
    assert folded is not None
    state = ShopState(shop_id, folded, features.plan)
    state.load(_keys_of(calm, shop_id), lambda keys: calm.read_items(shop_id, keys))
    items: dict[str, bytes] = {}
    parts: dict[int, dict[str, ImportedPart]] = {}
    for key, conversation in state.conversations.items():
        for number, part in enumerate(state.imported(key)):
            parts.setdefault(number, {})[key] = part
        items[key] = encode_conversation(ConversationItem(conversation.conversation))
    for key, item in state.histories.items():
        items[key] = encode_histories(HistoryItem(item.histories), features.plan)
    empty = encode_histories(HistoryItem(), features.plan)
    for key, before in undecorated(lived, shop.generation).items():
        carried = carry_alerts(items.get(key, empty), before=before) if _may_hold_alerts(key, items) else empty
        if carried != empty:
            items[key] = carried
    items = {stored_key(key, rebuild_id): data for key, data in items.items()}
    pending = []
    for number, of_key in sorted(parts.items()):
        one = PendingImport(f"{rebuild_id}-{number}", _BUCKETS, len(of_key))
        pending.append(one)
        items |= _packs(one, of_key)
    lacking = {name for restart in folded.counting.restarts for name in restart.columns}  # packs may lack columns
    record = StateRebuilt(
        shop_id=shop_id,
        rebuild_id=rebuild_id,
        fold_version=folded.fold_version,
        follows=shop.folded_until,
        clock=folded.clock,
        received_clock=folded.received_clock,
        columns=tuple(name for name in features.plan.columns if name not in lacking),
        pending=tuple(pending),
    )
    return Rebuild(record, items)


def _may_hold_alerts(key: str, items: dict[str, bytes]) -> bool:
    """Whether an item of the generation before is one of this rebuild, or of an entity that may have alerts alone."""
    is_entity = entity_name(key) not in ("contact", "visit", "count", "shop", "import") and not is_settings(key)
    return key in items or is_entity


def _keys_of(calm: MemoryStore, shop_id: str) -> list[str]:
    """Every key of an item or in a pack of the shop."""
    found: set[str] = set()
    for (owner, key), data in calm.items.items():
        if owner == shop_id:
            found |= set(decode_pack(data)) if entity_name(key) == "import" else {key}
    return sorted(key for key in found if not is_settings(key))


def _packs(pending: PendingImport, parts: dict[str, ImportedPart]) -> dict[str, bytes]:
    packs: dict[str, dict[str, bytes]] = {}
    for key, part in parts.items():
        name = pack_key(pending.import_id, key, pending.buckets)
        packs.setdefault(name, {})[key] = encode_part(part)
    return {name: encode_pack(items) for name, items in packs.items()}


def undecorated(items: dict[str, bytes], generation: str) -> dict[str, bytes]:
    """The items of a generation by plain key."""
    end = stored_key("", generation)
    own = {key: data for key, data in items.items() if key.endswith(end) and (generation or "\x1f@" not in key)}
    return {key.removesuffix(end): data for key, data in own.items() if entity_name(key) != "import"}
