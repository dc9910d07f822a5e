"""The live minute on the page: each conversation as a line of time with what was written and what was said about it."""

from dataclasses import dataclass
from typing import NamedTuple

from reports.proofs import Figures
from service_quality.alerts import wording_messages as messages
from service_quality.alerts.wording_messages import say

_LEFT, _RIGHT = 12, 388  # of the line of time, in the picture's own units
_WRITERS = {"customer_message": "customer", "agent_message": "agent"}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """What somebody wrote, and its place on the line of time."""

    second: float
    x: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message about the conversation: when it was due, when it came, and the places of both on the line of time."""

    severity_name: str
    severity: str
    state: str
    due: float
    at: float
    late: float
    due_x: float
    x: float


@dataclass(frozen=True, slots=True)
class ShownConversation:
    """A conversation of the live minute; `name` is that of its label, `missing` counts what should have come."""

    name: str
    shop: str
    tag: str
    lines: tuple[ShownLine, ...]
    messages: tuple[ShownMessage, ...]
    missing: int

    @property
    def rows(self) -> list[ShownLine | ShownMessage]:
        """Lines and messages in the order in which they came."""
        return sorted(
            (*self.lines, *self.messages), key=lambda one: one.second if isinstance(one, ShownLine) else one.at
        )

    @property
    def largest_late(self) -> float | None:
        """The seconds by which the latest message came after it was due."""
        return max((one.late for one in self.messages), default=None)


class _Scale(NamedTuple):
    """The line of time, from 0 to a second behind the last that is shown."""

    last: float

    def x(self, second: float) -> float:
        """The place of a second."""
        return round(_LEFT + (_RIGHT - _LEFT) * second / self.last, 1)


def show_live(live: Figures, language: str) -> list[ShownConversation]:
    """The conversations in the order of the figures, on one line of time."""
    scale = _scale(live)
    return [
        ShownConversation(
            name=one["name"],
            shop=one["shop"],
            tag="zh-CN" if one["language"] == "zh" else one["language"],
            lines=tuple(
                ShownLine(line["second"], scale.x(line["second"]), _WRITERS[line["kind"]], line["text"])
                for line in one["lines"]
            ),
            messages=tuple(_message(message, scale, language) for message in one["messages"]),
            missing=len(one["expected"]) - sum(message["expected"] for message in one["messages"]),
        )
        for one in live["conversations"]
    ]


def live_ticks(live: Figures) -> list[tuple[int, float]]:
    """Every tenth second of the line of time, with its place."""
    scale = _scale(live)
    return [(second, scale.x(second)) for second in range(0, int(scale.last) + 1, 10)]


def _scale(live: Figures) -> _Scale:
    conversations = live["conversations"]
    instants = [line["second"] for one in conversations for line in one["lines"]]
    instants += [message["at"] for one in conversations for message in one["messages"]]
    return _Scale(max(instants, default=0) + 1)


def _message(message: Figures, scale: _Scale, language: str) -> ShownMessage:
    return ShownMessage(
        severity_name=message["severity"],
        severity=say(messages.SEVERITIES, message["severity"], language),
        state=say(messages.STATES, message["state"], language),
        due=message["due"],
        at=message["at"],
        late=message["late_seconds"],
        due_x=scale.x(message["due"]),
        x=scale.x(message["at"]),
    )
