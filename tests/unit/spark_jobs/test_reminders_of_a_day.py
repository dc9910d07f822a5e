"""What people are told because time passes: the dry run lets it reach stages between the lines of a log."""

import json

from service_quality.alerts.alert import Alert
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.wording import render_email
from service_quality.events.control_records import control_to_dict
from service_quality.events.time_reached import TimeReached
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, format_instant
from spark_jobs.backtest.backtest import Backtest
from spark_jobs.backtest.given_scores import NoScore
from spark_jobs.backtest.log_lines import LogLine, read_line
from spark_jobs.backtest.turns_by_day import turns_ended_by_day
from tests.unit.spark_jobs.test_alerts_of_a_day import NOON, messages_of, sent, told

OPENED, WORSENED, RESOLVED = (("waiting_too_long", state) for state in ("opened", "worsened", "resolved"))


def at(minutes: float) -> str:
    """An instant so many minutes after noon, as messages say it."""
    return format_instant(NOON + round(minutes * MINUTE))


def when(lines: list[bytes], conversation: str = "c1") -> list[tuple[str, str]]:
    """When what became of a conversation's alert about waiting."""
    return [
        (message.state, format_instant(message.occurred_at or 0))
        for message in messages_of(lines)
        if message.subject.id == conversation
    ]


def sent_by(backtest: Backtest, log: list[LogLine]) -> list[Alert]:
    """The messages between and behind lines."""
    folded = [backtest.fold(line) for line in log]
    return [message for one in folded for message in (*one.reminders, *one.messages)]


def later(at: int) -> bytes:
    """An event of another customer, which only says how late it is."""
    return sent("page_viewed", at, conversation_id=None, customer_id="eve", event_id=f"later{at}")


def test_waiting_customer_is_told_of_at_half_an_hour_whenever_the_next_event_comes():
    assert when([sent("customer_message", 0), later(3 * HOUR)]) == [("opened", at(30))]
    assert when([sent("customer_message", 0), later(30 * MINUTE + 2 * SECOND)]) == [("opened", at(30))]


def test_nobody_is_told_before_the_grace_is_over():
    assert when([sent("customer_message", 0), later(30 * MINUTE + SECOND)]) == []
    assert when([sent("customer_message", 0)]) == []


def test_answered_customer_is_not_told_of():
    asked = sent("customer_message", 0)

    assert when([asked, sent("agent_message", 29 * MINUTE), later(3 * HOUR)]) == []
    assert when([asked, sent("resolved", 29 * MINUTE), later(3 * HOUR)]) == []


def test_answer_that_arrives_within_the_grace_is_in_time():
    answer = sent("agent_message", 29 * MINUTE, arrived=30 * MINUTE + SECOND)

    assert when([sent("customer_message", 0), answer, later(3 * HOUR)]) == []


def test_next_stage_makes_it_graver_and_the_answer_ends_it():
    lines = [sent("customer_message", 0), sent("agent_message", 25 * HOUR)]

    assert when(lines) == [("opened", at(30)), ("worsened", at(24 * 60)), ("resolved", at(25 * 60))]


def test_event_of_a_waiting_customer_raises_nothing_by_itself():
    lines = [sent("customer_message", 0), sent("customer_message", 29 * MINUTE), sent("customer_message", 45 * MINUTE)]

    assert when(lines) == [("opened", at(30))]


def test_backlog_that_is_answered_late_raises_nothing():
    arrived = 5 * HOUR
    asked = [sent("customer_message", k * MINUTE, arrived=arrived, conversation_id=f"m{k}") for k in range(20)]
    answers = [
        sent("agent_message", k * MINUTE + 3 * HOUR, arrived=arrived + MINUTE, conversation_id=f"m{k}")
        for k in range(20)
    ]

    assert told([*asked, *answers, later(6 * HOUR)]) == []


def test_backlog_that_nobody_answers_is_told_of_half_an_hour_after_it_arrived():
    assert when([sent("customer_message", 0, arrived=5 * HOUR), later(6 * HOUR)]) == [("opened", at(5 * 60 + 30))]


def test_live_chat_is_told_of_while_a_backlog_comes_in():
    live = sent("customer_message", 0, conversation_id="live")
    backlog = [
        sent(kind, -HOUR + k, arrived=40 * MINUTE, conversation_id=f"m{k}")
        for k in range(5)
        for kind in ("customer_message", "agent_message")
    ]

    assert told([live, *backlog, later(HOUR)]) == [OPENED]


def test_alert_that_returns_within_its_cooldown_is_told_of_when_the_cooldown_is_over():
    first = [sent("customer_message", 0), sent("agent_message", 40 * MINUTE)]
    again = [sent("customer_message", hour * HOUR) for hour in range(1, 22)]

    assert when([*first, *again]) == [
        ("opened", at(30)), ("resolved", at(40)), ("opened", at(4 * 60 + 40)),
        *(("repeated", at(hour * 60 + 40)) for hour in (8, 12, 16, 20)),
    ]  # fmt: skip


