"""A minute live: conversations of two shops under a policy of seconds, and each message about them as it came.

Nothing is replayed here: events are put on the stream when they occur, timers ride on the queue and ring by themselves.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cli.progress import wait_until
from infra.local.cloud import Cloud
from infra.local.replaying import now_ms, put_live
from infra.local.subscribers import QueueSubscriber, Received
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import decode_alert
from service_quality.alerts.alert_state import OPENED, RESOLVED, WORSENED
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import MINUTE, SECOND, format_instant
from service_quality.message import Message

Figures = dict[str, Any]

#: The shops, each with its language, zone and name.
SHOPS = {
    "live-en": {"language": "en", "time_zone": "Europe/London", "display_name": "Live shop", "ids": "plain"},
    "live-zh": {"language": "zh", "time_zone": "Asia/Shanghai", "display_name": "直播小店", "ids": "plain"},
}
TARGET_SECONDS = 30
RULE = "answer_due"
PATIENCE_SECONDS = 30
#: How long it stays quiet after the last message that must come, so that one that nobody needs is seen.
QUIET_SECONDS = 3
ASKED, ANSWERED = "customer_message", "agent_message"


class Line(NamedTuple):
    """What somebody writes, so many seconds after the beginning."""

    second: float
    kind: str
    text: Message


class Expected(NamedTuple):
    """A message that must come: its change, its severity, and the second at which it is due."""

    state: str
    severity: str
    second: float


class Play(NamedTuple):
    """A conversation as it will go, and the messages that it must lead to."""

    name: str
    lines: tuple[Line, ...]
    expected: tuple[Expected, ...]


_WHERE = Message("Where is my parcel?", "我的快递到哪了？")
_SIZE = Message("Does the blue one come in XL?", "蓝色的有 XL 码吗？")
_REFUND = Message("When do I get my refund?", "退款什么时候到账？")
_FOUND = Message("It is with the carrier and arrives tomorrow.", "已在派送途中，明天送达。")
_SIZE_KNOWN = Message("Yes, and it is in stock.", "有的，现货。")
_REFUNDED = Message("It was paid back this morning.", "今天上午已经退回。")

PLAYS = (
    Play(
        "late",
        (Line(0, ASKED, _WHERE), Line(40, ANSWERED, _FOUND)),
        (
            Expected(OPENED, "info", 0.5 * TARGET_SECONDS),
            Expected(WORSENED, "warning", 0.75 * TARGET_SECONDS),
            Expected(WORSENED, "critical", 1.0 * TARGET_SECONDS),
            Expected(RESOLVED, "critical", 40),
        ),
    ),
    Play(
        "reminded",
        (Line(1, ASKED, _REFUND), Line(21, ANSWERED, _REFUNDED)),
        (Expected(OPENED, "info", 1 + 0.5 * TARGET_SECONDS), Expected(RESOLVED, "info", 21)),
    ),
    Play("in-time", (Line(2, ASKED, _SIZE), Line(12, ANSWERED, _SIZE_KNOWN)), ()),
)


@dataclass(frozen=True)
class Minute:
    """The plays of every shop since their beginning, the messages that came, and the numbers of the events put."""

    begun_at: int
    received: tuple[Received, ...]
    numbers: tuple[int, ...]

    def figures(self) -> Figures:
        """Each conversation with its lines and messages; instants in seconds since the beginning.

        `others` counts what came about a live shop and was not due, of whatever rule, and what came before it was due.
        """
        alerts = [(decode_alert(one.body.encode()), one) for one in self.received]
        found = [self._conversation(shop_id, play, alerts) for shop_id in SHOPS for play in PLAYS]
        late = [message["late_seconds"] for one in found for message in one["messages"] if message["expected"]]
        came = sum(alert.shop_id in SHOPS for alert, _ in alerts)
        return {
            "target_seconds": TARGET_SECONDS,
            "conversations": found,
            "expected": sum(len(one["expected"]) for one in found),
            "right": len(late),
            "others": came - len(late),
            "worst_late_seconds": max(late, default=None),
        }

    def _conversation(self, shop_id: str, play: Play, alerts: Sequence[tuple[Alert, Received]]) -> Figures:
        language = SHOPS[shop_id]["language"]
        about = [
            (alert, one)
            for alert, one in alerts
            if (alert.shop_id, alert.subject.id) == (shop_id, name_of(shop_id, play))
        ]
        about.sort(key=lambda pair: pair[0].sequence or 0)
        left = list(play.expected)
        messages = []
        for alert, one in about:
            at = self._second(one.received_at)
            due = next((want for want in left if _is_wanted(alert, at, want)), None)
            if due is not None:
                left.remove(due)
            second = due.second if due is not None else self._second(alert.occurred_at)
            messages.append(
                {
                    "state": alert.state,
                    "severity": alert.severity,
                    "due": second,
                    "at": at,
                    "late_seconds": round(at - second, 2),
                    "expected": due is not None,
                }
            )
        return {
            "shop": shop_id,
            "language": language,
            "name": play.name,
            "lines": [
                {"second": line.second, "kind": line.kind, "text": line.text.said(language)} for line in play.lines
            ],
            "expected": [want._asdict() for want in play.expected],
            "messages": messages,
        }

    def _second(self, at: int | None) -> float:
        return round(((at or 0) - self.begun_at) / SECOND, 2)


def _is_wanted(alert: Alert, at: float, want: Expected) -> bool:
    """Whether a message that came at a second is the one that was due."""
    return (alert.kind, alert.state, alert.severity) == (RULE, want.state, want.severity) and at >= want.second


def policy_document(now: int, seconds: int = TARGET_SECONDS) -> Figures:
    """The policy of a live shop whose answers are due after seconds, in force from a minute ago on."""
    target = dict.fromkeys(("first_response", "next_reply"), f"PT{seconds}S")
    return {"revision": "live", "valid_from": format_instant(now - MINUTE), "targets": [target]}


def play_live(cloud: Cloud, outputs: dict[str, str]) -> Minute:
    """Let every conversation of every shop happen now; returns when it is quiet after the last message that must come.

    What has not come after PATIENCE_SECONDS is missing.
    """
    expected = len(SHOPS) * sum(len(play.expected) for play in PLAYS)
    with QueueSubscriber(cloud, outputs["AlertTopicArn"], "live-subscriber") as people:
        begun_at = now_ms() + SECOND
        numbers = put_live(cloud, outputs["EventStreamName"], events(begun_at))

        def minute() -> Minute:
            return Minute(begun_at, tuple(people.inbox.messages.values()), tuple(numbers))

        wait_until(
            lambda: minute().figures()["right"] >= expected,
            title="live",
            state=lambda: f"{minute().figures()['right']} of {expected} messages",
            seconds=PATIENCE_SECONDS,
        )
        time.sleep(QUIET_SECONDS)
        return minute()


def events(begun_at: int) -> Iterable[InteractionEvent]:
    """What everybody writes, as events."""
    for shop_id, settings in SHOPS.items():
        for play in PLAYS:
            for number, line in enumerate(play.lines):
                at = begun_at + int(line.second * SECOND)
                yield InteractionEvent(
                    event_id=f"{name_of(shop_id, play)}-{begun_at}-{number}",
                    shop_id=shop_id,
                    kind=line.kind,
                    occurred_at=at,
                    received_at=at,
                    conversation_id=name_of(shop_id, play),
                    customer_id=f"customer-{play.name}",
                    agent_id="agent-1" if line.kind == ANSWERED else None,
                    text=line.text.said(settings["language"]),
                )


def name_of(shop_id: str, play: Play) -> str:
    """The id of a shop's conversation."""
    return f"{shop_id}-{play.name}"
