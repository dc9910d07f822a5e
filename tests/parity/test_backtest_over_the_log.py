"""`backtest_rules RULES` on an archive: what the shipped rules would send is what they sent."""

import json

import pytest

from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.instants import DAY, MINUTE, parse_instant
from spark_jobs import backtest_rules
from spark_jobs.backtest.backtest import RUN_KEY, Backtest
from spark_jobs.backtest.given_scores import GivenScore
from spark_jobs.backtest.log_lines import LogLine, position_behind, read_line
from tests.architecture.source import ROOT
from tests.parity.archive_folder import write_archive
from tests.stand_ins.archive_chain import archive_links

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SHIPPED = ROOT / "functions" / "shared" / "service_quality" / "alerts" / "shipped_rules.yaml"
BEGIN = parse_instant("2026-11-20T12:00:00Z")
POLICY = b'{"revision": "p", "valid_from": "2026-01-01T00:00:00Z", "targets": [{"first_response": "PT10M"}]}'
#: Of each contact the minute of its question, of its answer, and its rating an hour later.
CONTACTS = {"late": (0, 20, 1), "soon": (1, 2, 5), "half": (2, 8, 4)}


def events(shop_id: str) -> list[InteractionEvent]:
    said = [
        (minute, f"{name}-{kind}", kind, name, rating if kind == "rated" else None)
        for name, (asked, answered, rating) in CONTACTS.items()
        for kind, minute in (("customer_message", asked), ("agent_message", answered), ("rated", answered + 60))
    ]
    return [
        InteractionEvent(
            event_id=event_id,
            shop_id=shop_id,
            kind=kind,
            occurred_at=BEGIN + minute * MINUTE,
            received_at=BEGIN + minute * MINUTE,
            conversation_id=name,
            agent_id="ann" if kind == "agent_message" else None,
            rating=rating,
        )
        for minute, event_id, kind, name, rating in sorted(said)
    ]


def found_last(shop_id: str, number: int) -> LogLine:
    """A finding about a customer an hour behind the last event, as a log's line."""
    at = BEGIN + 140 * MINUTE
    finding = FindingReported(
        shop_id=shop_id, finding="churn", subject_kind="customer", subject_id="zoe", as_of=at, valid_until=at + 8 * DAY,
        values={"churn_score": 0.9, "customer_order_days_365d": 4}, score=0.9, model_version="v1",
    )  # fmt: skip
    return LogLine(
        number, shop_id, LogRecord(position_behind(number), sign_control(finding, RUN_KEY, issued_at=at), at)
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive of two shops whose timers rang, whose every event has the same high score, with a finding each."""
    links = []
    for shop_id in ("shop", "other"):
        online = Backtest(GivenScore(0.7), POLICY)
        for number, event in enumerate(events(shop_id), 1):
            line = read_line(number, event_to_json(event))
            assert isinstance(line, LogLine)
            online.fold(line)
        online.fold(found_last(shop_id, number + 1))
        links += archive_links(online.store.rows, shop_id)
    return write_archive(tmp_path_factory.mktemp("served") / "archive", links)


def backtest(tmp_path, *arguments: object) -> dict:
    summary = tmp_path / "summary.json"
    given = [*map(str, arguments), "--lake", str(tmp_path / "lake"), "--json", str(summary)]
    assert backtest_rules.run_job(backtest_rules.main, given) == 0
    found: dict = json.loads(summary.read_text("utf-8"))
    return found


def test_shipped_rules_would_send_what_they_sent(archive, tmp_path, capsys):
    found = backtest(tmp_path, SHIPPED, archive, "--shop", "shop")

    due, risk = found["rules"]["answer_due"], found["rules"]["high_risk"]
    assert (due["alerts"], due["severities"], due["known"]) == (2, {"critical": 1, "info": 1}, 1.0)
    assert (due["precision"], due["recall"], due["before_answer"]) == (0.5, 1.0, 1.0)
    assert due["minutes_before_answer"] == 8.0  # 15 and 1
    assert (risk["alerts"], risk["severities"], risk["contacts"]) == (3, {"critical": 3}, 1.0)
    leaving = found["rules"]["customer_leaving"]
    assert (leaving["alerts"], leaving["severities"], leaving["known"]) == (1, {"warning": 1}, 1.0)
    assert all(rule["per_day"] == rule["now_per_day"] for rule in found["rules"].values())
    assert found["refused"] == {}
    *_, due_line, leaving_line, risk_line, _ = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in (due_line, leaving_line, risk_line)]
    assert names == ["answer_due", "customer_leaving", "high_risk"]


def test_both_shops_are_folded_and_a_period_counts_what_began_in_it(archive, tmp_path):
    whole = backtest(tmp_path, SHIPPED, archive)
    early = backtest(tmp_path, SHIPPED, archive, "--to", "2026-11-20T12:06:00Z")

    assert whole["rules"]["answer_due"]["alerts"] == 4
    assert early["rules"]["answer_due"]["severities"] == {"info": 2}
    assert early["until"] == BEGIN + 6 * MINUTE


def test_what_began_before_the_period_is_not_counted_and_still_stands_behind_what_follows(archive, tmp_path):
    found = backtest(tmp_path, SHIPPED, archive, "--from", "2026-11-20T12:06:00Z")

    due = found["rules"]["answer_due"]
    assert (due["alerts"], due["severities"]) == (2, {"info": 2})  # the late ones began a minute before, and grew worse
    assert "high_risk" not in found["rules"]  # said at the questions, and open since
    assert found["since"] == BEGIN + 6 * MINUTE


def test_period_has_the_alerts_of_its_parts(archive, tmp_path):
    middle = "2026-11-20T12:06:00Z"
    whole, early, late = (
        {kind: rule["alerts"] for kind, rule in backtest(tmp_path, SHIPPED, archive, *part)["rules"].items()}
        for part in ((), ("--to", middle), ("--from", middle))
    )

    assert whole == {kind: early.get(kind, 0) + late.get(kind, 0) for kind in whole}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", "2026-11-22", "--to", "2026-11-21"], 3, "expected --from before --to"),
        (["--shop", "nobody"], 3, "found no event in the log"),
    ],
)
def test_period_or_shop_without_events_is_said(archive, arguments, code, said, tmp_path, capsys):
    given = [str(SHIPPED), str(archive), *arguments, "--lake", str(tmp_path / "lake")]

    assert backtest_rules.run_job(backtest_rules.main, given) == code
    assert said in capsys.readouterr().err


def test_wrong_rules_are_refused_before_the_log_is_read(tmp_path, capsys):
    wrong = tmp_path / "rules.yaml"
    wrong.write_text("revision: a\nrules: [{name: Wrong Name}]\n")

    assert backtest_rules.run_job(backtest_rules.main, [str(wrong), "--lake", str(tmp_path / "lake")]) == 3
    assert "mistakes in the rules, expected none" in capsys.readouterr().err
