"""Reading that goes on from the event before finds what reading all events anew finds."""

from collections import Counter
from dataclasses import asdict
from typing import Any
from unittest import mock

from hypothesis import given, settings

from service_quality.conversations.conversation import EMPTY, conversation_key
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import Reading, read_conversation
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import FoldedConversation, step_conversation
from tests.properties.feature_sets import SMALL
from tests.properties.random_logs import RandomLog, logs, read_record


def said(state: ConversationState) -> dict:
    return {**asdict(state), "owners": [one.owner for one in state.rounds], "closed": state.closed}


def compare_all(log: RandomLog) -> None:
    """Fold every event of a log into its conversation, and compare."""
    held: dict[str, FoldedConversation] = {}
    for record in log.records:
        try:
            event = read_record(record, log.shop_id)
        except RejectedEventError:
            continue
        if not isinstance(event, InteractionEvent):
            continue
        key = conversation_key(event)
        before = held.get(key, FoldedConversation(EMPTY, SMALL.plan.kept))
        unchanged = said(before.state)
        try:
            step = step_conversation(before, event, received_clock=event.received_at)
        except RejectedEventError:
            continue
        assert said(before.state) == unchanged
        if step is None:
            continue
        held[key] = step.after
        anew = read_conversation(step.after.placed, past=step.after.conversation.past)
        assert said(step.after.state) == said(anew)


def test_reading_that_goes_on_is_reading_anew():
    counts: Counter[bool] = Counter()

    def continued(*given: Any) -> Reading | None:
        found = continues(*given)
        counts[found is not None] += 1
        return found

    continues = Reading.continued

    @settings(max_examples=150)
    @given(logs(SMALL, most=40))
    def property_holds(log: RandomLog) -> None:
        compare_all(log)

    with mock.patch.object(Reading, "continued", continued):
        property_holds()
    assert counts[True] > 300
    assert counts[False] > 5, "an event that changes how an earlier one is read"