def test_what_still_holds_when_its_silence_ends_is_said_again_then_with_the_count():
    waits = [sent("customer_message", 0), *(sent("customer_message", k * MINUTE) for k in (40, 50)), later(12 * HOUR)]

    assert when(waits) == [("opened", at(30)), ("repeated", at(4 * 60 + 30))]
    assert [message.repeats for message in messages_of(waits)] == [0, 2]


def test_what_nothing_happened_to_is_not_said_again():
    assert when([sent("customer_message", 0), later(12 * HOUR)]) == [("opened", at(30))]


def test_only_what_the_customer_does_is_a_wait_seen_again():
    others = [
        sent("internal_note", 40 * MINUTE), sent("bot_message", 50 * MINUTE), sent("assigned", HOUR, agent_id="bob"),
        sent("customer_message", 70 * MINUTE, text="谢谢"),
    ]  # fmt: skip

    assert when([sent("customer_message", 0), *others, later(12 * HOUR)]) == [("opened", at(30))]


def test_what_ended_before_its_silence_did_is_not_said_again():
    waits = [sent("customer_message", 0), sent("customer_message", 40 * MINUTE), sent("agent_message", 2 * HOUR)]

    assert when([*waits, later(12 * HOUR)]) == [("opened", at(30)), ("resolved", at(2 * 60))]


def test_relapses_give_one_message_a_cooldown():
    relapses = [
        sent(kind, hour * HOUR + wait)
        for hour in range(10)
        for kind, wait in (("customer_message", 0), ("agent_message", 31 * MINUTE))
    ]

    log = [*relapses, later(15 * HOUR)]

    assert when(log) == [
        ("opened", at(30)), ("resolved", at(31)), ("opened", at(5 * 60 + 30)), ("resolved", at(5 * 60 + 31)),
    ]  # fmt: skip
    assert [message.repeats for message in messages_of(log)] == [0, 0, 4, 0]


def test_second_wait_of_one_contact_is_counted_from_its_own_question():
    first = [sent("customer_message", 0), sent("agent_message", 10 * MINUTE)]

    assert when([*first, sent("customer_message", 20 * MINUTE), later(DAY)]) == [("opened", at(50))]


def test_turn_answered_with_day_precision_is_not_judged_by_time():
    by_day = sent("customer_message", 0, precision="day")
    lines = [sent("customer_message", 0), sent("agent_message", 0, precision="day", arrived=12 * HOUR)]
    log = [line for number, data in enumerate(lines, 1) if (line := read_line(number, data))]

    not_judged = turns_ended_by_day(log, ())

    assert told([by_day, later(3 * DAY)]) == []
    assert not_judged == [("shop", "c1", 1, 1, NOON, NOON + 12 * HOUR)]
    assert sent_by(Backtest(NoScore(), not_judged=not_judged), log) == []
    assert len(sent_by(Backtest(NoScore()), log)) == 2


def test_each_shop_has_its_own_time():
    asked = sent("customer_message", 0)
    elsewhere = sent("internal_note", 9 * HOUR, shop_id="other", conversation_id="o")

    assert when([asked, elsewhere]) == []
    assert when([asked, elsewhere, later(31 * MINUTE)]) == [("opened", at(30))]


def test_reached_stages_of_the_file_are_dropped():
    reached = TimeReached(
        shop_id="shop", conversation_id="c1", round=1, turn=1, stage="waiting_ms:1800000", due_at=NOON + 30 * MINUTE
    )
    line = json.dumps(control_to_dict(reached)).encode()

    assert read_line(2, line) is None
    assert when([sent("customer_message", 0), line, later(HOUR)]) == [("opened", at(30))]


def under_a_policy(lines: list[bytes], **declared: object) -> list[Alert]:
    """The messages of a shop with a policy, which is closed from ten past noon to nine."""
    document = {
        "revision": "a",
        "valid_from": "2026-01-01T00:00:00Z",
        "opening": {day: ["09:00-12:10"] for day in ("monday", "tuesday")},
    }
    backtest = Backtest(NoScore(), json.dumps({**document, **declared}).encode())
    return sent_by(backtest, [line for number, data in enumerate(lines, 1) if (line := read_line(number, data))])


def test_closed_shop_is_told_of_a_wait_in_all_the_time_when_it_opens_again():
    asked = sent("customer_message", 0)
    opens = 21 * 60 + 1 / MINUTE

    assert under_a_policy([asked, later(3 * HOUR)]) == []
    (only,) = under_a_policy([asked, later(22 * HOUR)])
    assert (only.state, format_instant(only.occurred_at or 0)) == ("opened", at(opens))


def test_wait_whose_clock_pauses_is_not_said_again():
    asked = [sent("customer_message", 0), sent("customer_message", 40 * MINUTE)]
    paused = sent("status_changed", 50 * MINUTE, status="pending")

    messages = under_a_policy([*asked, paused, later(20 * HOUR)], opening=None, pauses_when=["pending"])

    assert [one.state for one in messages] == ["opened"]


