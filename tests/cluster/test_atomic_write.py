"""Files written by a process which is killed: their reader finds the old ones, none, or the new ones."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.atomic_write import UNFINISHED, atomic_file, atomic_folder

FILES = ("challenger.json", "model.json", "sample.parquet")

#: Writes the new files and kills itself before the given one of its calls that change the target.
WRITER = """
import os, signal, sys
from pathlib import Path
from cli.atomic_write import atomic_folder

left = int(sys.argv[2])

def counted(call):
    def count(*arguments, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return call(*arguments, **options)
    return count

with atomic_folder(Path(sys.argv[1]), marker="model.json") as folder:
    Path.unlink, os.replace, os.rmdir = map(counted, (Path.unlink, os.replace, os.rmdir))
    for name in sys.argv[3:]:
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        (folder / name).write_text("new")
"""
CALLS = 2 * len(FILES) + 2  # writing each, one away, each into its place, the empty folder away

#: Writes half of a file and kills itself, or all of it.
FILE_WRITER = """
import os, signal, sys
from pathlib import Path
from cli.atomic_write import atomic_file

with atomic_file(Path(sys.argv[1])) as unfinished, unfinished.open("w") as file:
    file.write("half of the new, ")
    file.flush()
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    file.write("and the other")
"""


def write(target: Path, calls: int) -> int:
    command = [sys.executable, "-c", WRITER, str(target), str(calls), *FILES]
    return subprocess.run(command, check=False, timeout=60).returncode


def read(target: Path) -> set[str]:
    """The files that its reader finds: no file without model.json."""
    if not (target / "model.json").exists():
        return set()
    return {(target / name).read_text() for name in FILES}


@pytest.mark.parametrize("calls", range(CALLS))
def test_killed_writer_leaves_the_old_files_or_none_or_the_new_and_writes_them_when_run_again(calls, tmp_path):
    for name in FILES:
        (tmp_path / name).write_text("old")
    (tmp_path / "notes.txt").write_text("of somebody else")

    assert write(tmp_path, calls) == -signal.SIGKILL

    wanted = {"old"} if calls <= len(FILES) else set() if calls < CALLS - 1 else {"new"}
    assert read(tmp_path) == wanted
    assert write(tmp_path, CALLS) == 0
    assert read(tmp_path) == {"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "notes.txt"])


def test_folder_without_the_file_that_tells_of_it_is_refused(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"expected model\.json"),
        atomic_folder(tmp_path, marker="model.json") as folder,
    ):
        (folder / "sample.parquet").write_text("new")

    assert list(tmp_path.iterdir()) == []


def test_writer_that_fails_leaves_what_was_there(tmp_path):
    (tmp_path / "model.json").write_text("old")

    def fail(folder: Path) -> None:
        (folder / "model.json").write_text("new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), atomic_folder(tmp_path, marker="model.json") as folder:
        fail(folder)

    assert (tmp_path / "model.json").read_text() == "old"
    assert not (tmp_path / UNFINISHED).exists()


def test_killed_writer_of_a_file_leaves_the_old_one_and_writes_it_when_run_again(tmp_path):
    report = tmp_path / "report.json"
    report.write_text("old")

    def run(end: str) -> int:
        command = [sys.executable, "-c", FILE_WRITER, str(report), end]
        return subprocess.run(command, check=False, timeout=60).returncode

    assert run("killed") == -signal.SIGKILL
    assert report.read_text() == "old"
    assert run("undisturbed") == 0
    assert report.read_text() == "half of the new, and the other"
    assert list(tmp_path.iterdir()) == [report]


def test_writer_of_a_file_that_fails_leaves_nothing_where_nothing_was(tmp_path):
    def fail(file: Path) -> None:
        file.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), atomic_file(tmp_path / "new" / "report.json") as unfinished:
        fail(unfinished)

    assert list((tmp_path / "new").iterdir()) == []
