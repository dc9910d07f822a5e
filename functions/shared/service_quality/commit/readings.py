"""Readings: what each new record of a shop's log is, found before anything is folded into the shop's state."""

from typing import NamedTuple

from service_quality.commit.shop_item import Parked
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import (
    ControlRecord,
    HistoryFilled,
    HistoryImported,
    SettingsChanged,
    StateRebuilt,
)
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.facts.conversation_fold import ConversationStep


class EventStep(NamedTuple):
    """An event, what it does to its conversation, and the keys of the items that folding it reads."""

    event: InteractionEvent
    step: ConversationStep
    keys: frozenset[str]


class Duplicate:
    """A record whose event was folded before."""


class Unfit(NamedTuple):
    """A record to reject; `is_unreadable` for one that is neither an event nor a control record of this shop."""

    error: RejectedEventError
    is_unreadable: bool = False


class Aside:
    """A record to set aside."""


class Applied(NamedTuple):
    """A control record to apply."""

    control: ControlRecord

    @property
    def ends_reading(self) -> bool:
        """Whether the items that are read for later records would be others."""
        return isinstance(self.control, HistoryImported | HistoryFilled | StateRebuilt | SettingsChanged)


class Failed(NamedTuple):
    """A record that our own code fails on."""

    error: Exception


Found = EventStep | Duplicate | Unfit | Aside | Applied | Failed


class Reading(NamedTuple):
    """A record of the log as found, and how its shop is parked behind it.

    `record` is the one that a put-back record holds, where it holds one; `position` is where the log has it now.
    `odd` are the fields of an event whose values could not be used.
    """

    position: str
    record: LogRecord
    found: Found
    parked: Parked | None
    odd: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of the record, as far as the archive takes them."""
        return len(self.record.data)
