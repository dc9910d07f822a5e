"""Functions loaded as the runtime loads them, over services of a few lines each."""

import gc
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from service_quality.adapters import aws_clients
from tests.stand_ins.aws_services import S3, SNS, SQS, DynamoDB, Kinesis, SecretsManager
from tests.stand_ins.control import KEY
from tests.stand_ins.tiny_model import tiny_model

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "tests" / "events"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
TIMERS = "https://sqs.eu-west-1.amazonaws.com/123456789012/timers"
CONTROL_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:control"
SALT = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:salt"
MODEL = "20261119T060000Z-0123456789ab"
NOW = 1_795_165_201_000  # 20 November 2026, a second after nine
CONTEXT = SimpleNamespace(
    aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd", get_remaining_time_in_millis=lambda: 900_000
)


def read_event(name: str) -> dict:
    """A payload as a service sends it."""
    return json.loads((EVENTS / f"{name}.json").read_text("utf-8"))


@dataclass
class Aws:
    """Everything that the functions are deployed among, and the environment that names it."""

    dynamodb: DynamoDB = field(default_factory=lambda: DynamoDB({"state": {}, "alerts": {}, "models": {}}))
    s3: S3 = field(default_factory=lambda: S3({"models": {}, "rejected": {}, "archive": {}}))
    kinesis: Kinesis = field(default_factory=lambda: Kinesis("events"))
    sns: SNS = field(default_factory=lambda: SNS(TOPIC))
    sqs: SQS = field(default_factory=lambda: SQS(TIMERS))
    secretsmanager: SecretsManager = field(
        default_factory=lambda: SecretsManager({SALT: "a long random string", CONTROL_KEY: KEY.decode()})
    )
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "STATE_TABLE": "state",
            "ALERTS_TABLE": "alerts",
            "MODELS_TABLE": "models",
            "MODELS_BUCKET": "models",
            "REJECTED_BUCKET": "rejected",
            "ARCHIVE_BUCKET": "archive",
            "STREAM_GENERATION": "1",
            "EVENT_STREAM": "events",
            "ALERT_TOPIC_ARN": TOPIC,
            "ID_SALT_SECRET": SALT,
            "CONTROL_KEY_SECRET": CONTROL_KEY,
            "SHOPS_AT_ONCE": "4",
            "SWEEP_AFTER_MINUTES": "360",
            "TIMER_QUEUE": TIMERS,
        }
    )

    def promote(self, version: str = MODEL, *, pointer: str = "champion", **model) -> None:
        """Make a tiny model the champion of a task, by the name of its pointer."""
        self.s3.buckets["models"][f"models/{version}/model.onnx"] = tiny_model(**model)
        self.dynamodb.tables["models"]["pointer", pointer] = {"version": {"S": version}}

    def rejected(self) -> list[dict]:
        """The records that the rejected store holds, in order of its keys."""
        bodies = [body for _, body in sorted(self.s3.buckets["rejected"].items())]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


def put_events(aws: Aws) -> list[dict]:
    """The events on the stream, in their order."""
    return [json.loads(record["Data"]) for record in aws.kinesis.records]


@pytest.fixture
def aws() -> Aws:
    found = Aws()
    found.promote()
    return found


@pytest.fixture
def load(monkeypatch, aws) -> Iterator[Callable[[str], ModuleType]]:
    """Loads a function's app afresh: a cold start among the given services."""

    def load_app(name: str) -> ModuleType:
        for variable in Aws().environment:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in aws.environment.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setattr(aws_clients, "make_client", lambda service: getattr(aws, service))
        spec = importlib.util.spec_from_file_location(f"cold_start_{name}", ROOT / "functions" / name / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    yield load_app
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def ingest(load, monkeypatch) -> ModuleType:
    """The inlet on 20 November 2026, a second after nine."""
    loaded = load("ingest_events")
    monkeypatch.setattr(loaded.inlet, "now", lambda: NOW)
    monkeypatch.setattr(loaded.stream, "_pause", lambda seconds: None)
    return loaded


@pytest.fixture
def previews(load, monkeypatch) -> ModuleType:
    """The function of previews at the same instant."""
    loaded = load("preview_score")
    monkeypatch.setattr(loaded, "read_clock", lambda: NOW)
    return loaded


@pytest.fixture
def at_now(load, monkeypatch):
    """Loads a function whose clock goes on only while it sleeps."""

    def load_at(name: str):
        app = load(name)
        clock = SimpleNamespace(now=NOW)
        monkeypatch.setattr(app, "read_clock", lambda: clock.now)
        monkeypatch.setattr(app.timers if name == "dispatch_outbox" else app.queue, "_now", lambda: clock.now)

        def sleep(seconds: float) -> None:
            clock.now += round(seconds * 1000)

        monkeypatch.setattr(app.time, "sleep", sleep)
        return app

    return load_at
