"""The local run's own pieces, without an embedded AWS."""

import argparse
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.arguments import number_above_zero
from cli.locks import in_turn, only_one
from cli.machine_errors import HeldError
from infra.local import demo, down
from infra.local import emulator as emulator_module
from infra.local.cloud import for_embedded
from infra.local.demo import file_to_write
from infra.local.demo_folder import fresh_folder
from infra.local.demo_report import results_in
from infra.local.demo_run import Demo
from infra.local.deployment import LOCKS, fingerprint
from infra.local.emulator import HOST, Emulator, find_running
from infra.local.errors import EmulatorError, LocalRunError, ReplayError
from infra.local.processes import OwnProcess, Registration, read_registration, start
from infra.local.replaying import read_events
from infra.local.up import a_port

EVENT = (
    '{{"event_id":"{event_id}","shop_id":"s","kind":"{kind}","occurred_at":"{at}","conversation_id":"c","rating":5}}\n'
)


@pytest.fixture
def sleeper(tmp_path):
    process = start(
        [sys.executable, "-c", "import signal; signal.pause()"], environment={}, folder=tmp_path, log=tmp_path / "log"
    )
    yield process
    process.end()


def test_events_are_replayed_in_log_order(tmp_path):
    lines = [
        EVENT.format(event_id="3", kind="rated", at="2023-08-01T10:00:00Z"),
        EVENT.format(event_id="2", kind="customer_message", at="2023-08-01T10:00:00Z"),
        EVENT.format(event_id="1", kind="customer_message", at="2023-08-01T10:00:00Z"),
        EVENT.format(event_id="9", kind="customer_message", at="2023-08-01T09:00:00Z"),
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))

    events = read_events(path)

    assert [event.event_id for event in events] == ["9", "1", "2", "3"]
    assert all(event.received_at == event.occurred_at for event in events)


def test_line_that_is_no_event_is_named(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(EVENT.format(event_id="1", kind="rated", at="2023-08-01T10:00:00Z") + "{\n")

    with pytest.raises(ReplayError, match=r"events\.jsonl, line 2: found text that is no JSON"):
        read_events(path)


def test_file_without_events_is_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("\n")

    with pytest.raises(ReplayError, match="found no event, expected at least one"):
        read_events(path)


@pytest.mark.parametrize("word", ["0", "-1", "65536", "abc", "²", ""])
def test_port_that_is_no_port_is_refused(word):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a number from 1 to 65535"):
        a_port(word)


@pytest.mark.parametrize("word", ["0", "nan", "inf", "abc", "-2"])
def test_pace_that_is_no_number_is_refused(word):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a number above zero"):
        number_above_zero(word)


def test_report_is_refused_before_the_run_where_it_could_not_be_written(tmp_path):
    (tmp_path / "file").touch()

    assert file_to_write(str(tmp_path / "new" / "report.json")) == tmp_path / "new" / "report.json"
    with pytest.raises(argparse.ArgumentTypeError, match="found a folder"):
        file_to_write(str(tmp_path))
    with pytest.raises(argparse.ArgumentTypeError, match=r"found no permission to write at .*/file"):
        file_to_write(str(tmp_path / "file" / "report.json"))


def test_contacts_in_the_folder_that_a_demo_empties_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    (tmp_path / "contacts.csv").touch()

    with pytest.raises(argparse.ArgumentTypeError, match="which a demo empties"):
        demo.existing_file(str(tmp_path / "contacts.csv"))


def test_second_run_of_a_kind_fails_and_a_later_one_does_not(tmp_path):
    def run() -> None:
        with only_one(tmp_path / "lock", "demo"):
            pass

    with only_one(tmp_path / "lock", "demo"), pytest.raises(HeldError, match="found another demo"):
        run()

    run()


def test_runs_that_take_turns_never_overlap(tmp_path):
    inside = []

    def build() -> None:
        with in_turn(tmp_path / "lock", "build"):
            inside.append("begin")
            time.sleep(0.01)
            inside.append("end")

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(build) for _ in range(3)]:
            done.result()

    assert inside == ["begin", "end"] * 3


