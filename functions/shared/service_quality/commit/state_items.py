"""The items of a shop's state, and their stored bytes: equal items give equal bytes."""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any, NamedTuple

from service_quality.alerts.alert_state import AlertState
from service_quality.commit.listed_import import MAX_IMPORTS, MOST_DONE_IMPORTS, Import, ItemKind
from service_quality.conversations.conversation import EMPTY, Conversation
from service_quality.conversations.imported_part import ImportedPart
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import HistoryFilled, HistoryImported, StateRebuilt
from service_quality.events.interaction_event import OPTIONAL_FIELDS, InteractionEvent
from service_quality.events.positions import START
from service_quality.histories.counting import EVERYTHING, Counting, Restart
from service_quality.histories.history import History, HistoryPlan

#: The key of the shop's own item; the history of the entity of that name has a separator behind it.
SHOP_KEY = "shop"

# Days of the wall clock that a table stores an item for: longer than the log can look back, plus 19 days for an event
# from its inlet to its fold, so that every reader reads an expired item as absent already. An event is put on the
# stream within a week, and waits at most six days on another shard and six on its shop's. The log looks back 31 days
# and an hour at conversations; at histories 91 days, from a clock that an event 30 days old may set after a long
# silence.
CONVERSATION_DAYS = 51
HISTORY_DAYS = 146

_PLAIN_BYTES = 800  # with its key and the names of its attributes an item of this size is below a kilobyte
_STORED_FIELDS = tuple(name for name in OPTIONAL_FIELDS if name not in ("text", "query"))


class Parked(NamedTuple):
    """A shop whose records are set aside in order: `until` is the log's position of the last of them.

    `failed_run` is the run of put-back records that failed again: its further records are set aside again. Nothing
    behind the position `follows` is folded yet.
    """

    until: str
    failed_run: str = ""
    follows: str = START


@dataclass(frozen=True, slots=True)
class ShopItem:
    """The item that fences all others of a shop: every transaction rewrites it on the condition of its version.

    `imports` are those that some item has still to absorb, `done_imports` the ids of the latest absorbed ones.
    `fingerprint` is that of the features served last, `counting` says which sums of the histories count. The shop's
    items are those of a `generation`: "" or the id of the rebuild that wrote them.
    """

    version: int = 0
    fold_version: str = ""
    clock: int = 0
    received_clock: int = 0
    last_position: str = START
    imports: tuple[Import, ...] = ()
    done_imports: tuple[str, ...] = ()
    parked: Parked | None = None
    fingerprint: str = ""
    counting: Counting = EVERYTHING
    generation: str = ""

    @property
    def folded_until(self) -> str:
        """The position behind which nothing is folded yet."""
        return self.parked.follows if self.parked is not None else self.last_position

    def after(self, event: InteractionEvent) -> "ShopItem":
        """The shop with its clocks after an event, without the imports that are not needed any more.

        An event moves the clock at most to its own arrival.
        """
        return self._at(clock=min(event.occurred_at, event.received_at), received_clock=event.received_at)

    def under(self, plan: HistoryPlan) -> "ShopItem":
        """The shop under the plan of a deployment: what is new to it counts from its next record on."""
        counting = self.counting.under(plan.columns, follows=self.last_position, clock=self.clock)
        return replace(self, counting=counting)

    def knows(self, import_id: str) -> bool:
        """Whether the import record has been taken already."""
        return import_id in self.done_imports or any(one.import_id == import_id for one in self.imports)

    def with_import(self, record: HistoryImported, *, position: str) -> "ShopItem":
        """The shop from an import record on; RejectedEventError when it has too many still to absorb.

        Columns that the import does not hold begin again: they would lack its events.
        """
        moved = self._at(clock=record.clock, received_clock=record.clock)
        counting = moved.counting.imported(record.columns, follows=position, clock=moved.clock)
        return moved._listing(record, conversations=record.conversations, counting=counting)

    def with_past(self, record: HistoryFilled) -> "ShopItem":
        """The shop from the record on that fills in the past of columns.

        RejectedEventError when they count from another position, or when the shop has too many still to absorb.
        """
        counting = self.counting.filled(record.columns, follows=record.follows)
        return self._listing(record, conversations=0, counting=counting)

    def rebuilt(self, record: StateRebuilt, plan: HistoryPlan, *, position: str) -> "ShopItem":
        """The shop from the record on that puts rebuilt items in the place of its own, under a plan.

        RejectedEventError when something is folded that the rebuild does not know.
        """
        if record.follows != self.folded_until:
            raise RejectedEventError(
                "other_position",
                field="follows",
                found="a rebuild up to another position",
                expected="one up to where the log is folded",
            )
        counting = Counting(plan.columns)
        own = [one.import_id for one in self.imports]
        return replace(
            self,
            fold_version=record.fold_version,
            generation=record.rebuild_id,
            clock=record.clock,
            received_clock=record.received_clock,
            imports=tuple(
                Import(one.import_id, one.buckets, 0, one.conversations, record.clock, record.received_clock)
                for one in record.pending
            ),
            done_imports=(*self.done_imports, *own)[-MOST_DONE_IMPORTS:],
            counting=counting.imported(record.columns, follows=position, clock=record.clock),
        )

    def _listing(
        self, record: HistoryImported | HistoryFilled, *, conversations: int, counting: Counting
    ) -> "ShopItem":
        if len(self.imports) >= MAX_IMPORTS:
            raise RejectedEventError(
                "too_many_imports",
                found=f"{len(self.imports)} imports that are not absorbed yet",
                expected=f"at most {MAX_IMPORTS}",
            )
        one = Import(
            record.import_id,
            record.buckets,
            record.histories,
            conversations,
            self.clock,
            self.received_clock,
            counting.revision,
        )
        return replace(self._with([*self.imports, one]), counting=counting)

    def with_absorbed(self, import_ids: Collection[str], *, kind: ItemKind) -> "ShopItem":
        """The shop once a further item of a kind has absorbed its part of these imports."""
        return self._with(
            [
                one._replace(**{kind: max(0, getattr(one, kind) - 1)}) if one.import_id in import_ids else one
                for one in self.imports
            ]
        )

    def _at(self, *, clock: int, received_clock: int) -> "ShopItem":
        clock, received_clock = max(self.clock, clock), max(self.received_clock, received_clock)
        moved = replace(self, clock=clock, received_clock=received_clock)
        if not self.imports:
            return moved
        return moved._with([one.at(clock=clock, received_clock=received_clock) for one in self.imports])

    def _with(self, imports: Sequence[Import]) -> "ShopItem":
        done = [one.import_id for one in imports if one.is_done]
        return replace(
            self,
            imports=tuple(one for one in imports if not one.is_done),
            done_imports=(*self.done_imports, *done)[-MOST_DONE_IMPORTS:],
        )


