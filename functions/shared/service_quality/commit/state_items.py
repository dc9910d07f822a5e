"""The items of a shop's state beside its own, and their stored bytes: equal items give equal bytes."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from service_quality.alerts.alert_state import AlertState
from service_quality.alerts.looks import Held, Stretch
from service_quality.by_fields import ByFields
from service_quality.commit.stored_json import pack, unpack
from service_quality.conversations.conversation import EMPTY, KEY_NAMES, Conversation, Past, Reached
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.wait_stages import Deadline
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import OPTIONAL_FIELDS, InteractionEvent
from service_quality.histories.counting import EVERYTHING, Counting
from service_quality.histories.history import History, HistoryPlan
from service_quality.histories.windows import LONGEST_REACH
from service_quality.instants import DAY

# Days of the wall clock that a table stores an item for: longer than the log can look back, plus 19 days for an event
# from its inlet to its fold, so that every reader reads an expired item as absent already. An event is put on the
# stream within a week, and waits at most six days on another shard and six on its shop's. The log looks back 31 days
# and an hour at conversations; at histories as far as the longest window reaches, from a clock that an event 30 days
# old may set after a long silence.
CONVERSATION_DAYS = 51
HISTORY_DAYS = LONGEST_REACH // DAY + 55

_POLICY, _RULES = "policy", "rules"
_FINDINGS = ""
_FIELDS_OF_ALERTS_WITH_IDS = 11
_STORED_FIELDS = (*(name for name in OPTIONAL_FIELDS if name not in ("text", "query")), "text_digest")
_STORED_VALUES = attrgetter(*_STORED_FIELDS)
_ALL_STORED = frozenset({*_STORED_FIELDS, "policies_known"})


@dataclass(slots=True, eq=False, repr=False)
class ConversationItem(ByFields):
    """A conversation, the imports it has absorbed, and the deadline that its timer rings at.

    By rule, its alerts, and since when conditions have held.
    """

    conversation: Conversation = EMPTY
    absorbed: tuple[str, ...] = ()
    alert_states: dict[str, AlertState] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    timer: Deadline | None = None


class KnownFinding(NamedTuple):
    """The finding of a name that counts about a subject: for which instant it was found, and until when it holds."""

    as_of: int
    valid_until: int


@dataclass(slots=True, eq=False, repr=False)
class HistoryItem(ByFields):
    """The histories of an entity and of those that are stored with it, by key; what was found about it, by name."""

    histories: dict[str, History] = field(default_factory=dict)
    absorbed: tuple[str, ...] = ()
    alert_states: dict[str, AlertState] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    findings: dict[str, KnownFinding] = field(default_factory=dict)


def encode_conversation(item: ConversationItem) -> bytes:
    """The stored form of a conversation."""
    conversation = item.conversation
    events = [_event_to_stored(event) for event in conversation.events]
    held = [conversation.touched_at, conversation.imported, events, conversation.past]
    waits = [list(conversation.reached), item.timer] if conversation.reached or item.timer else None
    return pack([*held, waits, list(item.absorbed), _alerts_to_stored(item)])


def decode_conversation(data: bytes, shop_id: str) -> ConversationItem:
    """The item that `encode_conversation` wrote, for the shop that stores it."""
    touched_at, imported, events, past, waits, absorbed, alerts = unpack(data)
    alert_states, since, _ = _alerts_from_stored(alerts)
    held = tuple(_event_from_stored(stored, shop_id) for stored in events)
    reached, timer = waits or ((), None)
    stages = tuple(Reached(*one) for one in reached)
    return ConversationItem(
        conversation=Conversation(held, touched_at, imported, _past_from_stored(past), reached=stages),
        absorbed=tuple(absorbed),
        alert_states=alert_states,
        held=since,
        timer=Deadline(*timer) if timer else None,
    )


def encode_histories(item: HistoryItem, plan: HistoryPlan, *, revision: int = 0) -> bytes:
    """The stored form of an entity's histories, with the windows that they hold and the revision of their counting."""
    stored = {key: history.to_stored() for key, history in sorted(item.histories.items())}
    described = {entity: plan.described[entity] for entity in sorted({entity_name(key) for key in stored})}
    return pack([revision, described, stored, list(item.absorbed), _alerts_to_stored(item)])


def decode_histories(
    data: bytes, plan: HistoryPlan, counting: Counting = EVERYTHING, *, revision: int | None = None
) -> HistoryItem:
    """The item that `encode_histories` wrote, as far as it is of this plan and its sums count.

    `revision` is the one at which they count, for items of an import; else their own.
    """
    stored_revision, described, stored, absorbed, alerts = unpack(data)
    alert_states, since, findings = _alerts_from_stored(alerts)
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
        alert_states=alert_states,
        held=since,
        findings=findings,
    )


def item_key(shop_id: str, key: str) -> str:
    """The key of a shop's item in the table of states."""
    return f"{shop_id}{SEPARATOR}{key}"


def policy_key(number: int) -> str:
    """The key of the document of a shop's policy, by its number in the order of the log, from 1.

    >>> policy_key(1)
    'policy\\x1f1'
    """
    return f"{_POLICY}{SEPARATOR}{number}"


def rules_key(number: int) -> str:
    """The key of a revision of a shop's own rules, by its number in the order of the log, from 1.

    >>> rules_key(1)
    'rules\\x1f1'
    """
    return f"{_RULES}{SEPARATOR}{number}"


def is_settings(key: str) -> bool:
    """Whether an item holds a document of settings, which no rebuild writes and no time deletes."""
    return entity_name(key) in (_POLICY, _RULES)


