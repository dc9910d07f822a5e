"""The dry run of the rules: what it prints of a small log, how it ends, and that it needs no Spark."""

import io
import json
import re
import shlex
import subprocess
import sys
from textwrap import dedent, indent

import pytest

from cli.paths import ROOT
from service_quality.commit import log_reader, online_commit, rule_decisions, shop_state
from spark_jobs.backtest_rules import main
from spark_jobs.entry.endings import run_job
from tests.stand_ins.cursed_fold import CursedFold
from tests.unit.core.rule_documents import WAITS, document, rule

NOON = "2026-03-02T12:00:00Z"


def line(kind: str, at: str, **fields: object) -> str:
    """An event of conversation c1 on 2 March 2026, as a source writes it."""
    given = {"event_id": f"{kind}@{at}", "shop_id": "shop", "conversation_id": "c1", **fields}
    if kind == "agent_message":
        given = {"agent_id": "ann", **given}
    return json.dumps({"kind": kind, "occurred_at": f"2026-03-02T{at}:00Z", **given})


#: A customer asks, asks again after 40 minutes, and is answered.
WAITED = (
    line("customer_message", "12:00"),
    line("customer_message", "12:40"),
    line("agent_message", "12:45"),
)


@pytest.fixture
def run(tmp_path, capsys):
    """Run the job on lines; its exit code, the JSON lines that it printed, and its standard error."""

    def run(*lines: str, options: tuple[str, ...] = ()) -> tuple[int, list[dict], str]:
        log = tmp_path / "log.jsonl"
        log.write_text("".join(f"{one}\n" for one in lines), "utf-8")
        code = run_job(main, ["--events", str(log), "--json", *options])
        printed = capsys.readouterr()
        return code, [json.loads(one) for one in printed.out.splitlines()], printed.err

    return run


def told(printed: list[dict]) -> list[tuple]:
    """The messages in short."""
    messages = [one for one in printed if one["type"] == "message"]
    return [(one["line"], one["shop_id"], one["kind"], one["severity"], one["state"]) for one in messages]


def test_waiting_too_long_opens_and_is_resolved_by_the_answer(run):
    code, printed, errors = run(*WAITED)

    assert (code, errors) == (0, "")
    assert told(printed) == [
        (1, "shop", "waiting_too_long", "warning", "opened"),
        (3, "shop", "waiting_too_long", "warning", "resolved"),
    ]


def test_message_is_the_alert_as_published_with_line_clock_and_words(run):
    _, printed, _ = run(*WAITED)

    schema = json.loads((ROOT / "docs" / "alert.schema.json").read_text("utf-8"))
    opened = printed[0]
    assert opened.keys() - {"type", "line", "at", "text"} == set(schema["properties"])
    assert (opened["at"], opened["subject"]) == ("2026-03-02T12:30:00.000Z", {"kind": "conversation", "id": "c1"})
    assert opened["evidence"]["waiting_ms"] == 30 * 60_000
    assert (opened["score"], opened["model_version"]) == (None, None)
    assert "Customer waits too long" in opened["text"]["en"]
    assert "顾客等待回复过久" in opened["text"]["zh"]


@pytest.mark.parametrize(
    ("score", "severity"), [("0.49", None), ("0.5", "warning"), ("0.6", "critical"), ("1", "critical"), ("0", None)]
)
def test_score_raises_an_alert_from_the_thresholds_of_the_rule_on(run, score, severity):
    _, printed, _ = run(line("customer_message", "12:00"), options=("--score", score))

    assert told(printed) == ([(1, "shop", "high_risk", severity, "opened")] if severity else [])
    assert [(one["score"], one["reasons"]) for one in printed] == ([(float(score), [])] if severity else [])


def test_rules_about_scores_are_silent_without_a_score(run):
    code, printed, errors = run(line("customer_message", "12:00"))

    assert (code, printed, errors) == (0, [], "")


@pytest.mark.parametrize("score", ["-0.1", "1.1", "nan", "high", ""])
def test_score_that_is_no_probability_is_a_wrong_argument(run, score):
    code, printed, errors = run(*WAITED, options=(f"--score={score}",))

    assert (code, printed) == (2, [])
    assert "expected a number from 0 to 1" in errors


