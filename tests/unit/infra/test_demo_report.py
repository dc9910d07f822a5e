"""The results of a demo: all of a good run, and those of the last good one beside a run with faults."""

import json
from pathlib import Path

import pytest

from infra.local import demo_report
from infra.local.demo_report import Results, find_faults, results_in, write_report
from infra.local.demo_run import Demo
from tests.unit.reports.made_up_run import alert, evaluation, live, report

CHECKED = {"compared": 10, "mismatched": 0, "missing": 0, "extra": 0, "chain": "whole"}


@pytest.fixture
def results(tmp_path) -> Results:
    """The folder of the results of the last good run."""
    found = results_in(tmp_path / "results")
    found.report.parent.mkdir()
    for path in found.paths():
        path.write_text("of the last good run")
    return found


def made_run(folder: Path, **checked: object) -> Demo:
    """A run that came to its end with one alert, and all that its steps wrote."""
    metrics = report()["model"]
    written = {
        "evaluate_scores": {name: {**curves, "metrics": metrics} for name, curves in evaluation().items()},
        "export_events": {"events": 10, "conversations": 3},
        "train_model": {"rows": 8, "challenger": metrics},
        "check_consistency": {**CHECKED, **checked},
        "generate_shop": {},
        "export": {"version": "v1"},
        "model/parity": {"max_abs_diff": 1e-8},
    }
    (folder / "model").mkdir(parents=True)
    for name, document in written.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    run = Demo(None, "2026-01-31", folder=folder, published=1, received_by_web=1, live=live())
    run.scores.write_bytes(b"scores as served")
    return run


def test_good_run_replaces_the_results_of_the_last_one(tmp_path, results, capsys):
    faults = write_report(made_run(tmp_path / "run"), [alert("a")], 0, results)

    assert faults == []
    assert json.loads(results.report.read_text())["events"] == 10
    assert results.scores.read_bytes() == b"scores as served"
    assert [json.loads(line)["alert_id"] for line in results.alerts.read_text().splitlines()] == ["a"]
    assert results.page.read_text().startswith("<!doctype html>")
    assert set(results.report.parent.iterdir()) == results.paths()
    assert str(results.report) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("checked", "status", "fault"),
    [
        ({"mismatched": 3}, 1, "found 3 values mismatched, expected 0"),
        ({"chain": "broken"}, 1, "found the chain broken"),
        ({}, 1, "found exit code 1 of the check, expected 0"),
    ],
)
def test_run_with_faults_leaves_its_results_beside_those_of_the_last_good_one(
    checked, status, fault, tmp_path, results, capsys
):
    run = made_run(tmp_path / "run", **checked)

    faults = write_report(run, [alert("a")], status, results)

    assert len(faults) == 1
    assert fault in faults[0]
    assert {path.read_text() for path in results.paths()} == {"of the last good run"}
    assert {path.name for path in run.failed.iterdir()} == {path.name for path in results.paths()}
    assert str(run.failed / "report.json") in capsys.readouterr().out


def break_page(run: Demo, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(demo_report, "render_page", lambda *_, **__: 1 / 0)


def lose_scores(run: Demo, patch: pytest.MonkeyPatch) -> None:
    run.scores.unlink()


def lose_figures(run: Demo, patch: pytest.MonkeyPatch) -> None:
    (run.folder / "train_model.json").unlink()


@pytest.mark.parametrize("breaks", [break_page, lose_scores, lose_figures])
def test_report_that_cannot_be_written_leaves_every_result_of_the_last_good_run(breaks, tmp_path, results, monkeypatch):
    run = made_run(tmp_path / "run")
    breaks(run, monkeypatch)

    with pytest.raises((ZeroDivisionError, FileNotFoundError)):
        write_report(run, [alert("a")], 0, results)

    assert {path.read_text() for path in results.paths()} == {"of the last good run"}
    assert set(results.report.parent.iterdir()) == results.paths()


@pytest.mark.parametrize("changes", [{"right": 1}, {"others": 1}])
def test_live_minute_that_went_otherwise_is_a_fault(changes):
    (fault,) = find_faults(report(live=live(**changes)), 0)

    assert fault.startswith("a minute live: found")


def test_lost_alert_is_a_fault_of_the_subscriber_that_did_not_get_it():
    lost = report(alerts={"published": 3, "received": 3, "received_http": 2, "by_kind": {}})

    assert find_faults(lost, 0) == ["alerts: the web subscriber found 2, expected the 3 published"]


def test_run_that_compared_or_published_nothing_is_a_fault():
    nothing = {"published": 0, "received": 0, "received_http": 0, "by_kind": {}}
    empty = report(alerts=nothing, consistency={**CHECKED, "compared": 0})

    assert find_faults(empty, 0) == [
        "consistency: found 0 values compared, expected at least one",
        "alerts: found none published, expected at least one",
    ]