def stored_days(key: str) -> int | None:
    """The days of the wall clock for which the item of a key is stored; None for one that stays."""
    if is_settings(key):
        return None
    return CONVERSATION_DAYS if entity_name(key) in KEY_NAMES else HISTORY_DAYS


def carry_alerts(rebuilt: bytes, *, before: bytes) -> bytes:
    """A rebuilt item with the alerts of the item `before` it: the last part of any item, whatever fold wrote it."""
    *whole, _ = unpack(rebuilt)
    alerts = unpack(before)[-1]
    return pack([*whole, alerts]) if alerts else rebuilt


def encode_part(part: ImportedPart) -> bytes:
    """The stored form of an import's part of a conversation; events of both sides are stored once."""
    places = {event: place for place, event in enumerate(part.after.events)}
    before = [places.get(event, _event_to_stored(event)) for event in part.before.events]
    after = [_event_to_stored(event) for event in part.after.events]
    sides = zip(part, (before, after), strict=True)
    return pack([[one.touched_at, one.imported, one.past, events] for one, events in sides])


def decode_part(data: bytes, shop_id: str) -> ImportedPart:
    """The part that `encode_part` wrote."""
    before, after = unpack(data)
    whole = [_event_from_stored(stored, shop_id) for stored in after[-1]]
    known = [whole[one] if isinstance(one, int) else _event_from_stored(one, shop_id) for one in before[-1]]
    return ImportedPart(_side(known, before), _side(whole, after))


def _side(events: list[InteractionEvent], stored: list[Any]) -> Conversation:  # type: ignore[explicit-any]  # our own JSON
    touched_at, imported, past, _ = stored
    return Conversation(tuple(events), touched_at, imported, _past_from_stored(past))


def encode_pack(items: Mapping[str, bytes]) -> bytes:
    """Many encoded items of an import as one."""
    return pack({key: data.hex() for key, data in sorted(items.items())})


def decode_pack(data: bytes) -> dict[str, bytes]:
    """The encoded items in a pack, by key."""
    return {key: bytes.fromhex(text) for key, text in unpack(data).items()}


def pack_key(import_id: str, key: str, buckets: int) -> str:
    """The key of the pack of an import in which an item of this key would be."""
    return f"import\x1f{import_id}\x1f{zlib.crc32(key.encode()) % buckets}"


def stored_key(key: str, generation: str) -> str:
    """The key under which an item of a generation is stored."""
    return f"{key}\x1f@{generation}" if generation else key


def entity_name(key: str) -> str:
    """The entity's name in the key of a history."""
    return key.partition("\x1f")[0]


def _event_to_stored(event: InteractionEvent) -> list[object]:
    values = zip(_STORED_FIELDS, _STORED_VALUES(event), strict=True)
    extra = {name: value for name, value in values if value is not None}
    if event.policies_known:
        extra["policies_known"] = event.policies_known
    return [event.event_id, event.kind, event.occurred_at, event.received_at, event.precision, extra]


def _event_from_stored(stored: list[Any], shop_id: str) -> InteractionEvent:  # type: ignore[explicit-any]  # our own JSON
    event_id, kind, occurred_at, received_at, precision, extra = stored
    if not _ALL_STORED.issuperset(extra):  # fields of a later release are left out
        extra = {name: value for name, value in extra.items() if name in _ALL_STORED}
    return InteractionEvent(
        event_id=event_id,
        shop_id=shop_id,
        kind=kind,
        occurred_at=occurred_at,
        received_at=received_at,
        precision=precision,
        **extra,
    )


def _past_from_stored(stored: list[Any] | None) -> Past | None:  # type: ignore[explicit-any]  # our own JSON
    if stored is None:
        return None
    rounds, end, owner, replied, assigned_agent, amount_minor, contact, agents, currency = stored
    return Past(
        rounds,
        end,
        owner,
        None if replied is None else (replied[0], replied[1]),
        assigned_agent,
        amount_minor,
        tuple((name, value) for name, value in contact),
        tuple((agent_id, tuple((name, value) for name, value in named)) for agent_id, named in agents),
        currency,
    )


def _alerts_to_stored(item: ConversationItem | HistoryItem) -> object:
    """The alerts by rule, and findings under a name that no rule has: a release without findings leaves that out.

    Where conditions within `for` hold, they are in a list behind these.
    """
    alerts: dict[str, object] = {rule: list(state) for rule, state in sorted(item.alert_states.items())}
    if isinstance(item, HistoryItem) and item.findings:
        alerts = {_FINDINGS: dict(sorted(item.findings.items())), **alerts}
    return [alerts, dict(sorted(item.held.items()))] if item.held else alerts


def _alerts_from_stored(  # type: ignore[explicit-any]  # our own JSON
    stored: Any,
) -> tuple[dict[str, AlertState], dict[str, Held], dict[str, KnownFinding]]:
    """The states by rule, since when conditions have held, and findings by name.

    A state of a release without alert ids is absent.
    """
    alerts, held = stored if isinstance(stored, list) else (stored, {})
    fields = range(_FIELDS_OF_ALERTS_WITH_IDS, len(AlertState._fields) + 1)
    return (
        {rule: AlertState(*values) for rule, values in alerts.items() if rule and len(values) in fields},
        {rule: Held(Stretch(*stretch), since) for rule, (stretch, since) in held.items()},
        {name: KnownFinding(*known) for name, known in alerts.get(_FINDINGS, {}).items()},
    )