@pytest.mark.parametrize(
    ("wrong", "reason", "said"),
    [
        ("{", "malformed_json", "found text that is no JSON at byte"),
        ("[]", "not_an_object", "found a JSON list, expected a JSON object"),
        ('{"kind": "rated"}', "missing_field", "shop_id: found nothing, expected a value"),
        (line("customer_message", "12:20", occurred_at="today"), "out_of_range", "occurred_at: found a string of 5"),
        (line("customer_message", "12:20", received_at="soon"), "out_of_range", "received_at: found a string of 4"),
        (line("customer_massage", "12:20"), "unknown_kind", "kind: found a string of 16"),
        (json.dumps(json.loads(WAITED[0]) | {"kind": {"a": 1}}), "wrong_type", "kind: found"),
        (line("customer_message", "12:20", shop_id="_invalid"), "out_of_range", "shop_id: found the reserved _invalid"),
    ],
)
def test_wrong_line_is_reported_and_the_run_goes_on(run, wrong, reason, said):
    code, printed, errors = run(WAITED[0], wrong, *WAITED[1:])

    assert code == 1
    rejected = [one for one in printed if one["type"] == "rejected"]
    assert [(one["line"], one["reason"]) for one in rejected] == [(2, reason)]
    assert rejected[0]["message"].startswith(said)
    assert told(printed) == [
        (2, "shop", "waiting_too_long", "warning", "opened"),
        (4, "shop", "waiting_too_long", "warning", "resolved"),
    ]
    named, ended = errors.splitlines()
    assert named.startswith(f"backtest_rules: line 2: {said}")
    assert ended == "backtest_rules: found 1 rejected of 4 lines, expected to fold every line"


def test_first_line_of_a_shop_may_be_the_wrong_one(run):
    code, printed, _ = run(line("rated", "12:00", conversation_id=None), line("customer_message", "12:01"))

    assert code == 1
    assert [(one["line"], one["reason"]) for one in printed] == [(1, "missing_field")]


def test_control_record_is_rejected_for_no_deployment_signed_it(run):
    code, printed, _ = run(json.dumps({"kind": "shop_unparked", "shop_id": "shop", "occurred_at": NOON}))

    assert code == 1
    assert [one["type"] for one in printed] == ["rejected"]


def test_each_shop_has_its_own_clock_and_its_own_conversations(run):
    code, printed, _ = run(
        line("customer_message", "12:00"),
        line("customer_message", "18:00", shop_id="other"),
        line("internal_note", "12:10"),
        line("internal_note", "18:40", shop_id="other"),
    )

    assert code == 0
    assert told(printed) == [(3, "other", "waiting_too_long", "warning", "opened")]


def test_lines_out_of_their_order_of_arrival_are_named_and_folded(run):
    other = line("customer_message", "11:00", shop_id="other")

    code, _, errors = run(WAITED[1], other, WAITED[0], line("bot_message", "11:59"), WAITED[2])

    assert code == 0
    assert errors.startswith(
        "backtest_rules: found 2 lines that arrived before a line of the same shop above, expected"
    )
    assert (
        "the first is line 3, which arrived at 2026-03-02T12:00:00.000Z, behind a line of 2026-03-02T12:40:00.000Z"
        in errors
    )


def test_duplicate_is_named_and_changes_nothing(run):
    code, printed, errors = run(WAITED[0], WAITED[0], *WAITED[1:], options=("--conversations",))

    assert code == 0
    assert errors.splitlines() == [
        "backtest_rules: line 2: found the id of an event that was folded before, expected a new one;"
        " it changes nothing"
    ]
    assert [one["line"] for one in printed if one["type"] == "message"] == [2, 4]


def test_event_without_an_arrival_arrives_when_it_occurred_and_a_day_at_its_end(run):
    _, printed, _ = run(
        line("customer_message", "12:00"),
        line("agent_message", "00:00", precision="day"),
        line("internal_note", "12:00", event_id="n", occurred_at="2026-03-04T12:00:00Z"),
        options=("--conversations",),
    )

    assert told(printed) == []
    (only,) = printed[-1]["rounds"]
    assert [(one["at"], one["waited_ms"]) for one in only["replies"]] == [("2026-03-02T23:59:59.999Z", None)]


def test_arrival_that_is_given_moves_the_clock(run):
    early = {"received_at": "2026-03-02T12:40:00Z"}  # of an answer stamped two minutes ahead

    _, printed, _ = run(line("customer_message", "12:00"), line("agent_message", "12:42", **early))

    assert [one["at"] for one in printed] == ["2026-03-02T12:30:00.000Z", "2026-03-02T12:40:00.000Z"]


