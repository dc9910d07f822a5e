"""Readings: what each new record of a shop's log is, found before anything is folded into the shop's state."""

from typing import TYPE_CHECKING, NamedTuple

from service_quality.commit.shop_item import Parked
from service_quality.errors import RejectedEventError
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep

if TYPE_CHECKING:
    from service_quality.events.control_records import ShopRecord


class EventStep(NamedTuple):
    """An event or a reached deadline, what it does to its conversation, and the keys of the items that it reads."""

    event: InteractionEvent | TimeReached
    step: ConversationStep
    keys: frozenset[str]


class FindingRead(NamedTuple):
    """A finding, and the key of its subject's item."""

    finding: FindingReported
    item_key: str


class Duplicate:
    """A record whose event was folded before."""


class Silent:
    """A reached deadline from which nothing follows."""


class Unfit(NamedTuple):
    """A record to reject; `is_unreadable` for one that is neither an event nor a control record of this shop."""

    error: RejectedEventError
    is_unreadable: bool = False


class Aside:
    """A record to set aside."""


class Applied(NamedTuple):
    """A control record to apply; `ends_reading` where the items that are read for later records would be others."""

    control: "ShopRecord"
    ends_reading: bool


class Failed(NamedTuple):
    """A record that our own code fails on."""

    error: Exception


Found = EventStep | FindingRead | Duplicate | Silent | Unfit | Aside | Applied | Failed


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
