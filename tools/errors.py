"""Errors of the set-up, each one sentence for the person in front of it.

SetupError
├── JavaMissingError    no Java 17 or 21 anywhere
└── CommandFailedError  a command that was run ended badly
"""

import errno
import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED_GIGABYTES = 3
FULL_GIGABYTES = 0.02

NETWORK_SIGNS = re.compile(
    r"dns error|failed to lookup|name resolution|Connection refused|Network is unreachable|NewConnectionError"
    r"|timed out|error sending request|tunnel|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|Could not connect"
    r"|No matching distribution found for uv",
    re.IGNORECASE,
)
DISK_SIGNS = re.compile(r"No space left on device|os error 28|Disk quota exceeded", re.IGNORECASE)
PERMISSION_SIGNS = re.compile(r"Permission denied|Read-only file system|os error (13|30)\b", re.IGNORECASE)


class SetupError(Exception):
    """A set-up that cannot go on; the message says found and expected."""


class JavaMissingError(SetupError):
    """No Java that Spark can use was found."""


class CommandFailedError(SetupError):
    """A command of the set-up ended badly."""


def full_disk() -> SetupError:
    """The error of a full disk: the free room, its folder, and the room that is needed."""
    free, where = least_room()
    return SetupError(f"the disk is full: found {free:.1f} GB free in {where}, expected about {NEEDED_GIGABYTES} GB")


def least_room() -> tuple[float, Path]:
    """The folder with the least room, and its free gigabytes."""
    places = (ROOT, ROOT / "build", Path(os.environ.get("TMPDIR", "/tmp")), Path(os.path.expanduser("~")))
    return min((shutil.disk_usage(place).free / 1e9, place) for place in places if place.is_dir())


def unwritable(path: str) -> SetupError:
    """The error of a missing permission, with its path."""
    return SetupError(f"no permission to write: {path}; expected a checkout, home and temporary folder of your own")


def explain_command(title: str, output: str) -> SetupError:
    """The error of a failed command, by its output, in one sentence.

    >>> print(explain_command("uv", "error: dns error: failed to lookup address"))
    uv: no network: found 'error: dns error: failed to lookup address', expected the package registry to answer
    """
    if DISK_SIGNS.search(output) or least_room()[0] < FULL_GIGABYTES:  # ensurepip does not print its reason
        return full_disk()
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no output"]
    if PERMISSION_SIGNS.search(output):
        return unwritable(next(line for line in lines if PERMISSION_SIGNS.search(line)))
    network = [line for line in lines if NETWORK_SIGNS.search(line)]
    if network:
        return CommandFailedError(
            f"{title}: no network: found '{network[0][:300]}', expected the package registry to answer"
        )
    return CommandFailedError(f"{title} failed: {' | '.join(lines[-8:])[:1500]}")


def explain_os(error: OSError) -> SetupError:
    """An error of the operating system in one sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return unwritable(error.filename or str(error))
    return SetupError(str(error))