def test_conversations_follow_the_messages(run):
    _, printed, _ = run(
        *WAITED,
        line("assigned", "12:50", agent_id="bob"),
        line("customer_message", "12:55", conversation_id="c2"),
        line("rated", "13:00", rating=2),
        options=("--conversations",),
    )

    assert [one["type"] for one in printed] == ["message", "message", "conversation", "conversation"]
    assert [one["conversation_id"] for one in printed[2:]] == ["c1", "c2"]
    assert printed[2] == {
        "type": "conversation",
        "shop_id": "shop",
        "conversation_id": "c1",
        "merged": False,
        "closed": True,
        "owner": "ann",
        "waiting_since": None,
        "rounds": [
            {
                "number": 1,
                "opened_at": "2026-03-02T12:00:00.000Z",
                "reopening": False,
                "end": None,
                "ended_at": None,
                "end_is_derived": False,
                "first_response_ms": 45 * 60_000,
                "replies": [
                    {
                        "at": "2026-03-02T12:45:00.000Z",
                        "agent_id": "ann",
                        "waited_ms": 45 * 60_000,
                        "business_ms": None,
                        "judged_by": "calendar",
                        "on_time": False,
                        "provisional": False,
                        "shares": [{"agent_id": "ann", "waited_ms": 45 * 60_000}],
                    }
                ],
                "waiting_since": None,
                "wait_is_provisional": False,
                "unanswered": [],
                "resolved": False,
                "resolution_ms": None,
                "owner": "ann",
                "rating": 2,
                "rated_at": "2026-03-02T13:00:00.000Z",
                "rated_agent": "ann",
                "dissatisfied": True,
                "transfers": [],
                "complaints": [],
                "customer_messages": 2,
                "agent_messages": 1,
                "bot_messages": 0,
            }
        ],
    }


def test_visit_of_a_customer_is_no_conversation(run):
    viewed = {"kind": "page_viewed", "event_id": "v", "shop_id": "shop", "customer_id": "eve", "occurred_at": NOON}

    code, printed, _ = run(json.dumps({**viewed, "sku": "s-1"}), options=("--conversations",))

    assert (code, printed) == (0, [])


def test_log_is_read_from_the_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(WAITED).encode())))

    code = run_job(main, ["--events", "-", "--json"])

    assert code == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_lines_may_end_as_on_windows_be_blank_and_begin_with_a_byte_order_mark(tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    log.write_bytes(("\ufeff" + "\r\n\r\n".join(WAITED)).encode())

    code = run_job(main, ["--events", str(log), "--json"])

    assert code == 0
    assert [json.loads(one)["line"] for one in capsys.readouterr().out.splitlines()] == [2, 5]


def test_text_for_people_names_line_severity_subject_and_counts(tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(WAITED), "utf-8")

    code = run_job(main, ["--events", str(log), "--conversations"])

    said = capsys.readouterr().out
    assert code == 0
    assert "line 1: 2026-03-02T12:30:00.000Z warning waiting_too_long opened: shop, conversation c1\n" in said
    assert "    Customer waits too long for an answer\n" in said
    assert "    belongs to: ann\n" in said
    assert said.endswith("backtest_rules: 3 lines: 3 folded, 0 duplicates, 0 rejected; 2 messages\n")


def test_conversation_is_a_block_of_facts_with_hours_in_the_zone_of_the_policy(tmp_path, capsys):
    log, policy = tmp_path / "log.jsonl", tmp_path / "policy.json"
    rated = line("rated", "13:00", rating=2)
    log.write_text("\n".join([*WAITED, line("customer_message", "12:50"), line("resolved", "12:55"), rated]), "utf-8")
    policy.write_text(json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", "zone": "Asia/Shanghai"}))

    run_job(main, ["--events", str(log), "--policy", str(policy), "--conversations"])

    block = capsys.readouterr().out.partition("shop, conversation c1\n    state")[2].partition("\n\n")[0]
    assert f"    state{block}" == indent(
        dedent(
            """\
            state: closed
            belongs to: ann
            round 1
                opened: 2026-03-02 20:00 Asia/Shanghai
                answer: 2026-03-02 20:45 Asia/Shanghai by ann, after 45 min, not on time
                no answer: the wait ended at 2026-03-02 20:55 Asia/Shanghai, with ann
                ended: 2026-03-02 20:55 Asia/Shanghai, resolved
                time to resolution: 55 min
                rating: 2 of 5 at 2026-03-02 21:00 Asia/Shanghai, about ann, dissatisfied
                belongs to: ann
                messages: 3 of the customer, 1 of agents, 0 of bots"""
        ),
        "    ",
    )


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("missing.jsonl", 4, "found no file"),
        (".", 3, "expected a file that can be read"),
        ("empty.jsonl", 3, "found no line in"),
    ],
)
def test_file_that_holds_no_log_ends_in_one_line(tmp_path, capsys, name, code, said):
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")

    assert run_job(main, ["--events", str(tmp_path / name)]) == code

    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["--events"], ["--events", "f", "--lake", "l"]])