@dataclass(slots=True)
class ConversationItem:
    """A conversation, the imports it has absorbed and its alerts by rule."""

    conversation: Conversation = EMPTY
    absorbed: tuple[str, ...] = ()
    alert_states: dict[str, AlertState] = field(default_factory=dict)


@dataclass(slots=True)
class HistoryItem:
    """The histories of an entity and of those that are stored with it, by key."""

    histories: dict[str, History] = field(default_factory=dict)
    absorbed: tuple[str, ...] = ()
    alert_states: dict[str, AlertState] = field(default_factory=dict)


def encode_shop(item: ShopItem) -> bytes:
    """The stored form of a shop's item."""
    counting = item.counting
    restarts = [(*restart[:-1], " ".join(restart.columns)) for restart in counting.restarts]
    return _pack(
        [
            item.version,
            item.fold_version,
            item.clock,
            item.received_clock,
            item.last_position,
            item.imports,
            item.done_imports,
            item.parked,
            [item.fingerprint, " ".join(counting.columns), counting.revision, restarts],
            item.generation,
        ]
    )


def decode_shop(data: bytes) -> ShopItem:
    """The item that `encode_shop` wrote."""
    *plain, imports, done_imports, parked, declared, generation = _unpack(data)
    version, fold_version, clock, received_clock, last_position = plain
    fingerprint, columns, revision, restarts = declared
    return ShopItem(
        version=version,
        fold_version=fold_version,
        clock=clock,
        received_clock=received_clock,
        last_position=last_position,
        imports=tuple(Import(*one) for one in imports),
        done_imports=tuple(done_imports),
        parked=Parked(*parked) if parked is not None else None,
        fingerprint=fingerprint,
        counting=Counting(
            tuple(columns.split()),
            revision,
            tuple(Restart(at, follows, since, tuple(names.split())) for at, follows, since, names in restarts),
        ),
        generation=generation,
    )


def encode_conversation(item: ConversationItem) -> bytes:
    """The stored form of a conversation."""
    conversation = item.conversation
    events = [_event_to_stored(event) for event in conversation.events]
    return _pack([conversation.touched_at, events, list(item.absorbed), _alerts_to_stored(item.alert_states)])


def decode_conversation(data: bytes, shop_id: str) -> ConversationItem:
    """The item that `encode_conversation` wrote, for the shop that stores it."""
    touched_at, events, absorbed, alert_states = _unpack(data)
    return ConversationItem(
        conversation=Conversation(tuple(_event_from_stored(stored, shop_id) for stored in events), touched_at),
        absorbed=tuple(absorbed),
        alert_states=_alerts_from_stored(alert_states),
    )


def encode_histories(item: HistoryItem, plan: HistoryPlan, *, revision: int = 0) -> bytes:
    """The stored form of an entity's histories, with the windows that they hold and the revision of their counting."""
    stored = {key: history.to_stored() for key, history in sorted(item.histories.items())}
    described = {entity: plan.described[entity] for entity in sorted({entity_name(key) for key in stored})}
    return _pack([revision, described, stored, list(item.absorbed), _alerts_to_stored(item.alert_states)])


