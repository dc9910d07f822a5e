"""What people are told of conversations that others misjudged: the whole fold and its rules over small logs."""

import json
from collections.abc import Iterable

from service_quality.alerts.alert import Alert
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from spark_jobs.backtest.backtest import Backtest
from spark_jobs.backtest.given_scores import GivenScore, NoScore
from spark_jobs.backtest.log_lines import read_line

NOON = parse_instant("2026-03-02T12:00:00Z")


def sent(kind: str, at: int, *, arrived: int | None = None, **fields: object) -> bytes:
    """An event stamped so many milliseconds after noon, and arrived then or later."""
    given = {"event_id": f"{fields.get('conversation_id')}-{kind}-{at}", "shop_id": "shop", "conversation_id": "c1"}
    if kind == "agent_message":
        given["agent_id"] = "ann"
    stamps = {
        "occurred_at": format_instant(NOON + at),
        "received_at": format_instant(NOON + (at if arrived is None else arrived)),
    }
    return json.dumps({**given, "kind": kind, **stamps, **fields}).encode()


def messages_of(lines: Iterable[bytes], *, score: float | None = None) -> list[Alert]:
    """Every message that people would get, in order."""
    backtest, messages = Backtest(NoScore() if score is None else GivenScore(score)), []
    for number, data in enumerate(lines, 1):
        line = read_line(number, data)
        if line is not None:
            folded = backtest.fold(line)
            messages += [*folded.reminders, *folded.messages]
    return [*messages, *backtest.end()]


def told(lines: Iterable[bytes], *, score: float | None = None) -> list[tuple[str, str]]:
    """Every message that people would get: the rule, and what became of its alert."""
    return [(message.kind, message.state) for message in messages_of(lines, score=score)]


def test_backlog_of_answered_chats_raises_nothing():
    live = [sent("customer_message", 2 * HOUR, conversation_id="live")]
    arrived = 2 * HOUR + 2 * MINUTE
    backlog = [
        sent(kind, minute * MINUTE + wait, arrived=arrived, conversation_id=f"m{minute}")
        for minute in range(20)
        for kind, wait in (("customer_message", 0), ("agent_message", 30 * SECOND))
    ]

    assert told([*live, *backlog]) == []


def test_answer_of_a_clock_that_is_behind_leaves_nobody_waiting():
    answer = sent("agent_message", -20 * SECOND, arrived=20 * SECOND)

    assert told([sent("customer_message", 0), answer, sent("internal_note", 45 * MINUTE)]) == []


def test_question_and_quick_answer_of_one_second_leave_nobody_waiting():
    asked, answered = sent("customer_message", 0, event_id="999"), sent("agent_message", 0, event_id="1000")

    assert told([asked, answered, sent("internal_note", 45 * MINUTE)]) == []


def test_conversation_is_scored_and_watched_again_after_its_rating():
    rated = [sent("customer_message", 0), sent("agent_message", MINUTE), sent("rated", 2 * MINUTE, rating=5)]
    again = [sent("reopened", 2 * DAY), sent("customer_message", 2 * DAY + MINUTE), sent("complaint_filed", 3 * DAY)]

    assert told([*rated, *again], score=0.9) == [
        ("high_risk", "opened"), ("high_risk", "resolved"), ("high_risk", "opened"),
        ("waiting_too_long", "opened"), ("high_risk", "repeated"), ("waiting_too_long", "repeated"),
        ("high_risk", "repeated"),
    ]  # fmt: skip


def test_rating_before_the_end_ends_no_watch():
    rated = [sent("customer_message", 0), sent("agent_message", MINUTE), sent("rated", 2 * MINUTE, rating=5)]
    goes_on = [sent("customer_message", 3 * MINUTE), sent("internal_note", 47 * HOUR)]

    assert told([*rated, *goes_on]) == [
        ("waiting_too_long", "opened"), ("waiting_too_long", "worsened"),
    ]  # fmt: skip


def test_answer_known_to_the_day_ends_the_alert():
    asked = [sent("customer_message", 0), sent("internal_note", HOUR)]

    assert told([*asked, sent("agent_message", 2 * HOUR, precision="day")]) == [
        ("waiting_too_long", "opened"), ("waiting_too_long", "resolved"),
    ]  # fmt: skip


def test_wait_of_a_day_is_told_while_it_lasts_and_not_with_its_answer():
    waited = [sent("customer_message", 0), sent("agent_message", 25 * HOUR)]

    assert [state for _, state in told(waited)] == ["opened", "worsened", "resolved"]
    assert [message.occurred_at for message in messages_of(waited)][:2] == [
        parse_instant("2026-03-02T12:30:00.000Z"), parse_instant("2026-03-03T12:00:00.000Z"),
    ]  # fmt: skip


def test_second_wait_of_ten_hours_is_told():
    first = [sent("customer_message", 0), sent("internal_note", 31 * MINUTE), sent("agent_message", 40 * MINUTE)]
    second = [sent("customer_message", HOUR), sent("internal_note", 11 * HOUR)]

    assert told([*first, *second])[2:] == [("waiting_too_long", "opened")]


def test_alert_of_a_source_that_stops_is_resolved_and_does_not_stay_open():
    silent = [sent("customer_message", 0), sent("internal_note", HOUR)]
    others = [sent("agent_message", day * DAY, conversation_id=f"k{day}") for day in range(1, 10)]

    assert [state for _, state in told([*silent, *others])] == ["opened", "worsened", "resolved"]


def test_thanks_after_the_resolution_open_nothing():
    solved = [sent("customer_message", 0), sent("agent_message", MINUTE), sent("resolved", HOUR)]
    thanks = [sent("customer_message", 2 * HOUR, text="Thanks!"), sent("internal_note", 5 * HOUR)]

    assert told([*solved, *thanks]) == []
    assert told([*solved, sent("customer_message", 2 * HOUR, text="谢谢！"), sent("internal_note", 5 * HOUR)]) == []
