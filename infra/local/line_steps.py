"""Steps of a line that begins with a past: a first model into the registry, the past into the functions' state."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from infra.local.module_runs import run_module
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task


def one_after_another(jobs: Iterable[Sequence[str | Path]]) -> list[str | Path]:
    """The argv of several jobs on one Spark.

    >>> one_after_another([["fold_archive"], ["check_consistency", "--shop", "a"]])
    ['fold_archive', 'then', 'check_consistency', '--shop', 'a']
    """
    return [word for one in jobs for word in ("then", *one)][1:]


def promote_first(
    folder: Path, outputs: Mapping[str, str], environment: Mapping[str, str], *, who: str, task: Task = DISSATISFACTION
) -> None:
    """Export the folder's `artefact` as its `model`, described in `export.json`, and promote it as it is."""
    model, described = folder / "model", folder / "export.json"
    bucket = ("--bucket", outputs["ModelsBucketName"])
    argv = ("--artefact", folder / "artefact", "--output", model, "--json", described)
    run_module("export", ["model_export", "export", *argv], environment)
    run_module("publish", ["model_export", "publish", "--model", model, *bucket], environment)
    version = str(json.loads(described.read_text("utf-8"))["version"])
    why = ("--who", who, "--why", f"the first model of {task.name} of this stack")
    table = ("--table", outputs["ModelsTableName"], "--task", task.name)
    run_module("promote", ["model_export", "promote", "--version", version, *bucket, *table, *why], environment)


def archive_of(outputs: Mapping[str, str]) -> str:
    """The functions' archive, as jobs read it."""
    return f"s3a://{outputs['ArchiveBucketName']}/archive"


def stream_options(outputs: Mapping[str, str]) -> tuple[str, ...]:
    """The options of a job that puts control records on the shops' logs."""
    return ("--event-stream", outputs["EventStreamName"], "--control-key-secret", outputs["ControlKeySecretArn"])


def state_options(outputs: Mapping[str, str]) -> tuple[str, ...]:
    """The options of a job that brings a past into the functions' state."""
    tables = ("--state-table", outputs["StateTableName"], "--alerts-table", outputs["AlertsTableName"])
    return (*tables, *stream_options(outputs), "--archive", archive_of(outputs))