def decode_histories(
    data: bytes, plan: HistoryPlan, counting: Counting = EVERYTHING, *, revision: int | None = None
) -> HistoryItem:
    """The item that `encode_histories` wrote, as far as it is of this plan and its sums count.

    `revision` is the one at which they count, for items of an import; else their own.
    """
    stored_revision, described, stored, absorbed, alert_states = _unpack(data)
    at = stored_revision if revision is None else revision
    windows = {
        entity: counting.counted(entity, described[entity], plan, revision=at)
        for entity in described
        if entity in plan.windows
    }
    histories = {
        key: History.from_stored(tiles, windows[entity], plan.windows[entity])
        for key, tiles in stored.items()
        if (entity := entity_name(key)) in windows
    }
    return HistoryItem(
        histories={key: history for key, history in histories.items() if not history.empty},
        absorbed=tuple(absorbed),
        alert_states=_alerts_from_stored(alert_states),
    )


def carry_alerts(rebuilt: bytes, *, before: bytes) -> bytes:
    """A rebuilt item with the alerts of the item `before` it: the last part of any item, whatever fold wrote it."""
    *whole, _ = _unpack(rebuilt)
    alerts = _unpack(before)[-1]
    return _pack([*whole, alerts]) if alerts else rebuilt


def encode_part(part: ImportedPart) -> bytes:
    """The stored form of an import's part of a conversation; events of both sides are stored once."""
    shared = set(part.before.events) & set(part.after.events)
    sides: list[object] = [[conversation.touched_at, _only(conversation, shared)] for conversation in part]
    return _pack([*sides, [_event_to_stored(event) for event in part.after.events if event in shared]])


def decode_part(data: bytes, shop_id: str) -> ImportedPart:
    """The part that `encode_part` wrote."""
    *sides, shared = _unpack(data)
    both = [_event_from_stored(stored, shop_id) for stored in shared]
    before, after = (
        Conversation(
            tuple(sorted([*both, *(_event_from_stored(stored, shop_id) for stored in events)], key=_in_time)),
            touched_at,
        )
        for touched_at, events in sides
    )
    return ImportedPart(before, after)


def encode_pack(items: Mapping[str, bytes]) -> bytes:
    """Many encoded items of an import as one."""
    return _pack({key: data.hex() for key, data in sorted(items.items())})


def decode_pack(data: bytes) -> dict[str, bytes]:
    """The encoded items in a pack, by key."""
    return {key: bytes.fromhex(text) for key, text in _unpack(data).items()}


def pack_key(import_id: str, key: str, buckets: int) -> str:
    """The key of the pack of an import in which an item of this key would be."""
    return f"import\x1f{import_id}\x1f{zlib.crc32(key.encode()) % buckets}"


def stored_key(key: str, generation: str) -> str:
    """The key under which an item of a generation is stored."""
    return f"{key}\x1f@{generation}" if generation else key


def entity_name(key: str) -> str:
    """The entity's name in the key of a history."""
    return key.partition("\x1f")[0]


def _only(conversation: Conversation, shared: set[InteractionEvent]) -> list[list[object]]:
    return [_event_to_stored(event) for event in conversation.events if event not in shared]


def _in_time(event: InteractionEvent) -> tuple[int, str]:
    return event.occurred_at, event.event_id


def _event_to_stored(event: InteractionEvent) -> list[object]:
    extra = {name: value for name in _STORED_FIELDS if (value := getattr(event, name)) is not None}
    return [event.event_id, event.kind, event.occurred_at, event.received_at, event.precision, extra]


def _event_from_stored(stored: list[Any], shop_id: str) -> InteractionEvent:  # type: ignore[explicit-any]  # our own JSON
    event_id, kind, occurred_at, received_at, precision, extra = stored
    return InteractionEvent(
        event_id=event_id,
        shop_id=shop_id,
        kind=kind,
        occurred_at=occurred_at,
        received_at=received_at,
        precision=precision,
        **extra,
    )


def _alerts_to_stored(alert_states: dict[str, AlertState]) -> dict[str, object]:
    return {rule: astuple(state) for rule, state in sorted(alert_states.items())}


def _alerts_from_stored(stored: dict[str, list[Any]]) -> dict[str, AlertState]:  # type: ignore[explicit-any]  # our own JSON
    return {rule: AlertState(*values) for rule, values in stored.items()}


def _pack(value: object) -> bytes:
    """JSON, compressed where it is larger than one of the kilobytes that a table charges for."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return data if len(data) <= _PLAIN_BYTES else zlib.compress(data, 1)


def _unpack(data: bytes) -> Any:  # type: ignore[explicit-any]  # our own JSON
    return json.loads(data if data[:1] in (b"[", b"{") else zlib.decompress(data))
