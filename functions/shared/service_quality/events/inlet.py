"""An inlet: events of messages and calls go on the stream, rejected ones are stored, the sender learns the outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service_quality.errors import DependencyError
from service_quality.events.carriers import Contents
from service_quality.events.intake import Intake, rejection_of, take_in
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import Rejection
from service_quality.events.queue_messages import message_id_of, read_message

EVENTS_AT_ONCE = 500  # what one request to the stream holds


@dataclass(slots=True, eq=False)
class Delivery:
    """A message of a queue's batch, its intake, and whether it must be retried."""

    message_id: str
    intake: Intake
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TakenBatch:
    """A queue's batch: its intakes, the events that are on the stream, and the ids of messages to be retried.

    `postponed` counts those of the retried messages for which there was no time.
    """

    intakes: list[Intake]
    accepted: int
    failed: list[str]
    postponed: int


@dataclass(slots=True, eq=False, repr=False)
class Inlet:
    """Takes events in. `put` returns the indexes of events that the stream did not take; `now` is the wall clock."""

    put: Callable[[Sequence[InteractionEvent]], set[int]]
    store: Callable[[Sequence[Rejection]], None]
    now: Callable[[], int]
    retention: int

    def take_call(self, contents: Contents, *, name: str) -> tuple[Intake, int]:
        """The intake of a direct call, and how many of its accepted events the stream did not take."""
        now = self.now()
        intake = take_in(contents, now=now, retention=self.retention)
        self._store_rejected(intake, message_id=name, arrived_at=now)
        return intake, len(self.put(list(intake.accepted.values())))

    def take_messages(self, messages: Sequence[object], *, name: str, has_time: Callable[[], bool]) -> TakenBatch:
        """A batch of a queue: a message fails only where a dependency failed; a bad event is stored and done with.

        Messages for which the time does not suffice are handed back, all but the first. A failed message without an id
        is an empty text among the failed: then the whole batch must be retried.
        """
        deliveries: list[Delivery] = []
        waiting: list[Delivery] = []
        for number, message in enumerate(messages):
            if number and not has_time():
                break
            waiting.append(self._receive(message, name=f"{name}-{number}"))
            if sum(len(one.intake.accepted) for one in waiting) >= EVENTS_AT_ONCE:
                self._put_messages(waiting)
                deliveries += waiting
                waiting = []
        self._put_messages(waiting)
        deliveries += waiting
        left = messages[len(deliveries) :]
        failed = [one.message_id for one in deliveries if one.failed] + [message_id_of(message) for message in left]
        accepted = sum(len(one.intake.accepted) for one in deliveries if not one.failed)
        return TakenBatch([one.intake for one in deliveries], accepted, failed, len(left))

    def _receive(self, message: object, *, name: str) -> Delivery:
        """Open a message and store what is rejected of it; the message fails where the store fails."""
        now = self.now()
        read = read_message(message)
        delivery = Delivery(read.message_id, take_in(read.contents, now=now, retention=self.retention))
        try:
            self._store_rejected(delivery.intake, message_id=read.message_id or name, arrived_at=read.sent_at or now)
        except DependencyError:
            delivery.failed = True
        return delivery

    def _put_messages(self, deliveries: Sequence[Delivery]) -> None:
        """Put the events of messages on the stream; a message fails unless the stream takes all of its events."""
        origins = [(one, event) for one in deliveries if not one.failed for event in one.intake.accepted.values()]
        try:
            left = self.put([event for _, event in origins])
        except DependencyError:
            left = set(range(len(origins)))
        for index in left:
            origins[index][0].failed = True

    def _store_rejected(self, intake: Intake, *, message_id: str, arrived_at: int) -> None:
        """Store what was rejected, under the message it came in."""
        self.store([rejection_of(one, message_id=message_id, arrived_at=arrived_at) for one in intake.rejected])
