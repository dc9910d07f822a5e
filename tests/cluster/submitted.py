"""A job submitted to the cluster as anybody would, watched through its driver's own pages, and struck at its tasks."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.paths import ROOT
from infra.local.emulator import HOST, free_port
from spark_jobs.session.code_archive import write_code_archive
from tests.cluster.standalone import SPARK_HOME, Cluster, Worker, ask

SECONDS = 600
Strike = Callable[[Worker, int], None]  # at a worker and the pid of its executor, which is at work


def submit(
    cluster: Cluster, argv: Sequence[str], environment: Mapping[str, str], folder: Path, strike: Strike
) -> list[dict]:
    """Run a job by spark-submit and strike once while tasks run; the events of its log. AssertionError if it fails."""
    folder.mkdir()
    web_port = free_port()
    settings = {
        "spark.ui.enabled": "true",
        "spark.ui.port": str(web_port),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }
    job, *rest = argv
    command = [
        str(SPARK_HOME / "bin" / "spark-submit"), "--master", cluster.url,
        "--py-files", str(write_code_archive(folder / "code.zip")),
        *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
        str(ROOT / "spark_jobs" / f"{job}.py"), *rest,
    ]  # fmt: skip
    log = folder / "submitted.log"
    with _started(command, environment, log) as process:
        strike_at_work(cluster, web_port, process, strike)
        assert process.wait(SECONDS) == 0, log.read_text("utf-8", "replace")[-3000:]
    (events,) = (path for path in folder.iterdir() if path.name.startswith("app-"))
    return [json.loads(line) for line in events.read_text("utf-8").splitlines()]


def strike_at_work(cluster: Cluster, web_port: int, process: subprocess.Popen, strike: Strike) -> None:
    """Wait until an executor works, hold it, make sure that it was not done just then, and strike."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "ended before anything was struck"
        for executor in working(web_port):
            worker = cluster.worker_of(executor)
            pid = worker.executors()[executor]
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.3)  # what it had sent before arrives
            if executor in working(web_port):
                strike(worker, pid)
                return
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("no executor was seen at work")


def working(web_port: int) -> list[str]:
    """The executors that run tasks now, as the driver knows."""
    pages = f"http://{HOST}:{web_port}/api/v1/applications"
    for application in ask(pages) or ():
        executors = ask(f"{pages}/{application['id']}/executors") or ()
        return [one["id"] for one in executors if one["activeTasks"] and one["id"] != "driver"]
    return []


def lost_tasks(events: Sequence[Mapping]) -> int:
    """The number of tasks that ended because their executor was lost."""
    return sum(
        event["Event"] == "SparkListenerTaskEnd" and event["Task End Reason"]["Reason"] == "ExecutorLostFailure"
        for event in events
    )


@contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """The command in a session of its own, which ends whole."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
