"""Errors of the set-up, each one sentence for the person in front of it.

MachineError                (cli.machine_errors)
└── SetupError
    └── CommandFailedError  a command that was run ended badly
"""

import re

from cli.machine_errors import MachineError, full_disk, least_room, unwritable

FULL_GIGABYTES = 0.02

NETWORK_SIGNS = re.compile(
    r"dns error|failed to lookup|name resolution|Connection refused|Network is unreachable|NewConnectionError"
    r"|timed out|error sending request|tunnel|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|Could not connect"
    r"|No matching distribution found for uv",
    re.IGNORECASE,
)
DISK_SIGNS = re.compile(r"No space left on device|os error 28|Disk quota exceeded", re.IGNORECASE)
PERMISSION_SIGNS = re.compile(r"Permission denied|Read-only file system|os error (13|30)\b", re.IGNORECASE)


class SetupError(MachineError):
    """A set-up that cannot go on; the message says found and expected."""


class CommandFailedError(SetupError):
    """A command of the set-up ended badly."""


def explain_command(title: str, output: str) -> MachineError:
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