def test_embedded_aws_of_a_killed_demo_is_ended_by_the_next(sleeper, tmp_path):
    folder = tmp_path / "demo"
    (folder / "emulator").mkdir(parents=True)
    Registration(sleeper.pid, sleeper.started, 1).write(folder / "emulator" / "emulator.json")

    with fresh_folder(folder) as accept:
        accept()

    assert not sleeper.is_running()
    assert not list(folder.iterdir())


LAST_GOOD = ("report.json", "mine/report.json", "lake/events", "failed/report.json", "train.json")


def write_files(folder: Path, *names: str, content: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def after_a_good_run(tmp_path):
    """A demo's folder and the results that stay in it, also for the next run."""
    folder = tmp_path / "demo"
    write_files(folder, *LAST_GOOD, content="good")
    return folder, {folder / "report.json", folder / "lake" / ".." / "mine" / "report.json"}


def test_run_begins_in_an_empty_folder_but_for_the_last_results(after_a_good_run):
    folder, kept = after_a_good_run

    with fresh_folder(folder, kept=kept) as accept:
        seen = {name for name in files_in(folder) if not name.startswith(".")}
        write_files(folder, "lake/new", content="new")
        accept()

    assert seen == {"report.json", "mine/report.json"}
    assert files_in(folder) == {"report.json": "good", "mine/report.json": "good", "lake/new": "new"}


def test_failed_run_is_moved_away_and_the_last_good_one_comes_back(after_a_good_run):
    folder, kept = after_a_good_run

    with fresh_folder(folder, kept=kept):
        write_files(folder, "lake/new", "failed/report.json", "emulator/emulator.log", content="new")

    good = {name: "good" for name in LAST_GOOD if not name.startswith("failed")}
    bad = dict.fromkeys(("failed/lake/new", "failed/report.json", "emulator/emulator.log"), "new")
    assert files_in(folder) == good | bad


@pytest.mark.parametrize("killed_at", ["at work", "between two moves"])
def test_run_after_a_killed_one_has_the_last_good_one_to_bring_back(killed_at, after_a_good_run):
    folder, kept = after_a_good_run
    aside = folder / (".before" if killed_at == "at work" else ".before.partial")
    aside.mkdir()
    (folder / "lake").rename(aside / "lake")
    if killed_at == "at work":
        (folder / "train.json").rename(aside / "train.json")
        write_files(folder, "lake/killed", content="killed")

    with fresh_folder(folder, kept=kept):
        pass

    assert files_in(folder) == {name: "good" for name in LAST_GOOD if not name.startswith("failed")}


def test_embedded_aws_of_a_demo_at_work_is_ended_by_force_alone(sleeper, tmp_path, monkeypatch):
    folder, lock = tmp_path / "demo" / "emulator", tmp_path / "demo.lock"
    monkeypatch.setattr(down, "FOLDERS", (tmp_path / "none", folder))
    monkeypatch.setattr(down, "DEMO_FOLDER", folder)
    monkeypatch.setattr(down, "DEMO_LOCK", lock)
    folder.mkdir(parents=True)
    Registration(sleeper.pid, sleeper.started, 4566).write(folder / "emulator.json")

    with only_one(lock, "demo"):
        with pytest.raises(EmulatorError, match="found a demo at work, expected none"):
            down.run(argparse.Namespace(force=False))
        assert sleeper.is_running()
        assert down.run(argparse.Namespace(force=True)) == 0

    assert not sleeper.is_running()


class Unstarted:
    """An embedded AWS or a process of Spark jobs that starts nothing."""

    endpoint = "http://127.0.0.1:1"

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> "Unstarted":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def attach(self) -> bool:
        return False


@pytest.mark.parametrize("failing", ["learn", "deploy"])
def test_demo_that_fails_midway_leaves_the_results_of_the_last_good_run(failing, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise LocalRunError(f"{failing} failed")

    def work(*_: object) -> dict[str, str]:
        return {}

    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(demo, "DEMO_LOCK", tmp_path / "demo.lock")
    monkeypatch.setattr(demo, "Emulator", Unstarted)
    monkeypatch.setattr(demo, "SparkProcess", Unstarted)
    monkeypatch.setattr(demo, "deploy", fail if failing == "deploy" else work)
    monkeypatch.setattr(Demo, "learn", fail if failing == "learn" else work)
    results = results_in(tmp_path / "demo")
    results.report.parent.mkdir()
    for path in results.paths():
        path.write_text("of the last good run")
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    arguments = parser.parse_args(["--report", str(results.report), "--scores", str(results.scores)])

    with pytest.raises(LocalRunError, match=f"{failing} failed"):
        demo.run(arguments)

    assert {path.read_text() for path in results.paths()} == {"of the last good run"}


def test_embedded_aws_that_is_left_running_is_found_and_ended_by_another(tmp_path, sleeper, monkeypatch):
    monkeypatch.setattr(emulator_module, "FOLDERS", (tmp_path / "none", tmp_path / "demo"))
    (tmp_path / "demo").mkdir()
    Registration(sleeper.pid, sleeper.started, 4566).write(tmp_path / "demo" / "emulator.json")
    emulator = Emulator(tmp_path / "demo")
    emulator.attach()

    emulator.leave_running()
    emulator.stop()

    assert sleeper.is_running()
    found = find_running()
    assert found.port == 4566
    found.stop()
    assert not sleeper.is_running()
    with pytest.raises(EmulatorError, match="found no embedded AWS running, expected one"):
        find_running()


def test_taken_port_is_reported_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(EmulatorError, match=f"found port {port} of 127.0.0.1 taken"):
            Emulator(tmp_path / "emulator", port).start()


def test_stopping_what_never_started_does_nothing(tmp_path):
    emulator = Emulator(tmp_path)

    emulator.stop()

    assert not emulator.attach()


def test_process_is_ended_whole_and_twice_without_harm(sleeper):
    assert sleeper.is_running()

    sleeper.end()
    sleeper.end()

    assert not sleeper.is_running()


def test_another_process_with_the_same_pid_is_left_alone(sleeper):
    impostor = OwnProcess(sleeper.pid, "another start")

    impostor.end()

    assert sleeper.is_running()


def test_registration_of_an_ended_process_is_forgotten(sleeper, tmp_path):
    path = tmp_path / "emulator.json"
    Registration(sleeper.pid, sleeper.started, 1).write(path)
    assert read_registration(path)

    os.kill(sleeper.pid, signal.SIGKILL)
    sleeper.end()
    while sleeper.is_running():
        pass

    assert read_registration(path) is None
    assert not path.exists()


def test_nothing_of_a_real_account_reaches_the_embedded_aws():
    machine = {"AWS_PROFILE": "production", "HTTPS_PROXY": "proxy", "PATH": "bin", "AWS_SESSION_TOKEN": "secret"}

    environment = for_embedded(machine, "http://127.0.0.1:1")

    assert environment["PATH"] == "bin"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY"} & set(environment)


def test_build_is_renewed_when_a_source_changes_and_only_then(tmp_path):
    source = tmp_path / "functions" / "app.py"
    source.parent.mkdir()
    source.write_text("one")
    for name in ("template.yaml", "samconfig.toml", "infra/local/up.py", *LOCKS):
        write(tmp_path / name, "")
    first = fingerprint(tmp_path)

    write(tmp_path / "infra" / "local" / "up.py", "changed")
    write(tmp_path / "functions" / "__pycache__" / "app.pyc", "compiled")
    assert fingerprint(tmp_path) == first

    write(source, "two")
    assert fingerprint(tmp_path) != first


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