def test_wrong_usage_ends_with_2(arguments, capsys):
    assert run_job(main, arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_failing_rule_is_named_and_the_run_goes_on(run, monkeypatch):
    def fail(*arguments):
        raise KeyError("a customer's words")

    monkeypatch.setattr(rule_decisions, "decide", fail)
    code, printed, errors = run(*WAITED)

    assert (code, printed) == (0, [])
    assert "line 2: rule waiting_too_long failed with KeyError" in errors  # asked where its wait is over
    assert "a customer's words" not in errors


def test_line_on_which_the_fold_fails_is_rejected_and_the_run_goes_on(run, monkeypatch):
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("cursed"))

    code, printed, errors = run(WAITED[0], line("internal_note", "12:20", event_id="cursed"), *WAITED[1:])

    assert code == 1
    assert [(one["line"], one.get("reason")) for one in printed] == [(2, "fold_failed"), (2, None), (4, None)]
    assert "line 2: fold " in errors


def test_state_that_cannot_be_folded_on_ends_the_run_at_its_line(run, monkeypatch):
    monkeypatch.setattr(shop_state, "decode_conversation", lambda data, shop_id: 1 / 0)
    monkeypatch.setattr(online_commit, "_MAX_CACHED_ITEMS", 0)

    code, printed, errors = run(*WAITED)

    assert (code, printed) == (1, [])
    assert errors.startswith("backtest_rules: line 2: shop shop: found ZeroDivisionError")


