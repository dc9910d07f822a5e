"""Breaches of a policy read from an export, beside alerts: what is missing, what is needless, what is not judged."""

from benchmarks.alert_runs.breaches import Compared, Wait, compare, read_waits
from service_quality.instants import DAY, HOUR, MINUTE, parse_instant

BEGIN, END = 10 * DAY, 20 * DAY
LIMIT = 8 * HOUR


def late_alert(due: int, *, state: str = "worsened", severity: str = "critical", kind: str = "answer_due") -> dict:
    return {"kind": kind, "severity": severity, "state": state, "evidence": {"answer_due_at": due}}


def compared(waits: list[Wait], alerts: list[dict]) -> Compared:
    return compare(waits, alerts, limit_ms=LIMIT, since=BEGIN, until=END)


def test_answer_after_its_time_and_a_missing_one_are_breaches():
    late = Wait(11 * DAY, 11 * DAY + LIMIT + MINUTE)
    never = Wait(12 * DAY, None)
    in_time = Wait(13 * DAY, 13 * DAY + LIMIT)

    found = compared([late, never, in_time], [late_alert(11 * DAY + LIMIT)])

    assert found == Compared(breaches=2, alerted=1, needless=0, day_only=0)


def test_alert_about_an_answer_in_time_and_a_second_one_are_needless():
    in_time, late = Wait(11 * DAY, 11 * DAY + HOUR), Wait(12 * DAY, None)

    found = compared([in_time, late], [late_alert(at + LIMIT) for at in (11 * DAY, 12 * DAY, 12 * DAY)])

    assert (found.alerted, found.needless) == (1, 2)


def test_only_the_worst_stage_of_a_wait_says_that_it_is_late():
    late = Wait(11 * DAY, None)
    others = [{"severity": "info"}, {"state": "repeated"}, {"state": "resolved"}, {"kind": "waiting_too_long"}]

    assert compared([late], [late_alert(11 * DAY + LIMIT, **other) for other in others]).alerted == 0


def test_wait_that_was_due_before_the_run_or_is_due_after_it_is_no_breach_of_it():
    before = Wait(BEGIN - LIMIT - 1, BEGIN + HOUR)
    first = Wait(BEGIN - LIMIT, BEGIN + HOUR)
    after = Wait(END - LIMIT, None)

    assert compared([before, first, after], []).breaches == 1


def test_late_answer_of_which_only_the_day_is_known_is_not_judged():
    day_only = Wait(13 * DAY, 15 * DAY - 1, is_day_only=True)

    assert compared([day_only], []) == Compared(breaches=0, alerted=0, needless=0, day_only=1)
    assert compared([day_only], [late_alert(13 * DAY + LIMIT)]).needless == 1


def test_export_is_read_in_the_zone_of_its_shop(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(
        "Unique id,Issue_reported at,issue_responded\n"
        "a,01/08/2023 05:30,01/08/2023 05:45\n"
        "a,01/08/2023 05:30,01/08/2023 05:45\n"
        "b,01/08/2023 10:00,02/08/2023 00:00\n"
        "c,01/08/2023 10:00,\n"
        "d,01/08/2023 10:00,01/08/2023 09:00\n"
    )
    midnight, ten = parse_instant("2023-08-01T00:00:00Z"), parse_instant("2023-08-01T04:30:00Z")

    assert read_waits(file, "Asia/Kolkata") == [
        Wait(midnight, midnight + 15 * MINUTE),
        Wait(ten, parse_instant("2023-08-02T18:30:00Z") - 1, is_day_only=True),
        Wait(ten, None),
    ]
