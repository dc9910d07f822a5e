"""Our functions, imported as the runtime does, under invocations of 100 events; prints what was measured."""

import importlib.util
import json
import sys
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from benchmarks.scoring_runs.contacts import batches, contact_events
from benchmarks.scoring_runs.measured import CallCounter, Measured, client_events, cpu_of, peak_mb
from service_quality.adapters import aws_clients

FUNCTIONS = Path(__file__).parents[2] / "functions"
CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
BATCH, WARM_BATCHES = 100, 5
ARCHIVER_ROWS, DISPATCHER_ROWS = 1_000, 100  # the batch sizes in functions/*/stack.yaml


class Outbox:
    """The rows that the commit puts into the alerts table, as the table's stream hands them over."""

    def __init__(self, session: Any) -> None:
        """Note every sent transaction, to be read after the measurement."""
        self._sent: list[dict[str, Any]] = []
        client_events(session).register("provide-client-params.dynamodb.TransactWriteItems", self._keep)

    def records(self, *row_kinds: str, after: int = 0) -> list[dict[str, Any]]:
        """Stream records of these kinds of rows, as the event source's filter leaves them."""
        writes = (write["Put"]["Item"] for params in self._sent[after:] for write in params["TransactItems"])
        return [_record(item) for item in writes if item.get("row_kind", {}).get("S") in row_kinds]

    def scores(self) -> dict[str, float]:
        """The served scores by event."""
        bodies = (b64decode(record["dynamodb"]["NewImage"]["body"]["B"]) for record in self.records("archive"))
        entries = (entry for body in bodies for entry in json.loads(zlib.decompress(body))["entries"])
        return {entry["event"]["event_id"]: entry["score"] for entry in entries if "score" in entry}

    def __len__(self) -> int:
        return len(self._sent)

    def _keep(self, params: dict[str, Any], **_: Any) -> None:
        self._sent.append(params)


def _record(item: dict[str, Any]) -> dict[str, Any]:
    image = {**item, "body": {"B": b64encode(item["body"]["B"]).decode()}}
    return {"eventName": "INSERT", "dynamodb": {"NewImage": image, "ApproximateCreationDateTime": 1.767e9}}


def main(shops: int, events: int, run: str) -> None:
    """Score the events, then let the outbox leave; calls are those of all three functions."""
    session = aws_clients._session()
    counter, outbox = CallCounter(session), Outbox(session)
    app = load_function("score_interactions")
    invocations = list(batches(contact_events(events // 3, shops=shops, run=run), BATCH))
    for invocation in invocations[:WARM_BATCHES]:
        app.handler(invocation, CONTEXT)
    warm = len(outbox)
    counter.counting = True
    seconds = cpu_of(lambda: [app.handler(invocation, CONTEXT) for invocation in invocations[WARM_BATCHES:]])
    peak = peak_mb()
    _leave("dispatch_outbox", outbox.records("alert", "timer", after=warm), DISPATCHER_ROWS)
    _leave("archive_outbox", outbox.records("archive", after=warm), ARCHIVER_ROWS)
    counted = sum(len(invocation["Records"]) for invocation in invocations[WARM_BATCHES:])
    calls = {name: count / counted for name, count in counter.calls.items()}
    Measured(seconds / counted * 1e6, calls, peak, outbox.scores()).print()


def _leave(function: str, records: list[dict[str, Any]], size: int) -> None:
    app = load_function(function)
    for first in range(0, len(records), size):
        app.handler({"Records": records[first : first + size]}, CONTEXT)


def load_function(name: str) -> ModuleType:
    """Import a function's app.py under a name of its own, as each has a process of its own when deployed."""
    spec = importlib.util.spec_from_file_location(f"{name}_app", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
