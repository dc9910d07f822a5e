"""A standalone Spark cluster on 127.0.0.1: a master and workers as processes of their own, which can be killed."""

import json
import os
import signal
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyspark

from cli.java import java_home
from cli.progress import wait_until
from infra.local.emulator import HOST, free_port
from infra.local.processes import OwnProcess, reap, start

SPARK_HOME = Path(pyspark.__file__).parent
WORKERS = 2
START_SECONDS = 180

#: The quick compiler only: a Java that lives for half a minute gains nothing from the thorough one.
SHORT_LIVED = "-XX:TieredStopAtLevel=1"


def daemon_environment() -> dict[str, str]:
    """Nothing that leads to this project: what executors know of it must have reached them through Spark."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "JAVA_HOME": str(java_home()),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": HOST,
        "JDK_JAVA_OPTIONS": SHORT_LIVED,
    }


@dataclass
class Worker:
    """A worker with the executors it started, all in one process group."""

    process: OwnProcess

    def kill(self) -> None:
        """Kill it as the loss of its machine would: with its executors, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        reap(self.process.pid)

    def executors(self) -> dict[str, int]:
        """The pids of its executors by their ids."""
        found = {}
        for folder in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                pid = int(folder.name)
                argv = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if os.getpgid(pid) == self.process.pid and "--executor-id" in argv:
                    found[argv[argv.index("--executor-id") + 1]] = pid
        return found


class Cluster:
    """One master and its workers; as a context all of them always end."""

    def __init__(self, folder: Path, *, memory: str = "1g") -> None:
        """A cluster that works in a folder; `memory` is what each worker has for executors."""
        self.folder = folder
        self._memory = memory
        self._port, self._web_port = free_port(), free_port()
        self._master: OwnProcess | None = None
        self.workers: list[Worker] = []

    @property
    def url(self) -> str:
        return f"spark://{HOST}:{self._port}"

    def __enter__(self) -> "Cluster":
        try:
            ports = ("--port", self._port, "--webui-port", self._web_port)
            self._master = self._start("master", "master.Master", "--host", HOST, *ports)
            self._wait("master", lambda: self._ask() is not None)
            for _ in range(WORKERS):
                self.add_worker()
            self.wait_for_workers()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def add_worker(self) -> None:
        """Start one more worker of one core; wait_for_workers waits until it has registered."""
        name = f"worker-{len(self.workers) + 1}"
        size = ("--cores", 1, "--memory", self._memory)
        place = ("--host", HOST, "--webui-port", free_port(), "--work-dir", self.folder / name)
        self.workers.append(Worker(self._start(name, "worker.Worker", *size, *place, self.url)))

    def wait_for_workers(self) -> None:
        """Until all workers that run have registered, and no lost one counts any more."""
        running = sum(worker.process.is_running() for worker in self.workers)
        self._wait("workers", lambda: (self._ask() or {}).get("aliveworkers") == running)

    def worker_of(self, executor: str) -> Worker:
        return next(worker for worker in self.workers if executor in worker.executors())

    def _start(self, name: str, daemon: str, *argv: object) -> OwnProcess:
        command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{daemon}", *map(str, argv)]
        log = self.folder / f"{name}.log"
        return start(command, environment=daemon_environment(), folder=self.folder, log=log)

    def _ask(self) -> Mapping[str, int] | None:
        return ask(f"http://{HOST}:{self._web_port}/json/")

    def _wait(self, title: str, come) -> None:
        assert wait_until(come, title=title, state=lambda: "not yet", seconds=START_SECONDS), self._last_words()

    def _last_words(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text('utf-8', 'replace')[-2000:]}" for log in logs)

    def _end(self) -> None:
        for worker in self.workers:
            worker.kill()
        if self._master is not None:
            self._master.end()


def ask(url: str):
    """The JSON that a Spark daemon or driver answers with; None without an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None
