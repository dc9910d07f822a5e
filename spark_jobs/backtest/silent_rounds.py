"""Alerts that end because their round has been silent for too long by the end of a log."""

from collections.abc import Iterator, Sequence

from service_quality.alerts.alert import Alert
from service_quality.alerts.decisions import Judged, Subject, end_with_round
from service_quality.alerts.rules import Rule
from service_quality.commit.state_items import ConversationItem
from service_quality.conversations.conversation import conversation_key
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.conversations.rounds import SILENCE
from service_quality.features.feature_set import FEATURES
from service_quality.policies.policy import Policy


def end_alerts(
    item: ConversationItem, policies: Sequence[Policy], rules: Sequence[Rule], *, until: int
) -> Iterator[Alert]:
    """The messages that end a conversation's alerts if its last round has been silent for too long by an instant."""
    placed = in_order(item.conversation)
    state = read_conversation(placed, policies, until=until)
    last, event = state.round, placed[-1].event
    if last is None or last.end != SILENCE or last.ended_at is None:
        return
    values: dict[str, float | int | None] = {**read_event_values(state, event)}
    judged = Judged(event.shop_id, event, last.ended_at, values, {}, state)
    subject = Subject(event.conversation_id or "", conversation_key(event), last.number)
    for rule in rules:
        before = item.alert_states.get(rule.name)
        if before is not None and rule.subject == "conversation":
            for decision in end_with_round(rule, subject, before, judged, FEATURES):
                if decision.message is not None:
                    yield decision.message
