"""The kind of machine of a measurement, without a name of the single machine."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

_GIBIBYTE = 1024**3


def describe_machine() -> dict[str, str]:
    """Processor, usable cores, memory, system and Python, as text."""
    return {
        "processor": processor_of(_read(Path("/proc/cpuinfo")).splitlines()) or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_bytes() / _GIBIBYTE:.0f} GiB",
        "system": system_of(_read(Path("/etc/os-release")).splitlines()) or platform.system(),
        "python": platform.python_version(),
    }


def processor_of(lines: Iterable[str]) -> str:
    r"""The processor's model in what /proc/cpuinfo says; empty where it does not say.

    >>> processor_of(["processor\t: 0", "model name\t: Example 3 GHz"])
    'Example 3 GHz'
    """
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, "")


def system_of(lines: Iterable[str]) -> str:
    """The system's name in the text of /etc/os-release; empty without one.

    >>> system_of(['NAME="Example"', 'PRETTY_NAME="Example 12"'])
    'Example 12'
    """
    found = (line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME="))
    return next(found, "")


def _memory_bytes() -> int:
    """The memory of the machine, or the part that this container may use."""
    present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = _read(Path("/sys/fs/cgroup/memory.max")).strip()
    return min(present, int(allowed)) if allowed.isdigit() else present


def _read(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""
