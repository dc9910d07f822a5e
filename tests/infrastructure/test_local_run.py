"""The local run's own pieces, without an embedded AWS."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from infra.local.cloud import for_embedded
from infra.local.deployment import fingerprint
from infra.local.emulator import HOST, Emulator
from infra.local.errors import EmulatorError, ReplayError
from infra.local.processes import OwnProcess, Registration, read_registration, start
from infra.local.replaying import read_events

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


def test_taken_port_is_told_in_one_line(tmp_path):
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
    for name in ("template.yaml", "samconfig.toml", "infra/local/up.py", "requirements/function.txt"):
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