def test_job_loads_neither_spark_nor_a_library():
    script = (
        "import sys; from spark_jobs.__main__ import main;"
        " code = main(['backtest_rules', '--events', '-', '--json']);"
        " heavy = {'pyspark', 'py4j', 'numpy', 'pandas', 'boto3', 'botocore', 'onnxruntime'} & set(sys.modules);"
        " sys.exit(str(heavy) if heavy else code)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        input="\n".join(WAITED),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 2


@pytest.mark.parametrize("follows", [{}, {"follows": "the one before it on a real log"}])
def test_policy_judges_from_the_first_line_on_whatever_it_follows(run, tmp_path, follows):
    policy = tmp_path / "policy.json"
    declared = {"revision": "b", "valid_from": "2026-01-01T00:00:00Z", "on_time_within": "PT1H", "slow_beyond": "PT2H"}
    policy.write_text(json.dumps(declared | follows), "utf-8")

    code, printed, errors = run(*WAITED, options=("--conversations", "--policy", str(policy)))

    (conversation,) = (one for one in printed if one["type"] == "conversation")
    assert (code, errors) == (0, "")
    assert [reply["on_time"] for reply in conversation["rounds"][0]["replies"]] == [True]


def test_reply_over_a_new_year_without_a_decree_is_provisional(run, tmp_path):
    policy = tmp_path / "policy.json"
    declared = {"revision": "b", "valid_from": "2026-01-01T00:00:00Z", "holidays": "CN", "zone": "Asia/Shanghai"}
    policy.write_text(json.dumps({**declared, "targets": [{"next_reply": "PT1H", "judged_by": "business"}]}), "utf-8")
    days = (("settled", "2026-12-30", "2026-12-31"), ("new year", "2026-12-31", "2027-01-01"))
    log = [
        line(kind, "12:00", conversation_id=name, event_id=f"{name} {kind}", occurred_at=f"{day}T12:00:00Z")
        for name, *asked_and_answered in days
        for kind, day in zip(("customer_message", "agent_message"), asked_and_answered, strict=True)
    ]

    _, printed, _ = run(*log, options=("--conversations", "--policy", str(policy)))

    described = {one["conversation_id"]: one["rounds"][0] for one in printed if one["type"] == "conversation"}
    marks = {name: [reply["provisional"] for reply in one["replies"]] for name, one in described.items()}
    assert marks == {"settled": [False], "new year": [True]}


@pytest.mark.parametrize(("judged_by", "on_time"), [("calendar", False), ("business", True)])
def test_answer_outside_business_hours_has_both_lengths_and_the_policy_says_which_is_judged(
    run, tmp_path, judged_by, on_time
):
    policy = {
        "revision": "a",
        "valid_from": "2020-01-01T00:00:00Z",
        "opening": {day: ["09:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
        "targets": [{"first_response": "PT1H", "judged_by": judged_by}],
    }
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    friday, monday = "2026-03-06T17:45:00Z", "2026-03-09T09:30:00Z"

    code, printed, _ = run(
        line("customer_message", "17:45", occurred_at=friday),
        line("agent_message", "09:30", occurred_at=monday),
        options=("--policy", str(tmp_path / "policy.json"), "--conversations"),
    )

    (reply,) = printed[-1]["rounds"][0]["replies"]
    lengths = (reply["waited_ms"], reply["business_ms"])
    assert (code, lengths) == (0, (int(63.75 * 60 * 60_000), 45 * 60_000))
    assert (reply["judged_by"], reply["on_time"]) == (judged_by, on_time)


def test_message_speaks_in_the_zone_and_the_currency_of_the_policy(run, tmp_path):
    policy = tmp_path / "policy.json"
    named = {"zone": "Asia/Kolkata", "currency": "JPY"}
    policy.write_text(json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", **named}), "utf-8")

    _, printed, _ = run(*WAITED, options=("--policy", str(policy)))

    assert {(one["time_zone"], one["currency"]) for one in printed} == {("Asia/Kolkata", "JPY")}
    assert "Alert since: 2026-03-02 18:00 Asia/Kolkata" in printed[0]["text"]["en"]
    assert "开始时间：2026-03-02 18:00 Asia/Kolkata" in printed[0]["text"]["zh"]


def test_last_message_about_an_answer_that_was_due_says_when_it_came_and_how_late(run, tmp_path):
    policy = tmp_path / "policy.json"
    target = {"first_response": "PT20M", "judged_by": "calendar"}
    paused = {"targets": [target], "pauses_when": ["pending"], "zone": "Asia/Shanghai"}
    policy.write_text(json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", **paused}), "utf-8")
    pauses = (line("status_changed", "12:05", status="pending"), line("status_changed", "12:10", status="open"))

    _, printed, _ = run(WAITED[0], *pauses, WAITED[2], options=("--policy", str(policy)))

    first, last = printed[0]["text"], printed[-1]["text"]
    assert "- pauses of the conversation, not counted in the wait: 5 min\n" in first["en"]
    assert "- 会话暂停时长（不计入等待）：5 分钟\n" in first["zh"]
    assert "the answer came" not in first["en"]
    assert "- the answer came: 2026-03-02 20:45 Asia/Shanghai\n- the answer by its target: 20 min late\n" in last["en"]
    assert "- 回复时间：2026-03-02 20:45 Asia/Shanghai\n- 按应答时限：超时 20 分钟\n" in last["zh"]


def test_message_about_a_merged_conversation_is_in_the_zone_of_the_shop(run, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", "zone": "Asia/Shanghai"}))
    merging = line("status_changed", "12:45", merged_into="c2")

    _, printed, _ = run(*WAITED[:2], merging, options=("--policy", str(policy)))

    ended = printed[-1]
    assert (ended["state"], ended["ended_by"], ended["time_zone"]) == ("resolved", "merged", "Asia/Shanghai")
    assert "2026-03-02 20:45" in ended["text"]["en"]


def test_two_conversations_that_are_merged_count_once_and_the_alert_of_the_void_one_ends(run):
    asked, again = ({"event_id": "asked"}, {"event_id": "asked again"})
    code, printed, _ = run(
        line("customer_message", "12:00", **asked),
        line("customer_message", "12:10", conversation_id="c2", **again),
        line("agent_message", "12:20"),
        line("internal_note", "12:41", conversation_id="c2"),
        line("status_changed", "12:42", conversation_id="c2", merged_into="c1"),
        line("customer_message", "12:10", **again),
        line("rated", "13:00", rating=2),
        options=("--conversations",),
    )

    survivor, void = (one for one in printed if one["type"] == "conversation")
    messages = [one for one in printed if one["type"] == "message" and one["subject"]["id"] == "c2"]
    assert (code, survivor["merged"], void["merged"], void["rounds"]) == (0, False, True, [])
    (only,) = survivor["rounds"]
    assert (only["customer_messages"], only["agent_messages"], only["rating"]) == (2, 1, 2)
    assert [reply["waited_ms"] for reply in only["replies"]] == [20 * 60_000]
    assert [(one["state"], one.get("ended_by")) for one in messages] == [("opened", None), ("resolved", "merged")]


def test_policy_with_mistakes_ends_the_run_with_every_mistake(run, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"revision": "b", "valid_from": "today", "owner": "nobody"}), "utf-8")

    code, printed, errors = run(*WAITED, options=("--policy", str(policy)))

    assert (code, printed) == (3, [])
    assert "found 2 mistakes in the policy, expected none" in errors
    assert "valid_from: found" in errors
    assert "owner: found" in errors


def test_policy_that_is_not_there_ends_the_run_with_4(run):
    code, printed, errors = run(*WAITED, options=("--policy", "nowhere.json"))

    assert (code, printed) == (4, [])
    assert "found no file nowhere.json, expected a policy" in errors


@pytest.mark.parametrize("follows", [{}, {"follows": "the one before it on a real log"}])
def test_given_rules_alone_are_asked_from_the_first_line_on_whatever_they_follow(run, tmp_path, follows):
    rules = tmp_path / "rules.yaml"
    rules.write_bytes(document(rule(WAITS, title={"en": "Waits here", "zh": "在此等待"}), **follows))

    code, printed, errors = run(*WAITED, options=("--rules", str(rules)))

    assert (code, errors) == (0, "")
    assert {one["kind"] for one in printed} == {"waits"}
    assert printed[0]["text"]["zh"].startswith("在此等待\n")
    assert "What to do\n- Answer\n" in printed[0]["text"]["en"]


def test_round_that_silence_ends_ends_the_alerts_of_given_rules(run, tmp_path):
    rules, policy = tmp_path / "rules.yaml", tmp_path / "policy.json"
    rules.write_bytes(document(WAITS))
    policy.write_text(
        json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", "ends_after": "PT1H"}), "utf-8"
    )
    later = line("customer_message", "20:00", conversation_id="another", event_id="another")

    _, printed, _ = run(*WAITED[:2], later, options=("--rules", str(rules), "--policy", str(policy)))

    assert [(one["kind"], one["state"]) for one in printed] == [("waits", "opened"), ("waits", "resolved")]


def test_rules_with_mistakes_end_the_run_with_every_mistake_and_its_line(run, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("revision: a\nrules:\n  - name: Waits\n    audience: me\n    audience: you\n", "utf-8")

    code, printed, errors = run(*WAITED, options=("--rules", str(rules)))

    assert (code, printed) == (3, [])
    assert "found 15 mistakes in the rules, expected none" in errors
    assert "line 5: found the key audience again, expected each key once" in errors
    assert "line 3: rules[0].name: found" in errors
    assert "line 4: rules[0].audience: found" in errors


def test_rules_that_are_not_there_end_the_run_with_4(run):
    code, printed, errors = run(*WAITED, options=("--rules", "nowhere.yaml"))

    assert (code, printed) == (4, [])
    assert "found no file nowhere.yaml, expected rules in YAML" in errors


def test_page_shows_what_its_command_prints():
    page = (ROOT / "docs" / "dry_run.md").read_text("utf-8")
    ((command, shown),) = re.findall(r"```sh\n\.venv/bin/python (.*?)\n```\n\n((?:    .*\n|\n)+)", page)

    ended = subprocess.run(
        [sys.executable, *shlex.split(command)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", f"{dedent(shown).rstrip()}\n")


def test_dropped_values_and_a_policy_that_judges_nothing_are_named(run, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text('{"revision": "later", "valid_from": "2100-01-01T00:00:00Z"}', "utf-8")

    odd = line("customer_message", "12:00", category="x" * 300, agent_id=42)
    code, _, errors = run(odd, options=("--policy", str(policy)))

    assert code == 0
    assert "line 1: found values of agent_id, category that cannot be used; the event counts without them" in errors
    assert "valid from 2100-01-01T00:00:00.000Z on, and no event so late; it judged nothing" in errors
