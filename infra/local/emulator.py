"""The embedded AWS as a process on 127.0.0.1: started, waited for, ended by its own pid."""

import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from cli.paths import ROOT
from cli.progress import wait_until
from infra.local.cloud import ACCESS_KEY, REGION, Cloud, environment_of
from infra.local.errors import EmulatorError
from infra.local.processes import OwnProcess, Registration, read_registration, start

HOST = "127.0.0.1"
FOLDER = ROOT / "build" / "local" / "emulator"
DEMO_FOLDER = ROOT / "build" / "demo" / "emulator"
FOLDERS = (FOLDER, DEMO_FOLDER)
#: Held while a demo runs.
DEMO_LOCK = ROOT / "build" / "demo.lock"
START_SECONDS = 60


class Emulator:
    """One embedded AWS; as a context it is always ended, and its data are gone."""

    def __init__(self, folder: Path = FOLDER, port: int | None = None) -> None:
        """Prepare one that keeps its log and pid in `folder`; without a port a free one is taken."""
        self.folder = folder
        self._wanted_port = port
        self._registration: Registration | None = None

    @property
    def log(self) -> Path:
        """The log of it and of the functions."""
        return self.folder / "emulator.log"

    @property
    def port(self) -> int:
        """The port of its one gateway."""
        return self._running().port

    @property
    def pid(self) -> int:
        """The id of its process, the parent of every function's."""
        return self._running().pid

    @property
    def endpoint(self) -> str:
        """The address of every AWS call."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead any AWS client here."""
        return environment_of(self.endpoint)

    @property
    def cloud(self) -> Cloud:
        """Clients of it."""
        return Cloud(self.endpoint)

    def start(self) -> None:
        """Start it and wait until it answers; raise EmulatorError if it does not or if one runs here already."""
        running = read_registration(self._registration_path)
        if running:
            raise EmulatorError(
                f"found an embedded AWS running on port {running.port}, expected a free port; end it first"
            )
        port = self._wanted_port if self._wanted_port is not None else free_port()
        if is_taken(port):
            raise EmulatorError(f"found port {port} of {HOST} taken, expected a free one; choose another or none")
        self._prepare_folder()
        command = Path(sys.executable).parent / "ministack"
        process = start([command], environment=self._own_environment(port), folder=self.folder, log=self.log)
        self._registration = Registration(process.pid, process.started, port)
        try:
            self._registration.write(self._registration_path)
            self._wait(process)
        except BaseException:
            self.stop()
            raise

    def attach(self) -> bool:
        """Take over the emulator that runs in this folder already; False if no emulator does."""
        self._registration = read_registration(self._registration_path)
        return self._registration is not None

    def leave_running(self) -> None:
        """Let go of it: it runs on, and another process may attach to it."""
        self._registration = None

    def stop(self) -> None:
        """End it with all functions it runs; safe to repeat."""
        if self._registration is None:
            return
        self._registration.process.end()
        self._registration = None
        self._registration_path.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> "Emulator":
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    @property
    def _registration_path(self) -> Path:
        return self.folder / "emulator.json"

    @property
    def _scratch(self) -> Path:
        return self.folder / "scratch"

    def _running(self) -> Registration:
        if self._registration is None:
            raise EmulatorError("found no embedded AWS running here, expected one; start it first")
        return self._registration

    def _prepare_folder(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)

    def _own_environment(self, port: int) -> dict[str, str]:
        """An environment with little of ours: functions inherit it, and must find the core in their layer."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return kept | {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AUTH": "true",  # roles may do here what their policies say, as on AWS
            "IOT_MTLS_ENABLED": "0",  # would listen on every interface
            "SFTP_ENABLED": "0",
            "LAMBDA_WARM_TTL_SECONDS": "3600",
            "TMPDIR": str(self._scratch),
            "TZ": "UTC",
        }

    def _wait(self, process: OwnProcess) -> None:
        def come() -> bool:
            if not process.is_running():
                raise EmulatorError(f"the embedded AWS ended while starting: {self._last_words()}")
            return is_healthy(self.endpoint)

        title = "embedded AWS starts"
        if not wait_until(come, title=title, state=lambda: "no answer yet", seconds=START_SECONDS):
            raise EmulatorError(f"found no answer of the embedded AWS in {START_SECONDS} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-3:]) or "it printed nothing"


def find_running() -> Emulator:
    """The embedded AWS that runs in this checkout: of `up`, else one that a demo left; EmulatorError if none does."""
    for folder in FOLDERS:
        emulator = Emulator(folder)
        if emulator.attach():
            return emulator
    raise EmulatorError("found no embedded AWS running, expected one; `python -m infra.local up` starts it")


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether a process listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def is_healthy(endpoint: str) -> bool:
    """Whether the gateway answers, without a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
