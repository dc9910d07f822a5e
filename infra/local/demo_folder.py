"""The folder of a demo: emptied for a run, while the last good run's files wait aside and come back if it fails."""

import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from cli.progress import say
from infra.local.emulator import Emulator

#: What of a run stays in its place whatever becomes of it: its embedded AWS may be left running, its log is read.
EMULATOR = "emulator"
FAILED = "failed"
_BEFORE, _MOVING = ".before", ".before.partial"


@contextmanager
def fresh_folder(folder: Path, *, kept: Set[Path] = frozenset()) -> Iterator[Callable[[], None]]:
    """An empty folder for one run, which calls what this gives once its outcome is good.

    Else the files of the run go to `failed/`, and those of the last good run come back; after a run that was killed, at
    the beginning of the next. Files named in `kept` stay all the time. The embedded AWS of an earlier run is ended.
    """
    _end_left(folder / EMULATOR)
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    staying = {path.parent.resolve() / path.name for path in kept}
    _bring_back(folder, staying)
    _remove(folder / FAILED)
    _remove(folder / EMULATOR)
    _set_aside(folder, staying)
    good: list[bool] = []
    try:
        yield lambda: good.append(True)
    finally:
        if good:
            _remove(folder / _BEFORE)
        else:
            _move_all(folder, folder / FAILED, staying)
            _bring_back(folder, staying)


def _end_left(folder: Path) -> None:
    left = Emulator(folder)
    if left.attach():
        say("the embedded AWS of an earlier demo still runs; it is ended first")
        left.stop()


def _set_aside(folder: Path, staying: Set[Path]) -> None:
    """Move what a good run left; until all of it is moved, it is not taken for moved."""
    _move_all(folder, folder / _MOVING, staying)
    (folder / _MOVING).rename(folder / _BEFORE)


def _bring_back(folder: Path, staying: Set[Path]) -> None:
    """Files set aside take their places again; what lies there is of a run that did not end well."""
    if (folder / _BEFORE).exists():
        _move_all(folder, folder / FAILED, staying)
        (folder / _BEFORE).rename(folder / _MOVING)
    if (folder / _MOVING).exists():
        for path in (folder / _MOVING).iterdir():
            path.rename(folder / path.name)
        (folder / _MOVING).rmdir()


def _move_all(folder: Path, target: Path, staying: Set[Path]) -> None:
    """Move all entries of the folder but those that stay."""
    target.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name in (EMULATOR, FAILED, _BEFORE, _MOVING) or path in staying:
            continue
        if any(path in one.parents for one in staying):  # a folder of which a part stays
            continue
        _remove(target / path.name)
        path.rename(target / path.name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
