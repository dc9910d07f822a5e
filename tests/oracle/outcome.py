"""Whose contact it is and how it stands: assignment, owner, transfers, resolution, rating. Events in order of time."""

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.waiting import Events, of_kind, replies


def assigned_agent(events: Events) -> str | None:
    """Whom the contact was last given to, by an assignment or by an opening that names an agent."""
    given = [e.agent_id for e in of_kind(events, "assigned", "conversation_opened") if e.agent_id is not None]
    return given[-1] if given else None


def owner(events: Events) -> str | None:
    """Whom the outcome belongs to: the agent of the last reply, before any reply the assigned one."""
    answered = replies(events)
    return answered[-1].answer.agent_id if answered else assigned_agent(events)


def transfers(events: Events) -> list[InteractionEvent]:
    """Assignments from one agent to another; the first assignment and one to the same agent do not count."""
    return [
        event
        for place, event in enumerate(events)
        if event.kind == "assigned" and assigned_agent(events[:place]) not in (None, event.agent_id)
    ]


def resolution(events: Events) -> InteractionEvent | None:
    """The last resolution, unless a customer's message or a reopening came after it."""
    ends = of_kind(events, "resolved", "customer_message", "reopened")
    return ends[-1] if ends and ends[-1].kind == "resolved" else None


def rating(events: Events) -> InteractionEvent | None:
    """The last rating."""
    rated = of_kind(events, "rated")
    return rated[-1] if rated else None


def is_closed(events: Events) -> bool:
    """Whether the contact is rated, or resolved and not taken up again."""
    return rating(events) is not None or resolution(events) is not None


def is_scored(event: InteractionEvent, events: Events) -> bool:
    """Whether an event asks for a score: service and complaints, in a contact that is not rated; `events` hold it."""
    asks = event.kind in (
        "conversation_opened", "customer_message", "agent_message", "bot_message", "internal_note", "assigned",
        "status_changed", "resolved", "reopened", "complaint_filed",
    )  # fmt: skip
    return asks and event.conversation_id is not None and rating(events) is None
