"""Environments from lock files: made once, stamped when whole, made again when the lock changes."""

import hashlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.atomic_write import atomic_file
from cli.paths import ROOT
from tools.commands import announced, run
from tools.errors import SetupError

CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "requirements"
STAMP = ".set-up-whole"
PIP_INSTALL = "-m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all:".split()
BASE_PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()


@dataclass(frozen=True)
class Environment:
    """A folder with the packages of one lock file."""

    title: str
    folder: Path
    lock: Path
    is_virtual: bool = True
    """Whether it has an interpreter of its own; else the packages just lie in the folder."""
    tie: str = ""
    """The Python it is tied to; without one, any Python that it was made with will do."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


BOOTSTRAP = Environment("installer", CACHE / "bootstrap", REQUIREMENTS / "bootstrap.txt")
SAM = Environment("sam and cfn-lint", ROOT / ".venv-sam", REQUIREMENTS / "sam.txt")
PEERS = Environment("peers of the benchmarks", ROOT / ".venv-peers", REQUIREMENTS / "peers.txt")
JAVA_PACKAGE = Environment("Java from the registry", CACHE / "java" / "package", REQUIREMENTS / "java.txt", False)


def main_environment(folder: Path) -> Environment:
    """The environment that runs and tests everything but sam."""
    tie = f"{BASE_PYTHON} {sys.version_info[:2]}"
    return Environment("Spark, model, functions, tests", folder, REQUIREMENTS / "test.txt", tie=tie)


def wanted_stamp(environment: Environment) -> str:
    """The stamp of a whole environment: a hash of its lock, its folder and the Python it is tied to."""
    place = f"{environment.folder}\n{environment.tie}\n".encode()
    return hashlib.sha256(place + environment.lock.read_bytes()).hexdigest()


def is_whole(environment: Environment) -> bool:
    """Whether the environment was made to the end from the present lock."""
    stamp = environment.folder / STAMP
    if environment.is_virtual and not environment.python.exists():
        return False
    return stamp.is_file() and stamp.read_text() == wanted_stamp(environment)


def make(environment: Environment) -> None:
    """Make the environment unless it is whole; the stamp is written last."""
    if is_whole(environment):
        return
    fill: Callable[[Environment], None] = fill_with_pip if environment is BOOTSTRAP else fill_with_uv
    with announced(environment.title):
        shutil.rmtree(environment.folder, ignore_errors=True)
        if environment.folder.exists():
            raise PermissionError(13, "cannot be removed", str(environment.folder))
        environment.folder.parent.mkdir(parents=True, exist_ok=True)
        fill(environment)
        with atomic_file(environment.folder / STAMP) as unfinished:
            unfinished.write_text(wanted_stamp(environment))


def fill_with_pip(environment: Environment) -> None:
    """Make the small environment of the installer by Python's own tools."""
    try:
        import ensurepip  # noqa: F401, PLC0415  (some distributions split it off)
    except ImportError:
        raise SetupError(
            f"found Python without ensurepip ({BASE_PYTHON}), expected the venv module whole; "
            f"on Debian and Ubuntu: apt install python3-venv"
        ) from None
    run(environment.title, [BASE_PYTHON, "-m", "venv", environment.folder], environment=os.environ)
    run(
        environment.title,
        [environment.python, *PIP_INSTALL, "-r", environment.lock],
        environment=os.environ,
    )


def fill_with_uv(environment: Environment) -> None:
    """Make an environment by uv, from hashes only."""
    uv = BOOTSTRAP.folder / "bin" / "uv"
    settings = uv_settings()
    common: list[str | Path] = [
        "--require-hashes",
        "--build-constraints",
        REQUIREMENTS / "build.txt",
        "-r",
        environment.lock,
    ]
    if not environment.is_virtual:
        where: list[str | Path] = ["--python", BASE_PYTHON, "--target", environment.folder]
        run(environment.title, [uv, "pip", "install", *where, *common], environment=settings)
        return
    run(environment.title, [uv, "venv", "--python", BASE_PYTHON, environment.folder], environment=settings)
    run(environment.title, [uv, "pip", "install", "--python", environment.python, *common], environment=settings)


def uv_settings() -> dict[str, str]:
    """The variables for uv: the machine's own certificates, pip's registry if one is configured, a cache."""
    settings = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    settings |= {"UV_SYSTEM_CERTS": "true", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    settings.setdefault("UV_HTTP_TIMEOUT", "120")
    cache = Path.home() / ".cache"
    if "UV_CACHE_DIR" not in settings and not os.access(cache if cache.exists() else cache.parent, os.W_OK):
        settings["UV_CACHE_DIR"] = str(CACHE / "uv")
    index = configured_index()
    if index:
        settings.setdefault("UV_DEFAULT_INDEX", index)
    return settings


def configured_index() -> str:
    """The registry that pip is configured for on this machine; empty when it is the usual one."""
    printed = run("pip's configuration", [BOOTSTRAP.python, "-m", "pip", "config", "list"], environment=os.environ)
    return index_of(printed)


def index_of(configuration: str) -> str:
    r"""Find the registry in what `pip config list` prints; the last line wins, as it does for pip.

    >>> index_of("global.cert='/a'\nglobal.index-url='mirror/simple'\n")
    'mirror/simple'
    >>> index_of("")
    ''
    """
    index = ""
    for line in configuration.splitlines():
        name, _, value = line.partition("=")
        if name.endswith(".index-url"):
            index = shlex.split(value)[0]
    return index
