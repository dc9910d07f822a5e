"""The files of the benchmarks: one section replaced, the others unchanged, every missed figure named."""

import doctest
import json
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

import benchmarks.__main__
import benchmarks.claims
import benchmarks.cost_runs.prices
import benchmarks.machine
import benchmarks.measurement
import benchmarks.results
from benchmarks.__main__ import SAYS, main, read_options
from benchmarks.claims import CLAIMS, missed, readable
from benchmarks.machine import describe_machine
from benchmarks.measurement import Row, Section
from benchmarks.published import publish
from benchmarks.results import (
    FOLDER,
    JSON,
    MEASURED,
    PAGE,
    Results,
    read_results,
    render_page,
    to_document,
    write_results,
)
from tools.errors import ROOT

MACHINE = {"processor": "Example", "cores": "2", "memory": "24 GiB", "system": "Linux", "python": "3.11.7"}


def cold_start(over_imports: float) -> Section:
    rows = (Row("ours", "ms", (400.0, 420.0, 410.0), "a note"), Row("ratio", "", (over_imports,)))
    return Section("cold_start", rows, {"over_scikit_learn": 0.3, "over_imports": over_imports}, {"numpy": "2.4.6"})


def training(difference: float) -> Section:
    return Section("training", (Row("ours", "s", (9.0,)),), {"log_loss_difference": difference})


def test_section_measured_again_replaces_itself_alone(tmp_path):
    results = Results()
    results.put(cold_start(1.2), date="2026-01-01", machine=MACHINE)
    results.put(training(1e-6), date="2026-01-02", machine=MACHINE)
    write_results(results, tmp_path)

    again = read_results(tmp_path)
    again.put(training(2e-6), date="2026-02-02", machine=MACHINE)
    write_results(again, tmp_path)

    found = json.loads((tmp_path / JSON).read_text("utf-8"))
    assert found["cold_start"] == {"over_scikit_learn": 0.3, "over_imports": 1.2}
    assert found["training"] == {"log_loss_difference": 2e-6}
    assert {name: measured["date"] for name, measured in found["measured"].items()} == {
        "cold_start": "2026-01-01",
        "training": "2026-02-02",
    }


def test_what_was_written_reads_back_and_writes_the_same(tmp_path):
    results = Results()
    results.put(cold_start(1.25), date="2026-01-01", machine=MACHINE)

    write_results(results, tmp_path)
    first = (tmp_path / JSON).read_bytes(), (tmp_path / PAGE).read_bytes()
    write_results(read_results(tmp_path), tmp_path)

    assert ((tmp_path / JSON).read_bytes(), (tmp_path / PAGE).read_bytes()) == first


def test_results_that_cannot_be_written_leave_both_files_as_they_were(tmp_path, monkeypatch):
    results = Results()
    results.put(cold_start(1.25), date="2026-01-01", machine=MACHINE)
    write_results(results, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    results.put(training(2e-6), date="2026-02-02", machine=MACHINE)
    monkeypatch.setattr(benchmarks.results, "render_page", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        write_results(results, tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_missed_figure_is_reported_with_found_and_expected():
    results = Results()
    results.put(cold_start(1.45), date="2026-01-01", machine=MACHINE)

    page = render_page(results)

    assert "missed: found 1.45, expected at most 1.3" in page
    assert missed(results.figures()) == ["cold_start.over_imports missed: found 1.45, expected at most 1.3"]
    assert not missed({"cold_start": {"over_scikit_learn": 0.4, "over_imports": 1.3}})


def test_page_shows_median_spread_and_runs_of_every_row():
    results = Results()
    results.put(cold_start(1.2), date="2026-01-01", machine=MACHINE)

    assert "| ours | 410 | 400–420 | 3 | ms | a note |" in render_page(results)


def test_section_with_other_figures_than_claimed_is_refused():
    with pytest.raises(ValueError, match="section training: found figures"):
        Results().put(Section("training", (), {"other": 1.0}), date="2026-01-01", machine=MACHINE)


def test_kept_results_are_those_of_the_page_and_name_no_machine():
    results = read_results()

    assert (FOLDER / PAGE).read_text("utf-8") == render_page(results)
    for text in ((FOLDER / PAGE).read_text("utf-8"), (FOLDER / JSON).read_text("utf-8")):
        assert str(ROOT) not in text
        assert socket.gethostname() not in text
    assert set(to_document(results)) <= {*CLAIMS, "measured", "rows"}


def test_readme_tells_what_was_found():
    figures = read_results().figures()
    printed = re.findall(r"\(`(\w+)\.(\w+)`\) \| (\S+) \| ([^|]+) \|", (ROOT / "README.md").read_text("utf-8"))

    assert printed
    assert {section for section, *_ in printed} == set(figures)
    for section, name, found, target in printed:
        assert (found, target) == (readable(figures[section][name]), CLAIMS[section][name].expected), name


def test_published_figures_replace_those_of_a_page_and_leave_the_others(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(
        "| a (`scoring.a`) | 34.8 | at least 30 |\n| b (`training.b`) | 3.02e-07 | at most 5e-05 |\n", "utf-8"
    )

    publish(page, {"scoring": {"a": 36.1234, "other": 1.0}})

    assert page.read_text("utf-8").splitlines() == [
        "| a (`scoring.a`) | 36.1 | at least 30 |",
        "| b (`training.b`) | 3.02e-07 | at most 5e-05 |",
    ]


def test_published_readme_is_that_of_the_published_results(tmp_path):
    page = tmp_path / "README.md"
    page.write_text((ROOT / "README.md").read_text("utf-8"), "utf-8")

    publish(page, read_results().figures())

    assert page.read_text("utf-8") == (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(("argv", "folders"), [([], [MEASURED]), (["--publish"], [MEASURED, FOLDER])])
def test_only_a_published_measurement_touches_the_published_results(argv, folders, monkeypatch):
    stored: list[Path] = []
    section = SimpleNamespace(measure=lambda runs, tell: cold_start(1.2))
    monkeypatch.setattr(benchmarks.__main__, "import_module", lambda name: section)
    monkeypatch.setattr(benchmarks.__main__, "store", lambda section, folder: stored.append(folder))
    monkeypatch.setattr(benchmarks.__main__, "publish", lambda page, figures: None)
    monkeypatch.setattr(benchmarks.__main__, "write_page", lambda section: None)

    assert main(["cold_start", *argv]) == 0

    assert stored == folders


def test_every_section_is_described_and_can_be_asked_for(capsys):
    assert list(SAYS) == list(CLAIMS)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    printed = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(name in printed for name in CLAIMS)
    assert read_options(["cost", "--runs", "9"]).runs == 9


@pytest.mark.parametrize("argv", [["weather"], ["--runs", "0"], ["--runs", "some"]])
def test_what_cannot_be_measured_is_refused(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        read_options(argv)

    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_machine_is_described_without_its_name():
    described = describe_machine()

    assert set(described) == set(MACHINE)
    assert all(described.values())
    assert socket.gethostname() not in " ".join(described.values())


def test_examples_run():
    for module in (benchmarks.claims, benchmarks.machine, benchmarks.measurement, benchmarks.cost_runs.prices):
        assert doctest.testmod(module).failed == 0
