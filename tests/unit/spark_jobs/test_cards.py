"""Cards of runs: rewritten while a run goes on, true at its end, listed and compared."""

import json
import os
import time

import pytest

from reports.run_labels import STEPS
from reports.run_page import render_run
from spark_jobs import backtest_rules
from spark_jobs.__main__ import run_chain
from spark_jobs.cards import running, runs, steps
from spark_jobs.cards.card import (
    DONE,
    FAILED,
    INTERRUPTED,
    JSON,
    LOST,
    LOST_AFTER_SECONDS,
    MOST_RUNS,
    PAGE,
    RUNNING,
    Card,
    figures_of,
    prune,
    read_cards,
    write_card,
)
from spark_jobs.cards.steps import READ, WRITE
from spark_jobs.entry.endings import run_job
from spark_jobs.errors import InputError, JobError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of cards of this test alone."""
    monkeypatch.setenv("SERVICE_QUALITY_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def card(name, **changes):
    """A card that is done."""
    given = {"job": "train_model", "state": DONE, "arguments": {"lake": "a lake"}, "counts": {"rows": 10}} | changes
    return Card(
        id=name, began_at="2026-11-28T09:00:00.000Z", version="1", command="a command", pid=1, **given
    )  # fmt: skip


def begin(progress=lambda: None, **arguments):
    """Begin the card of a run."""
    running.expect_run(["--lake", "a lake"])
    running.begin_card("train_model", {"lake": "a lake", "debug": False, **arguments}, progress)


def only(folder):
    """The one card of a folder, and its page."""
    (found,) = read_cards(folder, now=time.time())
    return found, (folder / found.id / PAGE).read_text("utf-8")


def test_card_says_what_a_run_was_given_read_and_counted(folder):
    begin()
    running.note_table("lake.service.training_set", 7)
    running.note_table("lake.service.training_set", 7)
    running.note_file("a.csv")
    running.note_summary({"rows": 12, "by": {"kind": 3}})
    running.warn("train_model", "few rows")
    running.end_card(0)

    found, page = only(folder)

    assert (found.state, found.counts["rows"], found.warnings) == (DONE, 12, ["few rows"])
    assert found.inputs == [
        {"kind": "table", "name": "lake.service.training_set", "snapshot": 7},
        {"kind": "file", "name": "a.csv"},
    ]
    assert found.arguments == {"lake": "a lake"}
    assert found.command == "python -m spark_jobs train_model --lake 'a lake'"
    assert found.next == ["python -m model_export --help"]
    assert found.ended_at is not None
    assert "lake.service.training_set" in page
    assert "已完成" in page
    assert 'http-equiv="refresh"' not in page


@pytest.mark.parametrize(("code", "state"), [(0, DONE), (1, FAILED), (3, FAILED), (130, INTERRUPTED)])
def test_card_ends_as_its_run_does(folder, code, state):
    def main(arguments):
        running.begin_card("train_model", {"lake": "a lake"})
        if code == 130:
            raise KeyboardInterrupt
        if code:
            raise {1: JobError, 3: InputError}[code]("found nothing", ["line 1"])

    assert running.run_with_card(main, ["--lake", "a lake"]) == code

    found, page = only(folder)

    assert found.state == state
    assert ("found nothing" in page) == (code in (1, 3))
    after = {0: ["python -m model_export --help"], 1: ["python -m spark_jobs train_model … --debug"]}
    assert found.next == after.get(code, [])


def test_card_is_rewritten_while_its_run_goes_on(folder, monkeypatch):
    monkeypatch.setattr(running, "REWRITTEN_EVERY_SECONDS", 0.01)
    begin(lambda: {"stage": 4, "tasks": 10, "done": 3})
    ends = time.monotonic() + 10
    page = ""
    while "Stage 4: 3 of 10 tasks done" not in page and time.monotonic() < ends:
        time.sleep(0.01)
        (found,) = read_cards(folder, now=time.time())
        page = (folder / found.id / PAGE).read_text("utf-8")
    running.end_card(0)

    assert (found.state, found.progress) == (RUNNING, {"stage": 4, "tasks": 10, "done": 3})
    assert "Stage 4: 3 of 10 tasks done" in page
    assert 'http-equiv="refresh"' in page
    assert only(folder)[0].progress is None


def test_card_says_how_long_each_step_took(folder, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    running.expect_run([])
    now = 104.0
    running.begin_card("import_events", {})
    running.note_step(READ)
    now = 104.5
    running.note_step(WRITE)
    now = 110.5
    running.note_step(READ)
    now = 111.0
    running.end_card(0)

    found, page = only(folder)

    steps = [(one["step"], one["seconds"]) for one in found.steps]
    assert steps == [("start", 4.0), (READ, 0.5), (WRITE, 6.0), (READ, 0.5)]
    assert found.seconds == 11.0
    figures = dict(figures_of(found))
    assert {name: figures[f"seconds.{name}"] for name in ("start", READ, WRITE)} == {
        "start": 4.0, READ: 1.0, WRITE: 6.0
    }  # fmt: skip
    assert "写入" in page


def test_step_that_goes_on_grows_with_each_rewriting(folder, monkeypatch):
    monkeypatch.setattr(running, "REWRITTEN_EVERY_SECONDS", 0.01)
    begin()
    running.note_step(WRITE)
    ends, seconds = time.monotonic() + 10, 0.0
    while seconds < 0.2 and time.monotonic() < ends:
        time.sleep(0.01)
        (found,) = read_cards(folder, now=time.time())
        seconds = found.steps[-1]["seconds"]
    running.end_card(0)

    assert found.state == RUNNING
    assert seconds >= 0.2


def test_dry_run_of_rules_has_a_card_too(folder, tmp_path):
    event = {"event_id": "e", "shop_id": "shop", "conversation_id": "c", "kind": "customer_message"}
    lines = [json.dumps({**event, "occurred_at": "2026-03-02T12:00:00Z"}), "{}", "{"]
    (tmp_path / "log.jsonl").write_text("\n".join(lines), "utf-8")

    assert backtest_rules.run_job(backtest_rules.main, ["--events", str(tmp_path / "log.jsonl")]) == 1

    found, page = only(folder)

    assert (found.job, found.state, found.inputs) == (
        "backtest_rules", FAILED, [{"kind": "file", "name": str(tmp_path / "log.jsonl")}]
    )  # fmt: skip
    assert {name: found.counts[name] for name in ("lines", "folded", "messages")} == {
        "lines": 3, "folded": 1, "messages": 0
    }  # fmt: skip
    assert found.counts["first_lines"] == {"missing_field": "2", "malformed_json": "3"}
    assert [one["step"] for one in found.steps] == ["start", "read", "compute"]
    assert "2 rejected of 3 lines" in page


def test_dry_run_that_fails_at_its_arguments_has_no_card(folder):
    assert backtest_rules.run_job(backtest_rules.main, ["--events"]) == 2

    assert not folder.exists()


def test_every_step_has_a_name_in_both_languages():
    names = {value for name, value in vars(steps).items() if name.isupper()}

    assert names == set(STEPS)


def test_folder_that_cannot_be_written_is_said_once_and_stops_no_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder", "utf-8")
    monkeypatch.setenv("SERVICE_QUALITY_RUNS", str(tmp_path / "file"))

    begin()
    running.note_summary({"rows": 1})
    running.end_card(0)

    assert capsys.readouterr().err.count("no card") == 1


def test_nothing_is_noted_without_a_run(folder):
    running.begin_card("train_model", {}, lambda: None)
    running.note_table("a", 1)
    running.note_summary({"rows": 1})
    running.end_card(0)

    assert not folder.exists()


def test_run_that_was_killed_is_lost(folder):
    write_card(folder, card("20261128T090000-train_model-aaaa", state=RUNNING))

    now = time.time()

    assert [one.state for one in read_cards(folder, now=now)] == [RUNNING]
    assert [one.state for one in read_cards(folder, now=now + LOST_AFTER_SECONDS + 1)] == [LOST]


def test_file_that_is_no_card_is_left_alone(folder):
    (folder / "other").mkdir(parents=True)
    (folder / "other" / JSON).write_text('{"format": 99}', "utf-8")
    (folder / "broken").mkdir()
    (folder / "broken" / JSON).write_text("{", "utf-8")

    assert read_cards(folder, now=time.time()) == []


def test_oldest_runs_go(folder):
    for number in range(MOST_RUNS + 3):
        write_card(folder, card(f"{number:05}"))

    prune(folder)

    assert (len(os.listdir(folder)), min(os.listdir(folder))) == (MOST_RUNS, "00003")


def test_runs_are_listed_the_newest_first(folder, capsys):
    write_card(folder, card("20261128T090000-train_model-aaaa"))
    failed = {"message": "found nothing\nmore", "details": [], "exit_code": 3}
    write_card(folder, card("20261128T100000-import_events-bbbb", job="import_events", state=FAILED, error=failed))

    assert run_chain(["runs", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("20261128T100000-import_events-bbbb  failed")
    assert first.endswith("found nothing")
    assert second.endswith("rows 10")

    assert run_chain(["runs", "list", "--job", "train_model", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == ["20261128T090000-train_model-aaaa"]


def test_two_runs_are_compared_by_what_differs(folder, capsys):
    write_card(folder, card("20261128T090000-train_model-aaaa", counts={"rows": 10, "metrics": {"auc": 0.7}}))
    write_card(folder, card("20261128T100000-train_model-bbbb", counts={"rows": 10, "metrics": {"auc": 0.71}}))
    write_card(folder, card("20261128T110000-import_events-cccc", job="import_events"))

    assert run_chain(["runs", "compare", "20261128T09", "20261128T10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:]] == [["metrics.auc", "0.7", "0.71"]]

    assert run_chain(["runs", "compare", "20261128T09", "import"]) == 3
    assert "expected two of one job" in capsys.readouterr().err


def test_run_is_opened_by_the_beginning_of_its_id(folder, capsys):
    write_card(folder, card("20261128T090000-train_model-aaaa"))

    assert run_chain(["runs", "open", "--print"]) == 0
    assert capsys.readouterr().out.strip().endswith("20261128T090000-train_model-aaaa/card.html")
    assert run_chain(["runs", "open", "nothing", "--print"]) == 4
    assert "expected one of 20261128T090000-train_model-aaaa" in capsys.readouterr().err


def test_no_run_is_said(folder, capsys):
    assert run_chain(["runs", "list"]) == 0
    assert capsys.readouterr().out == "no run yet\n"


def test_page_loads_nothing_and_escapes_what_it_shows():
    shown = card("a", counts={"name": "<script>alert(1)</script>"}).__dict__

    page = render_run(shown, lang="zh")

    assert "<script>" not in page
    assert page.index('id="en"') < page.index('id="zh"')


def test_figures_are_plain():
    found = dict(figures_of(card("a", counts={"rows": 3, "list": [1], "by": {"kind": 2}, "job": "x"})))

    assert found == {"seconds": 0.0, "rows": 3, "list": "1 …", "by.kind": 2}


def test_module_runs_by_itself(folder, capsys):
    assert run_job(runs.main, ["list"]) == 0
