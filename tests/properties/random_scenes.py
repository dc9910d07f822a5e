"""Short stories that chance seldom tells: answers by a clock that is behind, silences, unanswered and rated rounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from tests.properties.random_oddities import THANKS, WORDS

#: The kind of a step at which a job has found something about the customer.
FINDING = "finding"


class Step(NamedTuple):
    """One event of a scene, or a finding: its kind, its stamp after the scene's beginning, and what else it says.

    `again` is the number of an earlier step whose id it has: a correction.
    """

    kind: str
    at: int
    said: Mapping[str, Any] = {}
    again: int | None = None


_ANN, _BOB, _NOBODY = ({"agent_id": agent_id} for agent_id in ("ann", "bob", None))
_ASKS = {"text": WORDS, "courtesy": None}
_THANKS = {"text": THANKS, "courtesy": 1}
_WORDLESS = {"text": None}

#: An answer stamped before its question arrives after it, so the arrival is in the order given here.
SCENES: tuple[tuple[Step, ...], ...] = (
    (
        Step("customer_message", MINUTE, _ASKS),
        Step("customer_message", MINUTE + 20 * SECOND, _ASKS),
        Step("agent_message", 5 * SECOND, _ANN),
    ),
    (
        Step("customer_message", MINUTE, _ASKS),
        Step("agent_message", 10 * SECOND, _ANN),
        Step("agent_message", 40 * SECOND, _BOB),
    ),
    (
        Step("customer_message", 30 * SECOND, _ASKS),
        Step("customer_message", 50 * SECOND, _ASKS),
        Step("agent_message", 5 * SECOND, _ANN),
    ),
    (
        Step("customer_message", MINUTE, _ASKS),
        Step("agent_message", 0, _BOB),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("customer_message", 50 * SECOND, _ASKS),
        Step("customer_message", 90 * SECOND, _ASKS),
        Step("agent_message", 40 * SECOND, _BOB),
    ),
    (
        Step("agent_message", 0, _ANN),
        Step("customer_message", DAY, _THANKS),
        Step("internal_note", 7 * DAY + HOUR, _NOBODY),
        Step("agent_message", 7 * DAY + 2 * HOUR, _BOB),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("complaint_filed", DAY),
        Step("agent_message", 7 * DAY + HOUR, _ANN),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("rated", DAY, {"rating": 1}),
        Step("agent_message", 7 * DAY + HOUR, _ANN),
    ),
    (
        Step("conversation_opened", 0, {**_WORDLESS, **_ANN}),
        Step("agent_message", 5 * SECOND, _BOB),
        Step("rated", MINUTE, {"rating": 2}),
        Step("customer_message", HOUR, _ASKS),
        Step("agent_message", HOUR + MINUTE, _ANN),
    ),
    (
        Step("conversation_opened", 0, {**_WORDLESS, **_NOBODY}),
        Step("agent_message", 30 * MINUTE, _BOB),
        Step("customer_message", HOUR, _ASKS),
    ),
    (
        Step("assigned", 0, _ANN),
        Step("customer_message", MINUTE, _ASKS),
        Step("assigned", 2 * MINUTE, _NOBODY),
        Step("agent_message", 5 * MINUTE, _BOB),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("agent_message", MINUTE, _ANN),
        Step("rated", 2 * MINUTE, {"rating": 5}),
        Step("complaint_filed", 3 * MINUTE, _NOBODY),
        Step("internal_note", 4 * MINUTE, _NOBODY),
    ),
    (
        Step("assigned", 0, _ANN),
        Step("customer_message", MINUTE, _ASKS),
        Step("agent_message", 2 * MINUTE, _BOB),
        Step("customer_message", 3 * MINUTE, _ASKS),
        Step("resolved", 4 * MINUTE, _NOBODY),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("agent_message", 4 * HOUR, _ANN),
        Step("agent_message", 4 * HOUR, _BOB),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("agent_message", MINUTE, _ANN),
        Step("resolved", 2 * MINUTE, _NOBODY),
        Step("customer_message", 3 * MINUTE, _ASKS),
        Step("rated", 4 * MINUTE, {"rating": 3}),
        Step("customer_message", 5 * MINUTE, _THANKS),
    ),
    (
        Step("customer_message", 0, _ASKS),
        Step("agent_message", MINUTE, {**_ANN, "category": "delivery"}),
        Step("agent_message", MINUTE, _BOB),
        Step("agent_message", MINUTE, {**_ANN, "category": "returns"}, again=1),
    ),
    (
        Step("agent_message", 0, _ANN),
        *(Step("internal_note", week * 7 * DAY, _NOBODY) for week in range(1, 5)),
        Step("customer_message", 30 * DAY + HOUR, _ASKS),
        Step("agent_message", 30 * DAY + 2 * HOUR, _BOB),
    ),
    (
        Step("conversation_opened", 0, {**_WORDLESS, **_NOBODY}),
        Step("agent_message", 5 * SECOND, _ANN),
        *(Step("agent_message", week * 7 * DAY, _ANN) for week in range(1, 5)),
        Step("customer_message", 30 * DAY + HOUR, _ASKS),
    ),
    (
        Step("agent_message", 0, _ANN),
        *(Step("internal_note", week * 7 * DAY, _NOBODY) for week in range(1, 4)),
        Step("customer_message", 27 * DAY, _ASKS),
        Step("customer_message", 30 * DAY + HOUR, _ASKS),
        Step("resolved", 30 * DAY + 2 * HOUR, _NOBODY),
    ),
)

#: Played by themselves alone: a customer who has rated only thanks, and the contact stays closed.
STEADY: tuple[tuple[Step, ...], ...] = (
    (
        Step("customer_message", 0, _ASKS),
        Step("agent_message", MINUTE, _ANN),
        Step("rated", 2 * MINUTE, {"rating": 5}),
        Step("customer_message", 3 * MINUTE, _THANKS),
        Step("internal_note", 4 * MINUTE, _NOBODY),
    ),
)

#: A job finds something about a customer after a question, and it expires; then an event that names the customer comes,
#: or one that does not.
FOUND_OUT: tuple[tuple[Step, ...], ...] = tuple(
    (
        Step("customer_message", 0, {**_ASKS, "customer_id": "zoe"}),
        Step(FINDING, MINUTE),
        Step(kind, 3 * HOUR, {**_BOB, "customer_id": customer_id}),
        Step("agent_message", 4 * HOUR, {**_ANN, "customer_id": None}),
    )
    for kind, customer_id in (("agent_message", None), ("customer_message", "zoe"), ("agent_message", None))
)


@dataclass
class Scene:
    """A scene that goes on in a log: what comes next, since when, and in which conversation."""

    steps: tuple[Step, ...]
    began_at: int
    conversation_id: str
    event_ids: list[str] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        """Whether a step is left."""
        return len(self.event_ids) < len(self.steps)

    @property
    def goes_on_with_a_finding(self) -> bool:
        """Whether the next step is no event."""
        return self.goes_on and self.steps[len(self.event_ids)].kind == FINDING

    def arrival(self, now: int) -> int:
        """When the next step arrives: never before it happened."""
        return max(now, self.began_at + self.steps[len(self.event_ids)].at)

    def next_event(self, event: InteractionEvent) -> InteractionEvent:
        """The event as the next step of the scene; what the step does not say stays as it was drawn."""
        step = self.steps[len(self.event_ids)]
        self.event_ids.append(event.event_id if step.again is None else self.event_ids[step.again])
        said = {**_OTHERWISE, **step.said}
        if step.kind in ("agent_message", "assigned"):
            said.setdefault("agent_id", "bob")
        return replace(
            event,
            event_id=self.event_ids[-1],
            kind=step.kind,
            conversation_id=self.conversation_id,
            occurred_at=self.began_at + step.at,
            **said,
        )


#: What an event of another kind may have been drawn with, and a step does not say.
_OTHERWISE = {
    "stated_at": None,
    "precision": "ms",
    **dict.fromkeys(("text", "courtesy", "rating", "status", "merged_into", "sequence", "duration_ms", "query")),
}
