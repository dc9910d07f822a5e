"""What a conversation holds: the log's events in their places, and what imports bring into it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.story import Placed, Policy, imported_content


@dataclass(frozen=True)
class NaivePart:
    """A conversation in an import: its events as the shop held them, as they are with the import's, and
    when they were last touched."""

    before: tuple[Placed, ...]
    after: tuple[Placed, ...]
    touched_at: int


def joined(known: Iterable[Placed], parts: Iterable[NaivePart]) -> list[Placed]:
    """The known events, then each import's events: a changed one in its place, a new one as the part has it.

    What a part only holds, as the shop held it when the import was made, leaves alone what the log has corrected since.
    """
    events = list(known)
    for part in parts:
        for one in part.after:
            same = [held for held in events if held.event.event_id == one.event.event_id]
            if not same:
                events.append(one)
            elif _brings(part, one) and imported_content(same[0].event) != imported_content(one.event):
                events[events.index(same[0])] = same[0]._replace(event=one.event)
    return events


def _brings(part: NaivePart, one: Placed) -> bool:
    """Whether an event of a part is the import's: new, or of another content than the shop held."""
    return imported_content(one.event) not in [imported_content(held.event) for held in part.before]


def with_event(
    held: list[Placed], event: InteractionEvent, number: int | None = None, policies: tuple[Policy, ...] = ()
) -> list[Placed]:
    """What a conversation holds with an event of the log: a correction in its place, a new one as the latest.

    `number` is its place on the log, where it has one, and `policies` are those that the log brought before it; a
    correction has those of the content that it corrects.
    """
    if event.event_id in ids_of(held):
        return [_corrected(one, event) if one.event.event_id == event.event_id else one for one in held]
    numbers = [one.number for one in held if one.number is not None]
    latest = max(numbers, default=-1) + 1
    return [*held, Placed(event, latest if number is None else number, policies)]


def _corrected(known: Placed, event: InteractionEvent) -> Placed:
    """The later content at the place and the instant of the known one."""
    return known._replace(event=at_the_instant_of(known.event, event))


def at_the_instant_of(known: InteractionEvent, event: InteractionEvent) -> InteractionEvent:
    """A correction, at the instant of what it corrects."""
    times = {"occurred_at": known.occurred_at, "received_at": known.received_at, "stated_at": known.stated_at}
    return replace(event, precision=known.precision, **times)  # type: ignore[arg-type]  # instants


def ids_of(placed: Iterable[Placed]) -> set[str]:
    """The ids of all events."""
    return {one.event.event_id for one in placed}
