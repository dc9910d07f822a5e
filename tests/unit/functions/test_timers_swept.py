"""Timers from their index to their queue: what comes due, and what never rang."""

import json
from types import SimpleNamespace

import pytest

from service_quality.errors import DependencyError
from service_quality.instants import DAY, MINUTE, SECOND
from tests.unit.functions.conftest import CONTEXT, NOW
from tests.unit.functions.timers import GRACE, delays, put_timer


def test_sweep_sends_what_was_written_too_early_and_comes_due_within_15_minutes(at_now, aws):
    put_timer(aws, NOW + 10 * MINUTE, written_at=NOW - 20 * MINUTE, conversation="coming")
    put_timer(aws, NOW + 10 * MINUTE, written_at=NOW - 4 * MINUTE, conversation="sent at once")
    put_timer(aws, NOW + 16 * MINUTE, written_at=NOW - 20 * MINUTE, conversation="later")

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert [json.loads(one["MessageBody"])["conversation_id"] for one in aws.sqs.sent] == ["coming"]
    assert delays(aws) == [601]
    assert (answer["SentTimers"], answer["OverdueTimers"], answer["finished"]) == (1, 0, True)


@pytest.mark.parametrize(
    ("overdue", "sent"),
    [(30 * SECOND, 0), (61 * SECOND, 1), (6 * MINUTE, 1), (16 * MINUTE, 0), (21 * MINUTE, 1), (26 * MINUTE, 0)],
)
def test_sweep_sends_what_should_have_rung_ever_more_seldom(at_now, aws, overdue, sent):
    put_timer(aws, NOW - GRACE - overdue)

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert answer["OverdueTimers"] == sent
    assert delays(aws) == [0] * sent


def test_sweep_sends_nothing_that_was_due_over_a_day_ago_or_rings_no_more(at_now, aws):
    put_timer(aws, NOW - DAY - MINUTE, conversation="long past")
    put_timer(aws, None, conversation="over")

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert (answer["SentTimers"], answer["OverdueTimers"]) == (0, 0)


def test_sweep_goes_through_pages_and_slots(at_now, aws):
    conversations = {f"c-{number}" for number in range(40)}
    for conversation in conversations:
        put_timer(aws, NOW - 2 * MINUTE, conversation=conversation)

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert {json.loads(one["MessageBody"])["conversation_id"] for one in aws.sqs.sent} == conversations
    assert (answer["OverdueTimers"], answer["slots"]) == (40, 32)


def test_sweep_without_time_stops_and_the_next_begins_with_another_slot(at_now, aws, monkeypatch):
    app = at_now("sweep_timers")
    read = type(app.index).read
    slots: list[str] = []

    def note(self, slot, first, last):
        slots.append(slot)
        return read(self, slot, first, last)

    monkeypatch.setattr(type(app.index), "read", note)
    hurried = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_000)

    answers = []
    for later in (0, 5 * MINUTE):
        monkeypatch.setattr(app, "read_clock", lambda later=later: NOW + later)
        answers.append(app.handler({}, hurried))

    assert [(one["finished"], one["UnfinishedSweeps"]) for one in answers] == [(False, 1), (False, 1)]
    assert len(set(slots)) == 2


def test_failing_queue_fails_the_sweep_which_reports_its_counts(at_now, aws, caplog):
    put_timer(aws, NOW - 2 * MINUTE)
    aws.sqs.failing = "ServiceUnavailable"

    with pytest.raises(DependencyError, match=r"queue .*: ServiceUnavailable"):
        at_now("sweep_timers").handler({}, CONTEXT)

    assert [one.msg for one in caplog.records].count("timers_swept") == 1
