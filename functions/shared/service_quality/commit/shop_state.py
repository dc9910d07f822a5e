"""A shop's state in memory: its items, read when first needed, valid as a whole or not at all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service_quality.alerts.rules import Rule
from service_quality.commit.listed_import import ItemKind
from service_quality.commit.own_rules import OwnRules, decode_rules, encode_rules
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    decode_conversation,
    decode_histories,
    decode_pack,
    decode_part,
    encode_conversation,
    encode_histories,
    entity_name,
    pack_key,
    policy_key,
    rules_key,
    stored_key,
)
from service_quality.conversations.conversation import KEY_NAMES
from service_quality.conversations.imported_part import ImportedPart
from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.facts.entities import item_key_of
from service_quality.features.declarations import FeatureSet
from service_quality.histories.history import History, HistoryPlan
from service_quality.instants import day_at
from service_quality.policies.policy import Policy

#: Reads stored items by key, strongly consistent; a missing item is left out.
ReadItems = Callable[[list[str]], Mapping[str, bytes]]


@dataclass(slots=True, eq=False, repr=False)
class ShopState:
    """Everything held of one shop at one version of its item; after a conflict all of it is dropped.

    `changed` are the keys of the items that differ from the stored ones, `changed_bytes` what they took when they were
    stored; `fold_version` is that of this code.
    `policies` are those of the shop in log order, `own_rules` its rules where it has some, `documents` the new items of
    settings by the key under which they are stored.
    """

    shop_id: str
    shop: ShopItem
    plan: HistoryPlan
    conversations: dict[str, ConversationItem] = field(default_factory=dict)
    histories: dict[str, HistoryItem] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    changed_bytes: int = 0
    _imported: dict[str, tuple[ImportedPart, ...]] = field(default_factory=dict)
    _unabsorbed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _stored_bytes: dict[str, int] = field(default_factory=dict)
    fold_version: str = FOLD_VERSION
    policies: tuple[Policy, ...] = ()
    own_rules: OwnRules | None = None
    documents: dict[str, bytes] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether the state is of another version of the fold, and its shop's records wait until it is rebuilt."""
        return self.shop.fold_version != self.fold_version

    def lacks_calendar(self, at: int) -> bool:
        """Whether the calendar of the shop's present policy lacks a year that is expected at an instant."""
        calendar = self.policies[-1].holidays if self.policies else None
        if calendar is None:
            return False
        from service_quality.policies.calendars import missing_years  # noqa: PLC0415  # few shops keep a calendar

        return bool(missing_years(calendar, day_at(at)))

    def load(self, keys: Iterable[str], read: ReadItems) -> None:
        """Read the items that are not held yet, and the imports that they have not absorbed; at most two reads."""
        wanted = sorted({key for key in keys if key not in self.conversations and key not in self.histories})
        if not wanted:
            return
        stored = read([self._stored_key(key) for key in wanted])
        for key in wanted:
            data = stored.get(self._stored_key(key))
            self._decode(key, data)
            self._stored_bytes[key] = len(data or b"")
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

    def load_settings(self, read: ReadItems, features: FeatureSet) -> None:
        """Read the policies, and the rules of the shop's own, that are not held yet."""
        keys = [policy_key(number) for number in range(len(self.policies) + 1, len(self.shop.policies) + 1)]
        rules = self.shop.rules
        lacking = [rules_key(rules.number)] if rules is not None and self.own_rules is None else []
        if not keys and not lacking:
            return
        stored = read([*keys, *lacking])
        if keys:
            from service_quality.policies.policy_document import parse_policy  # noqa: PLC0415  # few shops have a policy

            self.policies += tuple(parse_policy(stored[key]) for key in keys)
        for key in lacking:
            self.own_rules = decode_rules(stored[key], features)

    def rules_over(self, shipped: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """The rules in force: the shop's own, or those of the release."""
        return self.own_rules.rules if self.own_rules is not None else shipped

    def add_policy(self, policy: Policy, document: bytes) -> None:
        """Let a policy be in force from the next record on."""
        self.shop = self.shop.with_policy(policy)
        self.policies = (*self.policies, policy)
        self.documents[policy_key(len(self.policies))] = document

    def add_rules(self, brought: OwnRules, *, follows: str | None, position: str) -> None:
        """Let rules be in force from the next record on."""
        self.shop = self.shop.with_rules(brought.revision, follows=follows, position=position)
        self.own_rules = brought.after(self.own_rules)
        if self.shop.rules is not None:
            self.documents[rules_key(self.shop.rules.number)] = encode_rules(self.own_rules)

    def conversation(self, key: str) -> ConversationItem:
        """A loaded conversation."""
        return self.conversations[key]

    def imported(self, key: str) -> tuple[ImportedPart, ...]:
        """The parts of imports that a loaded conversation has not absorbed, in order of their import records."""
        return self._imported.get(key, ())

    def keep_conversation(self, key: str, item: ConversationItem) -> None:
        """Put a changed conversation."""
        self.conversations[key] = item
        self.touch(key)

    def touch(self, key: str) -> None:
        """Mark a loaded item as changed: with this event it has absorbed every import.

        That is counted here and not where it is stored, so equal logs store equal bytes wherever transactions end;
        an attempt that fails before it has stored the item forgets the count with it.
        """
        if key not in self.changed:
            self.changed.add(key)
            self.changed_bytes += self.stored_bytes(key)
        import_ids = self._unabsorbed.pop(key, ())
        if import_ids:
            kind: ItemKind = "conversations" if key in self.conversations else "histories"
            self.shop = self.shop.with_absorbed(import_ids, kind=kind)
        self._imported.pop(key, None)
        imports = self.shop.imports
        self._held(key).absorbed = tuple(one.import_id for one in imports) if imports else ()

    def history(self, key: str) -> History | None:
        """The history of an entity whose item is loaded; None where there is no history of it."""
        return self.histories[item_key_of(key)].histories.get(key)

    def history_to_change(self, key: str) -> History:
        """The history of an entity whose item is loaded, made if it is missing, and marked as changed."""
        item_key = item_key_of(key)
        self.touch(item_key)
        histories = self.histories[item_key].histories
        if key not in histories:
            histories[key] = History(self.plan.windows[entity_name(key)])
        return histories[key]

    def settle(self, item_key: str, *, clock: int) -> None:
        """Let an item's histories forget what has left by this clock; done with every change, so equal logs store
        equal bytes wherever transactions end."""
        histories = self.histories[item_key].histories
        for history in histories.values():
            history.settle(clock)
        for key in [key for key, history in histories.items() if history.empty]:
            del histories[key]

    def take_changes(self) -> dict[str, bytes]:
        """The stored form of all changed items by stored key, which then count as stored."""
        changes = {key: self._encode(key) for key in sorted(self.changed)}
        self._stored_bytes |= {key: len(data) for key, data in changes.items()}
        self.changed.clear()
        self.changed_bytes = 0
        documents, self.documents = self.documents, {}
        return {**documents, **{self._stored_key(key): data for key, data in changes.items()}}

    def stored_bytes(self, key: str) -> int:
        """The size of an item when it was last read or written; 0 for an item that was not."""
        return self._stored_bytes.get(key, 0)

    def forget_items(self) -> None:
        """Drop every item but the shop's own: after an import each has a part to absorb, after a rebuild there are
        others."""
        self.conversations.clear()
        self.histories.clear()
        self._imported.clear()
        self._stored_bytes.clear()
        self._unabsorbed.clear()

    def size(self) -> int:
        """The number of items held."""
        return len(self.conversations) + len(self.histories)

    def _stored_key(self, key: str) -> str:
        return stored_key(key, self.shop.generation)

    def _encode(self, key: str) -> bytes:
        if entity_name(key) in KEY_NAMES:
            return encode_conversation(self.conversations[key])
        return encode_histories(self.histories[key], self.plan, revision=self.shop.counting.revision)

    def _decode(self, key: str, data: bytes | None) -> None:
        if entity_name(key) in KEY_NAMES:
            self.conversations[key] = (
                decode_conversation(data, self.shop_id) if data is not None else ConversationItem()
            )
        else:
            counting = self.shop.counting
            self.histories[key] = decode_histories(data, self.plan, counting) if data is not None else HistoryItem()

    def _held(self, key: str) -> ConversationItem | HistoryItem:
        return self.conversations[key] if key in self.conversations else self.histories[key]

    def _absorbed(self, key: str) -> tuple[str, ...]:
        return self._held(key).absorbed

    def _absorb(self, key: str, contents: Mapping[str, Mapping[str, bytes]]) -> None:
        for one in self.shop.imports:
            if one.import_id in self._absorbed(key):
                continue
            data = contents.get(pack_key(one.import_id, key, one.buckets), {}).get(key)
            if data is None:
                continue
            self._unabsorbed[key] = (*self._unabsorbed.get(key, ()), one.import_id)
            if key in self.conversations:
                self._imported[key] = (*self._imported.get(key, ()), decode_part(data, self.shop_id))
            else:
                self._add_histories(key, data, revision=one.revision)

    def _add_histories(self, item_key: str, data: bytes, *, revision: int) -> None:
        held = self.histories[item_key].histories
        imported = decode_histories(data, self.plan, self.shop.counting, revision=revision)
        for key, history in imported.histories.items():
            if key not in held:
                held[key] = History(self.plan.windows[entity_name(key)])
            held[key].merge(history, clock=self.shop.clock)
