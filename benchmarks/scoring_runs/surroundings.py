"""The surroundings of both functions: the project's own storage stack on the embedded AWS, models in two forms."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import joblib  # type: ignore[import-untyped]

from cli.paths import ROOT
from infra.local.cloud import Cloud, for_embedded
from infra.local.deployment import LOCAL_PARAMETERS
from infra.local.emulator import Emulator
from model_export.artefact import read_artefact
from model_export.export import export_model
from model_export.pipeline import build_pipeline
from model_export.promotion import promote_version
from model_export.registry import Registry, publish_model
from service_quality.tasks.declared_tasks import TASKS
from tests.parity.model_export.artefacts import oracle_probability, rewrite_model, write_artefact, write_sample

INTERCEPT, WEIGHT = -1.15, 0.45  # so that about one contact in twenty rings


@dataclass(frozen=True)
class Surroundings:
    """The environment that leads a function here, and the model of each task as a scikit-learn pipeline."""

    cloud: Cloud
    environment: dict[str, str]
    pipelines: tuple[Path, ...]


@contextmanager
def surroundings(folder: Path) -> Iterator[Surroundings]:
    """Start the embedded AWS, make tables, buckets and topic from the project's stacks, promote models."""
    folder.mkdir(parents=True, exist_ok=True)
    with Emulator(folder / "emulator") as emulator:
        cloud = emulator.cloud
        alarm_topic = _deploy(cloud, "alarms", AlarmEmail="")["AlarmTopicArn"]
        storage = _deploy(cloud, "storage", AlarmTopicArn=alarm_topic, ArchiveColdAfterDays="180")
        alerts = _deploy(cloud, "alerts", AlarmTopicArn=alarm_topic, AlertEmail="", LogRetentionDays="30")
        stream = _deploy(cloud, "stream", AlarmTopicArn=alarm_topic, ShardCount="1")
        timers = _deploy(cloud, "timers", AlarmTopicArn=alarm_topic)
        registry = Registry(cloud.s3, storage["ModelsBucketName"], cloud.dynamodb, storage["ModelsTableName"])
        pipelines = tuple(_promote(folder / task.name, replace(registry, task=task)) for task in TASKS.values())
        settings = {
            "EVENT_STREAM": stream["EventStreamName"],
            "STATE_TABLE": storage["StateTableName"],
            "ALERTS_TABLE": storage["AlertsTableName"],
            "MODELS_TABLE": storage["ModelsTableName"],
            "MODELS_BUCKET": storage["ModelsBucketName"],
            "REJECTED_BUCKET": storage["RejectedBucketName"],
            "ARCHIVE_BUCKET": storage["ArchiveBucketName"],
            "ALERT_TOPIC_ARN": alerts["AlertTopicArn"],
            "ID_SALT_SECRET": alerts["IdSaltSecretArn"],
            "TIMER_QUEUE": timers["TimerQueueUrl"],
            "CONTROL_KEY_SECRET": storage["ControlKeySecretArn"],
            "SHOPS_AT_ONCE": "64",
            "STREAM_GENERATION": "1",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        yield Surroundings(cloud, for_embedded(os.environ, emulator.endpoint) | settings, pipelines)


def _deploy(cloud: Cloud, name: str, **parameters: str) -> dict[str, str]:
    body = (ROOT / "infra" / f"{name}.yaml").read_text("utf-8")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in (LOCAL_PARAMETERS | parameters).items()]
    cloud.cloudformation.create_stack(
        StackName=name,
        TemplateBody=body,
        Parameters=given,  # type: ignore[arg-type]
        Capabilities=["CAPABILITY_IAM"],
    )
    cloud.cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    outputs = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def _promote(folder: Path, registry: Registry) -> Path:
    artefact = folder / "artefact"
    made = write_artefact(artefact, task=registry.task)
    weights = [WEIGHT * weight for weight in made.document["coefficients"]]
    rewrite_model(artefact, coefficients=weights, intercept=INTERCEPT)
    document = json.loads((artefact / "model.json").read_text("utf-8"))
    write_sample(artefact, made.vectors, [oracle_probability(document, row) for row in made.vectors.tolist()])
    exported = export_model(artefact, folder / "exported")
    publish_model(exported, registry.s3, registry.bucket)
    promote_version(exported.version, registry, who="benchmark", why="to be measured")
    pipeline = folder / "pipeline.joblib"
    joblib.dump(build_pipeline(read_artefact(artefact).model), pipeline)
    assert len(document["features"]) == len(registry.task.features.names)
    return pipeline
