"""Messages of a queue as a function receives them: ids, times of sending, contents."""

from dataclasses import dataclass

from service_quality.errors import RejectedEventError
from service_quality.events.carriers import Contents, open_carrier, reject_carrier

_MILLISECOND_DIGITS = 13  # of every instant from 2001 to 2286


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message: its id, "" without one; when the queue received it, None where that is missing; its contents."""

    message_id: str
    sent_at: int | None
    contents: Contents


def messages_within(event: object) -> list[object] | None:
    """The messages of a queue's batch, which is recognised by their ids; None for any other event.

    >>> messages_within({"Records": [{"messageId": "m"}]}), messages_within({"Records": 7}), messages_within([])
    ([{'messageId': 'm'}], None, None)
    """
    if not isinstance(event, dict) or event.keys() & {"event_id", "preview"}:
        return None
    records = event.get("Records")
    return records if isinstance(records, list) and any(map(message_id_of, records)) else None


def message_id_of(message: object) -> str:
    """The queue's id of a message; "" without one."""
    message_id = message.get("messageId") if isinstance(message, dict) else None
    return message_id if isinstance(message_id, str) else ""


def read_message(message: object) -> QueueMessage:
    """Open a message; a message without a body is rejected whole."""
    if isinstance(message, dict) and "body" in message:
        return QueueMessage(message_id_of(message), _sent_at(message.get("attributes")), open_carrier(message["body"]))
    error = RejectedEventError("no_event", found="a message without a body", expected="a body with an event")
    return QueueMessage(message_id_of(message), None, reject_carrier(message, error))


def _sent_at(attributes: object) -> int | None:
    sent = attributes.get("SentTimestamp") if isinstance(attributes, dict) else None
    if not isinstance(sent, str) or len(sent) != _MILLISECOND_DIGITS or not (sent.isascii() and sent.isdecimal()):
        return None
    return int(sent)
