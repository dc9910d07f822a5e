"""What a backtest prints of messages, rejected lines and conversations: JSON lines, or text for people."""

import json
from collections.abc import Mapping
from textwrap import indent
from typing import NamedTuple, Protocol

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import alert_fields
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.wording import render_email
from service_quality.instants import format_instant
from service_quality.message import LANGUAGES
from spark_jobs.backtest.conversation_text import conversation_text


class RejectedLine(NamedTuple):
    """A line that was not folded: its number, a stable reason, and found and expected."""

    number: int
    reason: str
    message: str


class Printing(Protocol):
    """A form of output: the lines for each thing; empty where this form says nothing."""

    def message(self, number: int, alert: Alert) -> str:
        """A message that people would get, and the number of the line that led to it."""

    def rejected(self, line: RejectedLine) -> str:
        """A rejected line."""

    def conversation(self, described: Mapping[str, object]) -> str:
        """What the product understood of a conversation."""

    def summary(self, text: str) -> str:
        """The counts of the whole log."""


class JsonLines:
    """One JSON object a line, which names its `type`."""

    def message(self, number: int, alert: Alert) -> str:
        """The whole body as published, with the line, the clock and the text in each language."""
        texts = {language: text_of(alert, language) for language in LANGUAGES}
        fields = alert_fields(alert)
        return _json_line("message", {"line": number, "at": fields["occurred_at"], **fields, "text": texts})

    def rejected(self, line: RejectedLine) -> str:
        """The line's number, the reason, and found and expected."""
        return _json_line("rejected", {"line": line.number, "reason": line.reason, "message": line.message})

    def conversation(self, described: Mapping[str, object]) -> str:
        """The description with its type."""
        return _json_line("conversation", described)

    def summary(self, text: str) -> str:
        """Empty: every line is of one of the three types."""
        return ""


class Text(NamedTuple):
    """Lines for people, with the hours of conversations in a zone."""

    zone: str = "UTC"

    def message(self, number: int, alert: Alert) -> str:
        """A line with time, severity, rule and subject, and the text of the mail below it."""
        about = f"{alert.shop_id}, {alert.subject.kind} {alert.subject.id}"
        at = "" if alert.occurred_at is None else format_instant(alert.occurred_at)
        head = f"line {number}: {at} {alert.severity} {alert.kind} {alert.state}: {about}"
        return f"{head}\n{indent(text_of(alert, 'en'), '    ')}"

    def rejected(self, line: RejectedLine) -> str:
        """Empty: the standard error says it."""
        return ""

    def conversation(self, described: Mapping[str, object]) -> str:
        """A block of lines, one fact each, with hours in the zone."""
        return conversation_text(described, self.zone)

    def summary(self, text: str) -> str:
        """The counts as they are."""
        return text


def text_of(alert: Alert, language: str) -> str:
    """The text of the alert's mail in a language, for a shop without settings."""
    return render_email(alert, ShopSettings(language=language))[1]


def _json_line(kind: str, content: Mapping[str, object]) -> str:
    return json.dumps({"type": kind, **content}, ensure_ascii=False)
