"""A shop's items in memory: read when first needed, valid as a whole or not at all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    ShopItem,
    decode_conversation,
    decode_histories,
    decode_pack,
    encode_conversation,
    encode_histories,
    entity_name,
    pack_key,
)
from service_quality.conversations.conversation import EMPTY, Conversation, merge_conversations, remembered
from service_quality.facts.entities import home_key
from service_quality.histories.history import History, HistoryPlan

_CONVERSATIONS = ("contact", "visit")

#: Reads stored items by key, strongly consistent; what does not exist is left out.
ReadItems = Callable[[list[str]], Mapping[str, bytes]]


@dataclass(slots=True, eq=False, repr=False)
class ShopMemory:
    """Everything held of one shop at one version of its item.

    Whoever meets a conflict drops the whole of it. `changed` are the keys that differ from what is stored.
    """

    shop_id: str
    shop: ShopItem
    plan: HistoryPlan
    conversations: dict[str, ConversationItem] = field(default_factory=dict)
    histories: dict[str, HistoryItem] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    _imported: dict[str, tuple[Conversation, ...]] = field(default_factory=dict)
    _stored_bytes: dict[str, int] = field(default_factory=dict)

    def load(self, keys: Iterable[str], read: ReadItems) -> None:
        """Read what is not held yet, and the imports that it has not absorbed; at most two rounds of reading."""
        wanted = sorted({key for key in keys if key not in self.conversations and key not in self.histories})
        if not wanted:
            return
        stored = read(wanted)
        for key in wanted:
            self._decode(key, stored.get(key))
            self._stored_bytes[key] = len(stored.get(key, b""))
        packs = sorted(
            {
                pack_key(one.import_id, key, one.buckets)
                for key in wanted
                for one in self.shop.imports
                if one.import_id not in self._absorbed(key)
            }
        )
        if packs:
            contents = {pack: decode_pack(data) for pack, data in read(packs).items()}
            for key in wanted:
                self._absorb(key, contents)

    def conversation(self, key: str) -> ConversationItem:
        """A loaded conversation."""
        return self.conversations[key]

    def imported(self, key: str, *, received_clock: int) -> Conversation:
        """What the imports that a conversation has not absorbed know of it.

        Each is forgotten by itself: one that was absorbed and forgotten may not come back with a later one, once
        the table has deleted the item that said so.
        """
        known = EMPTY
        for past in self._imported.get(key, ()):
            known = merge_conversations(known, remembered(past, received_clock=received_clock))
        return known

    def keep_conversation(self, key: str, item: ConversationItem) -> None:
        """Put a changed conversation; from now on it has absorbed every import."""
        item.absorbed = tuple(one.import_id for one in self.shop.imports)
        self.conversations[key] = item
        self._imported.pop(key, None)
        self.changed.add(key)

    def history(self, key: str) -> History | None:
        """The history of an entity whose home is loaded; None where it has none."""
        return self.histories[home_key(key)].histories.get(key)

    def history_to_change(self, key: str) -> History:
        """The history of an entity whose home is loaded, made if there is none, and marked as changed."""
        home = home_key(key)
        self.changed.add(home)
        histories = self.histories[home].histories
        if key not in histories:
            histories[key] = History(self.plan.windows[entity_name(key)])
        return histories[key]

    def settle(self, home: str, *, clock: int) -> None:
        """Let an item's histories forget what has left by this clock; done with every change, so equal logs store
        equal bytes wherever their chunks end."""
        histories = self.histories[home].histories
        for history in histories.values():
            history.settle(clock)
        for key in [key for key, history in histories.items() if history.empty]:
            del histories[key]

    def take_changes(self) -> dict[str, bytes]:
        """The stored form of all that changed, which then counts as stored."""
        changes = {key: self._encode(key) for key in sorted(self.changed)}
        self._stored_bytes |= {key: len(data) for key, data in changes.items()}
        self.changed.clear()
        return changes

    def stored_bytes(self, key: str) -> int:
        """How large an item was when it was last read or written; 0 where it was not."""
        return self._stored_bytes.get(key, 0)

    def forget_items(self) -> None:
        """Hold nothing but the shop's item: after an import every other item has something to absorb."""
        self.conversations.clear()
        self.histories.clear()
        self._imported.clear()
        self._stored_bytes.clear()

    def size(self) -> int:
        """How many items are held."""
        return len(self.conversations) + len(self.histories)

    def _encode(self, key: str) -> bytes:
        if entity_name(key) in _CONVERSATIONS:
            return encode_conversation(self.conversations[key])
        return encode_histories(self.histories[key])

    def _decode(self, key: str, data: bytes | None) -> None:
        if entity_name(key) in _CONVERSATIONS:
            self.conversations[key] = decode_conversation(data, self.shop_id) if data else ConversationItem()
        else:
            self.histories[key] = decode_histories(data, self.plan) if data else HistoryItem()

    def _absorbed(self, key: str) -> tuple[str, ...]:
        held = self.conversations[key] if key in self.conversations else self.histories[key]
        return held.absorbed

    def _absorb(self, key: str, contents: Mapping[str, Mapping[str, bytes]]) -> None:
        for one in self.shop.imports:
            if one.import_id in self._absorbed(key):
                continue
            data = contents.get(pack_key(one.import_id, key, one.buckets), {}).get(key)
            if key in self.conversations:
                if data:
                    past = decode_conversation(data, self.shop_id).conversation
                    self._imported[key] = (*self._imported.get(key, ()), past)
            else:
                self._absorb_history(key, one.import_id, data)

    def _absorb_history(self, home: str, import_id: str, data: bytes | None) -> None:
        item = self.histories[home]
        item.absorbed = (*item.absorbed, import_id)
        if data is None:
            return
        for key, history in decode_histories(data, self.plan).histories.items():
            if key in item.histories:
                item.histories[key].merge(history, clock=self.shop.clock)
            else:
                item.histories[key] = history
