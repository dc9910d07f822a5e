"""The first phase of a commit: what each new record is and does to its conversation, and every item that it needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from service_quality.alerts.rules import Rule
from service_quality.commit.readings import (
    Applied,
    Aside,
    Duplicate,
    EventStep,
    Failed,
    FindingRead,
    Found,
    Reading,
    Silent,
    Unfit,
)
from service_quality.commit.shop_item import Parked, ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.conversations.conversation import conversation_key, reject_too_old
from service_quality.errors import RejectedEventError, ServiceQualityError
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import read_record
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation, step_conversation, step_time
from service_quality.facts.entities import ATTRIBUTES, ENTITIES, item_key_of
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scored_event import entity_keys, unit_key
from service_quality.tasks.declared_tasks import Task

if TYPE_CHECKING:
    from service_quality.events.control_records import ControlRecord, RecordPutBack, ShopRecord
    from service_quality.events.control_signatures import ControlKey

Reasons = Mapping[str, RejectedEventError]
#: What is folded into one item of the shop's state, beside what changes the shop itself.
Foldable = InteractionEvent | TimeReached | FindingReported


class _Placed(NamedTuple):
    """A record with its content, before its conversation is looked at."""

    position: str
    record: LogRecord
    content: "InteractionEvent | TimeReached | Found"
    parked: Parked | None


@dataclass(slots=True, eq=False, repr=False)
class LogReader:
    """Reads records in log order and loads what they need; it changes nothing of the state but to load items.

    Under `parks` every record is set aside. `tasks` are those that score entities.
    """

    state: ShopState
    features: FeatureSet
    rules: tuple[Rule, ...]
    read_items: Callable[[str, list[str]], Mapping[str, bytes]]
    key: "ControlKey | None" = None
    parks: bool = False
    tasks: Sequence[Task] = ()
    _unfit: Reasons = field(default_factory=dict)
    _folded: dict[str, FoldedConversation] = field(default_factory=dict)
    _odd: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, records: Sequence[LogRecord], *, unfit: Reasons) -> list[Reading]:
        """The readings of the records, up to the first behind which other items would be read, or that fails.

        `unfit` are known reasons of rejections by position.
        """
        self._unfit = unfit
        return self._read_placed(self._place_all(records))

    def read_events(self, events: Iterable[InteractionEvent]) -> list[Found]:
        """What events do to their conversations, one after the other, with every item loaded."""
        placed = [_Placed("", LogRecord("", b"", event.received_at), event, None) for event in events]
        return [reading.found for reading in self._read_placed(placed)]

    def _read_placed(self, placed: Sequence[_Placed]) -> list[Reading]:
        """The readings of placed records, with every item loaded that folding them reads."""
        self.state.load_settings(lambda keys: self.read_items(self.state.shop_id, keys), self.features)
        contents = [one.content for one in placed]
        events = [one for one in contents if isinstance(one, InteractionEvent | TimeReached)]
        found = {one.item_key for one in contents if isinstance(one, FindingRead)}
        self._load({key for event in events for key in self._first_keys(event)} | found)
        readings = self._step_all(placed)
        self._load({key for one in readings if isinstance(one.found, EventStep) for key in one.found.keys})
        return readings

    def _place_all(self, records: Sequence[LogRecord]) -> list[_Placed]:
        parked, before = self.state.shop.parked, self.state.shop.last_position
        placed: list[_Placed] = []
        for record in records:
            one = self._place(record, parked, before)
            placed.append(one)
            if isinstance(one.content, Failed) or (isinstance(one.content, Applied) and one.content.ends_reading):
                break
            parked, before = one.parked, one.position
        return placed

    def _place(self, record: LogRecord, parked: Parked | None, before: str) -> _Placed:
        """Whether a record is to be folded, applied, rejected or set aside, behind those that are parked."""
        parsed = self._parse(record, is_outer=True)
        if isinstance(parsed, Unfit | Failed):
            return _Placed(record.position, record, parsed, parked)
        if not isinstance(parsed, InteractionEvent | TimeReached | FindingReported):
            return self._place_control(record, parsed, parked, before)
        if self._is_held_up(parked):
            return self._set_aside(record, record, "", parked, before)
        return _Placed(record.position, record, _with_subject(parsed), parked)

    def _place_control(self, record: LogRecord, control: "ShopRecord", parked: Parked | None, before: str) -> _Placed:
        """Whether a control record is to be applied or set aside; what lets a shop go on waits for nothing."""
        from service_quality.events.control_records import (  # noqa: PLC0415  # few batches hold one
            RecordPutBack,
            ShopUnparked,
            StateRebuilt,
        )

        if isinstance(control, RecordPutBack):
            return self._place_put_back(record, control, parked, before)
        goes_on = isinstance(control, StateRebuilt) or (isinstance(control, ShopUnparked) and not self.state.waits)
        if not goes_on and self._is_held_up(parked):
            return self._set_aside(record, record, "", parked, before)
        return _place_applied(record.position, record, control, parked)

    def _place_put_back(
        self, record: LogRecord, put_back: "RecordPutBack", parked: Parked | None, before: str
    ) -> _Placed:
        """A record that comes back is folded at its new position, with its first arrival, while newer ones are parked.

        It is set aside again where its run has failed, or fails with it.
        """
        first = LogRecord(put_back.order, put_back.data, put_back.arrived_at)
        if self.parks or self.state.waits:
            return self._set_aside(record, first, put_back.run, parked, before)
        if parked is not None and put_back.run in ("", parked.failed_run):
            return self._set_aside(record, first, "", parked, before)
        inner = LogRecord(record.position, put_back.data, put_back.arrived_at)
        parsed = self._parse(inner)
        folded = _folded_until(parked, record.position)
        if isinstance(parsed, Unfit | Failed | InteractionEvent | TimeReached | FindingReported):
            return _Placed(record.position, inner, _with_subject(parsed), folded)
        return _place_applied(record.position, inner, parsed, folded)

    def _set_aside(
        self, record: LogRecord, first: LogRecord, failed_run: str, parked: Parked | None, before: str
    ) -> _Placed:
        """The shop stays parked until a run knows of every record that the log has set aside by then: a record that
        comes back has an earlier position of its own, and may be set aside after a run has listed the others.
        """
        held = parked or Parked("", follows=before)
        behind = Parked(max(held.until, record.position), failed_run or held.failed_run, held.follows)
        return _Placed(record.position, first, Aside(), behind)

    def _is_held_up(self, parked: Parked | None) -> bool:
        """Whether a record has to be set aside: behind earlier ones, or until the state is rebuilt."""
        return self.parks or self.state.waits or parked is not None

    def _parse(
        self, record: LogRecord, *, is_outer: bool = False
    ) -> "InteractionEvent | ControlRecord | Unfit | Failed":
        try:
            parsed, odd = read_record(
                record.data, arrived_at=record.arrived_at, shop_id=self.state.shop_id, key=self.key
            )
        except RejectedEventError as error:
            return Unfit(error, is_unreadable=is_outer and not self.parks)
        except ServiceQualityError:
            raise
        except Exception as error:
            known = self._unfit.get(record.position)
            return Unfit(known) if known is not None else Failed(error)
        self._odd[record.position] = odd
        return parsed

    def _step_all(self, placed: Sequence[_Placed]) -> list[Reading]:
        shop, ahead = self.state.shop, dict[str, FoldedConversation]()
        readings: list[Reading] = []
        for one in placed:
            found, moved = one.content, shop
            if isinstance(found, InteractionEvent | TimeReached):
                moved = shop.after(found)
                found = self._step(found, one.position, moved, ahead)
            elif isinstance(found, FindingRead) and (known := self._unfit.get(one.position)) is not None:
                found = Unfit(known)
            odd = self._odd.get(one.position, ())
            readings.append(Reading(one.position, one.record, found, one.parked, odd))
            if isinstance(found, Failed):
                break
            if isinstance(found, EventStep):
                shop = moved
                ahead[conversation_key(found.event)] = found.step.after
        self._folded |= ahead
        return readings

    def _step(
        self,
        event: InteractionEvent | TimeReached,
        position: str,
        moved: ShopItem,
        ahead: Mapping[str, FoldedConversation],
    ) -> Found:
        """What an event does to its conversation as it is by then, at the clocks that it has moved."""
        known, key = self._unfit.get(position), conversation_key(event)
        if known is not None:
            return Unfit(known)
        try:
            reject_too_old(event, received_clock=moved.received_clock)
            fold = step_time if isinstance(event, TimeReached) else step_conversation
            step = fold(
                ahead.get(key) or self._held(key),
                event,  # type: ignore[arg-type]  # the fold is that of its kind
                received_clock=moved.received_clock,
                imported=() if key in ahead else self.state.imported(key),
                policies=self.state.policies,
            )
            if step is not None:
                return EventStep(event, step.complete(), self._keys_read(step))
            return Silent() if isinstance(event, TimeReached) else Duplicate()
        except RejectedEventError as error:
            return Unfit(error)
        except ServiceQualityError:
            raise
        except Exception as error:
            return Failed(error)

    def _held(self, key: str) -> FoldedConversation:
        """A conversation as the state holds it, with what is computed of it already."""
        conversation = self.state.conversation(key).conversation
        folded = self._folded.get(key)
        if folded is None or folded.conversation is not conversation:
            folded = self._folded[key] = FoldedConversation(conversation, self.features.plan.kept, self.state.policies)
        return folded

    def _first_keys(self, event: InteractionEvent | TimeReached) -> set[str]:
        """The keys of the items to read before the event's step; without its conversation's item there is no step."""
        keys = {conversation_key(event)}
        try:
            return keys | self._keys_named_by(event)
        except Exception:  # what fails here, with the step again, is found where the record is known
            return keys

    def _keys_named_by(self, event: InteractionEvent | TimeReached) -> set[str]:
        """The keys of those items to read that the event alone names in full: they are read with the conversations."""
        if event.kind not in SCORED:
            return self._units(event)
        named = {part: getattr(event, part) for part in ATTRIBUTES}
        entities = (ENTITIES[name] for name in self.features.plan.windows)
        keys = {key for entity in entities if not entity.stored_with and (key := entity.key(named)) is not None}
        return keys | self._units(event)

    def _units(self, event: InteractionEvent | TimeReached) -> set[str]:
        """The keys of the entities that tasks score at an event."""
        return {key for task in self.tasks if (key := unit_key(task, event)) is not None}

    def _keys_read(self, step: ConversationStep) -> frozenset[str]:
        keys = step.changed_items
        if step.scored:
            keys |= {item_key_of(key) for key in entity_keys(step, self.features).values()}
        rules = self.state.rules_over(self.rules)
        keys |= self._units(step.event)
        return frozenset(keys | {step.keys[rule.subject] for rule in rules if rule.subject in step.keys})

    def _load(self, keys: set[str]) -> None:
        self.state.load(keys, lambda wanted: self.read_items(self.state.shop_id, wanted))


def _folded_until(parked: Parked | None, position: str) -> Parked | None:
    """How a shop is parked behind a record that was folded all the same."""
    return parked._replace(follows=position) if parked is not None else None


def _with_subject(parsed: "Foldable | Unfit | Failed") -> "InteractionEvent | TimeReached | Found":
    """What was parsed; a finding with its subject's item, or rejected where this release does not know it."""
    if not isinstance(parsed, FindingReported):
        return parsed
    from service_quality.commit.finding_fold import finding_key  # noqa: PLC0415  # few batches hold one

    try:
        return FindingRead(parsed, finding_key(parsed))
    except RejectedEventError as error:
        return Unfit(error)


def _place_applied(position: str, record: LogRecord, control: "ShopRecord", parked: Parked | None) -> _Placed:
    """A control record to apply, and how its shop is parked behind it."""
    from service_quality.commit import control as effects  # noqa: PLC0415  # few batches hold one

    applied = Applied(control, effects.ends_reading(control))
    return _Placed(position, record, applied, effects.behind(control, parked))
