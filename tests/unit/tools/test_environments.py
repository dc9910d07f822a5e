"""When an environment counts as whole, and what its failure says."""

import sys
from pathlib import Path

import pytest

from cli import machine_errors
from tools import environments, errors
from tools.commands import run
from tools.environments import STAMP, Environment, is_whole, make, wanted_stamp
from tools.errors import CommandFailedError, explain_command


@pytest.fixture
def environment(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("a==1\n")
    return Environment("example", tmp_path / "env", lock, is_virtual=False)


def fill(environment: Environment) -> None:
    environment.folder.mkdir()


def test_made_environment_is_whole_and_not_made_again(environment, monkeypatch):
    filled = []

    def counted(environment: Environment) -> None:
        filled.append(environment)
        fill(environment)

    monkeypatch.setattr(environments, "fill_with_uv", counted)

    make(environment)
    make(environment)

    assert is_whole(environment)
    assert len(filled) == 1


def test_interrupted_environment_is_not_whole(environment, monkeypatch):
    def interrupted(environment: Environment) -> None:
        fill(environment)
        raise KeyboardInterrupt

    monkeypatch.setattr(environments, "fill_with_uv", interrupted)

    with pytest.raises(KeyboardInterrupt):
        make(environment)

    assert environment.folder.exists()
    assert not is_whole(environment)


def test_changed_lock_makes_an_environment_stale(environment):
    fill(environment)
    (environment.folder / STAMP).write_text(wanted_stamp(environment))

    environment.lock.write_text("a==2\n")

    assert not is_whole(environment)


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("error: No space left on device (os error 28)", "the disk is full: found .* expected about"),
        ("error: Read-only file system (os error 30)", "no permission to write"),
        ("error: error sending request for url", "no network: found"),
        ("error: hash mismatch", "uv failed: error: hash mismatch"),
    ],
)
def test_failed_command_is_explained_in_one_line(printed, said):
    with pytest.raises(Exception, match=said):
        raise explain_command("uv", printed)


def test_full_disk_is_reported_even_where_a_command_hides_it(monkeypatch):
    for module in (errors, machine_errors):
        monkeypatch.setattr(module, "least_room", lambda: (0.0, Path("/small")))

    assert "the disk is full: found 0.0 GB free in /small" in str(explain_command("installer", "exit status 1"))


def test_missing_network_is_known_by_its_first_sign():
    printed = "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for uv==1\n"

    assert "found 'WARNING: Retrying after NewConnectionError'" in str(explain_command("installer", printed))


def test_failing_command_says_what_it_printed():
    with pytest.raises(CommandFailedError, match="example failed: words"):
        run("example", [sys.executable, "-c", "print('words'); raise SystemExit(3)"], environment={})
