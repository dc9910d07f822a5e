"""Rules that ask how long a condition has held: the dry run with rules of a shop's own."""

from typing import Any

from service_quality.instants import HOUR, MINUTE
from spark_jobs.backtest.backtest import Backtest
from spark_jobs.backtest.given_scores import GivenScore
from spark_jobs.backtest.log_lines import read_line
from tests.unit.core.rule_documents import document, rule
from tests.unit.spark_jobs.test_alerts_of_a_day import NOON, sent

#: A conversation that has three messages of its customer for half an hour without an agent's.
UNHEARD = rule(
    name="unheard",
    tiers={
        "warning": {
            "all_of": [
                {"for": {"duration": "PT30M", "condition": {"at_least": {"value": "customer_messages", "limit": 3}}}},
                {"below": {"value": "agent_messages", "limit": 1}},
            ]
        }
    },
    examples=[
        {"values": {"customer_messages": 3, "agent_messages": 0}, "held": "PT30M", "expect": "warning"},
        {"values": {"customer_messages": 3, "agent_messages": 0}, "held": "PT29M", "expect": "none"},
        {"values": {"customer_messages": 3, "agent_messages": 0}, "expect": "none"},
    ],
)
SAFE = {"below": {"value": "score", "limit": 0.3}}
#: A risk that is over where it has been low for an hour.
RISK = rule(
    name="risk",
    tiers={"warning": {"at_least": {"value": "score", "limit": 0.5}}},
    resolved_when={"for": {"duration": "PT1H", "condition": SAFE}},
    examples=[
        {"values": {"score": 0.6}, "expect": "warning"},
        {"values": {"score": 0.2}, "held": "PT1H", "expect": "resolved"},
        {"values": {"score": 0.2}, "held": "PT59M", "expect": "none"},
    ],
)


def asks(minute: float, *, arrived: int | None = None) -> bytes:
    return sent("customer_message", round(minute * MINUTE), arrived=arrived)


def later(minute: float) -> bytes:
    """An event of another customer, which only says how late it is."""
    return sent("page_viewed", round(minute * MINUTE), conversation_id=None, customer_id="eve", event_id=f"l{minute}")


def messages(
    lines: list[bytes], asked: dict[str, Any] = UNHEARD, scores: list[float] | None = None
) -> list[tuple[str, float]]:
    """What became of the alert, and when, in minutes after noon; each line has a score of its own."""
    given = scores or [0.4] * len(lines)
    backtest = Backtest(GivenScore(given[0]), rules=document(asked))
    found = []
    for number, (data, score) in enumerate(zip(lines, given, strict=True), 1):
        line = read_line(number, data)
        assert line is not None
        backtest.scorer = GivenScore(score)
        folded = backtest.fold(line)
        found += [*folded.reminders, *folded.messages]
    return [(one.state, ((one.occurred_at or 0) - NOON) / MINUTE) for one in [*found, *backtest.end()]]


def test_condition_that_has_held_for_so_long_calls_then_though_nothing_happens():
    assert messages([asks(0), asks(1), asks(2), later(60)]) == [("opened", 32)]


def test_condition_that_has_held_for_less_does_not_call():
    assert messages([asks(0), asks(1), asks(2), later(32)]) == []


def test_later_event_at_which_it_has_held_for_so_long_calls_by_itself():
    assert messages([asks(0), asks(1), asks(2), asks(33)]) == [("opened", 32)]


def test_events_meanwhile_do_not_begin_it_again():
    assert messages([asks(0), asks(1), asks(2), asks(20), asks(31), later(60)]) == [("opened", 32)]


def test_other_part_of_the_condition_is_asked_when_the_time_is_over():
    answered = sent("agent_message", 10 * MINUTE)

    assert messages([asks(0), asks(1), asks(2), answered, later(60)]) == []


def test_condition_that_fails_in_between_begins_again():
    low, high = [later(k) for k in range(2)], asks(0)
    lines = [high, asks(10), asks(30), asks(50), *low, later(200)]

    assert messages(lines, RISK, [0.6, 0.2, 0.4, 0.2, 0, 0, 0])[1:] == [("resolved", 110)]


def test_end_that_asks_how_long_waits_for_it():
    assert messages([asks(0), asks(10), later(200)], RISK, [0.6, 0.2, 0]) == [("opened", 0), ("resolved", 70)]


def test_next_round_begins_without_what_held_in_the_one_before():
    first = [asks(0), asks(1), asks(2), sent("resolved", 3 * MINUTE)]
    again = [asks(20), asks(21), later(90)]

    assert messages([*first, *again]) == []
    assert messages([*first, *again[:2], asks(22), later(90)]) == [("opened", 52)]


def test_closed_conversation_is_not_looked_at():
    assert messages([asks(0), asks(1), asks(2), sent("resolved", 3 * MINUTE), later(90)]) == []


#: Calls when a customer who has waited for twenty minutes complains, and says nothing of closing.
ANGRY = rule(
    name="angry",
    kinds=["customer_message", "complaint_filed"],
    tiers={
        "warning": {
            "all_of": [
                {"at_least": {"value": "waiting_ms", "limit": "PT20M"}},
                {"at_least": {"value": "conversation_complaints", "limit": 1}},
            ]
        }
    },
    resolved_when={"at_least": {"value": "replies", "limit": 1}},
    examples=[
        {"values": {"waiting_ms": "PT25M", "conversation_complaints": 1}, "expect": "warning"},
        {"values": {"waiting_ms": "PT25M", "conversation_complaints": 0}, "expect": "none"},
    ],
)


def complains(minute: float) -> bytes:
    return sent("complaint_filed", round(minute * MINUTE))


def test_wait_that_has_reached_its_stage_calls_when_the_rest_of_its_condition_holds():
    assert messages([asks(0), complains(24), later(60)], ANGRY) == [("opened", 24)]
    assert messages([asks(0), complains(5), later(60)], ANGRY) == [("opened", 20)]
    assert messages([asks(0), complains(5)], ANGRY) == []


def test_alert_of_a_rule_that_says_nothing_of_closing_ends_with_its_round():
    closed = sent("resolved", 30 * MINUTE)

    assert messages([asks(0), complains(24), closed, later(60)], ANGRY) == [("opened", 24), ("resolved", 30)]
    assert messages([asks(0), complains(24), closed, asks(50), later(55)], ANGRY) == [("opened", 24), ("resolved", 30)]


def test_rule_may_call_of_a_round_that_is_over_already():
    unhappy = rule(
        name="unhappy",
        kinds=["rated"],
        tiers={"warning": {"at_least": {"value": "closed", "limit": 1}}},
        resolved_when={"below": {"value": "closed", "limit": 1}},
        examples=[{"values": {"closed": 1}, "expect": "warning"}, {"values": {"closed": 0}, "expect": "resolved"}],
    )
    rated = sent("rated", 40 * MINUTE, rating=1)

    assert messages([asks(0), sent("resolved", 30 * MINUTE), rated, later(60)], unhappy) == [("opened", 40)]


def test_question_that_arrives_late_is_looked_at_behind_its_arrival():
    lines = [*(asks(minute, arrived=5 * HOUR) for minute in range(3)), later(400)]

    assert [state for state, _ in messages(lines)] == ["opened"]
