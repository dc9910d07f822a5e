"""What a machine lacks that a command needs, each one sentence for the person in front of it.

MachineError            a full disk, a missing permission, or any other error of the operating system
├── HeldError           another run in this checkout holds the lock
└── JavaMissingError    no Java 17 or 21 anywhere
"""

import errno
import os
import shutil
from pathlib import Path

from cli.paths import ROOT

NEEDED_GIGABYTES = 3


class MachineError(Exception):
    """A command that cannot go on here; the message says found and expected."""


class HeldError(MachineError):
    """Another run in this checkout holds the lock."""


class JavaMissingError(MachineError):
    """No Java that Spark can use was found."""


def explain_os(error: OSError) -> MachineError:
    """An error of the operating system in one sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return unwritable(error.filename or str(error))
    return MachineError(str(error))


def full_disk() -> MachineError:
    """The error of a full disk: the free room, its folder, and the room that is needed."""
    free, where = least_room()
    return MachineError(f"the disk is full: found {free:.1f} GB free in {where}, expected about {NEEDED_GIGABYTES} GB")


def unwritable(path: str) -> MachineError:
    """The error of a missing permission, with its path."""
    return MachineError(f"no permission to write: {path}; expected a checkout, home and temporary folder of your own")


def least_room() -> tuple[float, Path]:
    """The folder with the least room, and its free gigabytes."""
    places = (ROOT, ROOT / "build", Path(os.environ.get("TMPDIR", "/tmp")), Path(os.path.expanduser("~")))
    return min((shutil.disk_usage(place).free / 1e9, place) for place in places if place.is_dir())
