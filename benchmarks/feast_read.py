"""Feast's online read of the features that ours serves from histories; it stores no conversations and no windows."""

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.errors import PeerFailedError
from cli.paths import ROOT
from service_quality.facts.entities import ENTITIES
from service_quality.features.feature_set import FEATURES
from tools.environments import PEERS

EVENTS = 100
SCRIPT = ROOT / "benchmarks" / "peers" / "feast_reads.py"
#: The number of each entity among the events; one that is not named differs with every event.
DISTINCT = {"shop_id": 1, "manager_id": 3, "supervisor_id": 8, "agent_id": 60, "category": 8, "channel": 3, "sku": 40}


def feast_cpu_microseconds(runs: int) -> tuple[float, ...]:
    """CPU an event, a value a run, of one request for all events of a batch: the fastest that Feast offers here."""
    return tuple(_measured(runs)["batch"])


def feast_single_cpu_microseconds(runs: int) -> tuple[float, ...]:
    """The same with a request an event."""
    return tuple(_measured(runs)["single"])


@cache
def _measured(runs: int) -> dict[str, list[float]]:
    """Run the script in the peers' environment."""
    if not PEERS.python.exists():
        raise PeerFailedError("found no .venv-peers, expected it to be set up; run `make bench`")
    with tempfile.TemporaryDirectory() as folder:
        question = Path(folder) / "question.json"
        question.write_text(json.dumps({"folder": folder, "views": views(), "events": events(), "runs": runs}), "utf-8")
        command: list[str | Path] = [PEERS.python, "-W", "ignore", SCRIPT, question]
        done = subprocess.run(
            command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise PeerFailedError(f"feast: found status {done.returncode}, expected 0: {done.stderr[-2000:]}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def views() -> dict[str, dict[str, list[str]]]:
    """Entity → its join keys, and the features that are read from its histories."""
    found: dict[str, dict[str, list[str]]] = {}
    for feature in FEATURES.features:
        if feature.reads:
            entity = ENTITIES[feature.reads[0][0]]
            view = found.setdefault(entity.name, {"keys": ["shop_id", *entity.parts], "features": []})
            view["features"].append(feature.name)
    return found


def events() -> list[dict[str, str]]:
    """The ids that a batch's events name, all of one shop."""
    keys = sorted({key for view in views().values() for key in view["keys"]})
    return [{key: f"{key}-{number % DISTINCT.get(key, EVENTS)}" for key in keys} for number in range(EVENTS)]


def _environment(home: str) -> dict[str, str]:
    """An environment without ours, in which Feast reports no usage."""
    return {"PATH": "/usr/bin:/bin", "HOME": home, "FEAST_USAGE": "False", "TZ": "UTC"}