def test_silence_that_ends_while_the_shop_is_closed_ends_when_it_opens():
    waits = [sent("customer_message", -40 * MINUTE), sent("customer_message", -5 * MINUTE), later(22 * HOUR)]

    messages = under_a_policy(waits)

    assert [(one.state, format_instant(one.occurred_at or 0), one.repeats) for one in messages] == [
        ("opened", at(-10), 0), ("repeated", at(21 * 60 + 1 / MINUTE), 1),
    ]  # fmt: skip


def test_stages_that_are_reached_at_one_instant_are_one_message_and_no_repeat():
    asked, answered = sent("customer_message", -2 * DAY), sent("agent_message", 22 * HOUR)
    week = {day: ["09:00-12:10"] for day in ("saturday", "tuesday")}

    messages = under_a_policy([asked, later(21 * HOUR + MINUTE), answered], opening=week)

    assert [(one.state, one.severity, one.repeats) for one in messages] == [
        ("opened", "critical", 0), ("resolved", "critical", 0),
    ]  # fmt: skip


def test_every_breach_of_a_target_is_told():
    target = [{"first_response": "PT10M", "next_reply": "PT10M"}]
    lines = [
        sent(kind, 20 * number * MINUTE + wait)
        for number in range(3)
        for kind, wait in (("customer_message", 0), ("agent_message", 11 * MINUTE))
    ]

    messages = under_a_policy([*lines, later(5 * HOUR)], opening=None, targets=target)

    once = ["opened", "worsened", "worsened", "resolved"]
    assert [one.state for one in messages if one.kind == "answer_due"] == once * 3
    assert {one.ended_by for one in messages if one.state == "resolved"} == {"answered"}


def test_message_about_a_target_says_when_the_answer_is_due():
    target = [{"first_response": "PT10M"}]

    first, *_ = under_a_policy([sent("customer_message", 0), later(HOUR)], opening=None, targets=target)

    assert first.evidence["answer_due_at"] == NOON + 10 * MINUTE


TARGET = [{"first_response": "PT10M", "next_reply": "PT10M"}]


def past_half(*answered_after: int, agent: str | None = "ann") -> Alert:
    """The first notice of a wait of at most ten minutes, behind earlier ones that were answered after so many."""
    earlier = [
        sent(kind, k * HOUR + wait, conversation_id=f"e{k}")
        for k, minutes in enumerate(answered_after)
        for kind, wait in (("customer_message", 0), ("agent_message", minutes * MINUTE))
    ]
    asked = [sent("customer_message", 30 * HOUR)]
    taken = [sent("assigned", 30 * HOUR + SECOND, agent_id=agent)] if agent else []

    messages = under_a_policy([*earlier, *asked, *taken, later(31 * HOUR)], opening=None, targets=TARGET)
    return next(one for one in messages if (one.subject.id, one.kind) == ("c1", "answer_due"))


def words_of(notice: Alert) -> list[str]:
    """The line about what is to be expected, in English and in Chinese."""
    mails = (render_email(notice, ShopSettings(language=language))[1].splitlines() for language in ("en", "zh"))
    return [line for mail in mails for line in mail if line.startswith(("Estimate", "预计"))]


def test_first_notice_says_that_the_agent_will_probably_be_late_and_by_which_share():
    notice = past_half(*[11] * 12)

    assert notice.severity == "info"
    assert notice.evidence["agent_half_spent_replies_7d"] == 12
    assert notice.evidence["agent_reply_ms_per_timed_replies_1d"] == 11 * MINUTE
    assert notice.evidence["shop_late_past_half_rate_7d"] == 0.6875
    assert words_of(notice) == [
        "Estimate: probably late (85.8 % of the agent's answers not given by half time come late, last 7 days)",
        "预计：很可能超时（该客服近 7 天过半时限未回复者的超时比例：85.8 %）",
    ]


def test_first_notice_says_that_the_answer_will_probably_be_in_time():
    english, chinese = words_of(past_half(*[6] * 12))

    assert english.startswith("Estimate: probably in time (")
    assert chinese.startswith("预计：很可能不会超时（")


def test_first_notice_of_a_wait_without_an_agent_speaks_of_the_shop():
    notice = past_half(*[11] * 12, agent=None)

    assert not notice.evidence["agent_half_spent_replies_7d"]
    assert words_of(notice)[0].startswith(
        "Estimate: probably late (68.8 % of the shop's answers not given by half time"
    )


def test_first_notice_of_a_new_shop_cannot_say():
    english, chinese = words_of(past_half())

    assert english.startswith("Estimate: cannot be said (50.0 % of the shop's")
    assert chinese.startswith("预计：暂无法判断（")


def test_later_stages_and_the_end_say_no_estimate():
    messages = under_a_policy(
        [sent("customer_message", 0), sent("agent_message", 11 * MINUTE)], opening=None, targets=TARGET
    )

    assert [len(words_of(one)) for one in messages] == [2, 0, 0, 0]
