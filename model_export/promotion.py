"""Promotion: the pointer to the champion and its log entry move in one transaction, or not at all."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from model_export.aws import translated
from model_export.documents import parse_document
from model_export.errors import ModelExportError, NotThereError, RegistryConflictError
from model_export.exported import require_hash
from model_export.judgement import Judgement
from model_export.parity import read_parity
from model_export.registry import Registry, read_published, require_servable
from service_quality.adapters.model_registry import log_key, log_of, pointer_key
from service_quality.instants import format_instant
from service_quality.tasks.declared_tasks import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef


@dataclass(frozen=True)
class Pointer:
    """The present champion; revision 0 and no version before the first promotion."""

    version: str
    revision: int


@dataclass(frozen=True)
class Promotion:
    """One entry of the log: who made which version champion, when and why; `previous` is "" for the first.

    `previous` is the version that it replaced. `behind` is the revision to which a rollback returns from here, or 0:
    for a promotion that of the entry before it, for a rollback that of the entry which it restored.
    """

    revision: int
    version: str
    previous: str
    behind: int
    who: str
    why: str
    at: str
    metrics: str


def read_pointer(registry: Registry) -> Pointer:
    """The present pointer, strongly consistent."""
    with translated(f"table {registry.table}"):
        key = pointer_key(registry.task)
        item = registry.dynamodb.get_item(TableName=registry.table, Key=key, ConsistentRead=True).get("Item")
    return Pointer(item["version"]["S"], int(item["revision"]["N"])) if item else Pointer("", 0)


def promote_version(
    version: str, registry: Registry, *, who: str, why: str, judgement: Judgement | None = None
) -> Promotion:
    """Make a published version the champion, if it passes the gate and the pointer has not moved meanwhile.

    With a judgement, only a version that it finds not worse than the present champion. Promoting the champion again
    changes nothing and gives its entry.
    """
    pointer = read_pointer(registry)
    if judgement is not None:
        judgement.require(version, champion=pointer.version)
    return _move_pointer(registry, pointer, _Target(version, pointer.revision), who=who, why=why)


def rollback(registry: Registry, *, who: str, why: str, version: str = "") -> Promotion:
    """Return to an earlier champion: to the version named, or to the one behind the present one.

    A restored version has behind it the same entry as when it was promoted, so a second rollback goes one further back
    and never to the version that the first one left. NotThereError without an entry behind, or for a version that never
    was champion.
    """
    pointer = read_pointer(registry)
    log = history(registry)
    restored = _find_champion(registry, log, version) if version else _find_behind(registry, log)
    return _move_pointer(registry, pointer, _Target(restored.version, restored.behind), who=who, why=why)


def _find_champion(registry: Registry, log: list[Promotion], version: str) -> Promotion:
    """The newest entry that made this version champion."""
    found = next((entry for entry in log if entry.version == version), None)
    if found is None:
        champions = ", ".join(sorted({entry.version for entry in log})) or "nothing: no version was promoted yet"
        raise NotThereError(f"table {registry.table}: found no promotion of {version}, expected one of {champions}")
    return found


def _find_behind(registry: Registry, log: list[Promotion]) -> Promotion:
    """The entry to which a rollback returns from the newest one."""
    behind = {entry.revision: entry for entry in log}.get(log[0].behind) if log else None
    if behind is None:
        found = f"{log[0].version} with no champion behind it" if log else "no promotion"
        raise NotThereError(f"table {registry.table}: found {found}, expected an earlier champion to return to")
    return behind


class _Target(NamedTuple):
    """The version to make champion, and the revision behind it."""

    version: str
    behind: int


def _move_pointer(registry: Registry, pointer: Pointer, target: _Target, *, who: str, why: str) -> Promotion:
    """Move the pointer that was read to a version; returns the present entry where it names that version already."""
    if not who.strip() or not why.strip():
        raise ModelExportError(f"found who {who!r} and why {why!r}, expected both, for the log")
    metrics = pass_gate(registry, target.version)
    if pointer.version == target.version:
        return history(registry)[0]
    promotion = Promotion(
        revision=pointer.revision + 1,
        version=target.version,
        previous=pointer.version,
        behind=target.behind,
        who=who,
        why=why,
        at=format_instant(int(datetime.now(UTC).timestamp() * 1000)),
        metrics=metrics,
    )
    _commit(registry, promotion)
    return promotion


def history(registry: Registry) -> list[Promotion]:
    """Every promotion, newest first."""
    with translated(f"table {registry.table}"):
        pages = registry.dynamodb.get_paginator("query").paginate(
            TableName=registry.table,
            KeyConditionExpression="pk = :log",
            ExpressionAttributeValues={":log": {"S": log_of(registry.task)}},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return [_from_item(item) for page in pages for item in page["Items"]]


def pass_gate(registry: Registry, version: str) -> str:
    """The metrics of a version as JSON; ModelRefusedError unless it may serve.

    It may serve when its parity passed, its model has the hash in its name, and the functions' own scorer of the
    registry's task takes it.
    """
    name = f"version {version}"
    parity = parse_document(f"{name}: parity.json", read_published(registry, version, "parity.json"))
    read_parity(parity).require(name)
    data = read_published(registry, version, "model.onnx")
    require_hash(version, data)
    require_servable(data, version, registry.task)
    metrics = parse_document(f"{name}: metrics.json", read_published(registry, version, "metrics.json"))
    return json.dumps(metrics.fields, sort_keys=True)


def _commit(registry: Registry, promotion: Promotion) -> None:
    """Pointer and log entry, on the condition that the pointer's revision is the one read."""
    entry: PutTypeDef = {
        "TableName": registry.table,
        "Item": _to_item(promotion, registry.task),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    with translated(f"table {registry.table}"):
        try:
            registry.dynamodb.transact_write_items(
                TransactItems=[{"Put": _moved_pointer(registry, promotion)}, {"Put": entry}]
            )
        except ClientError as error:
            if not _lost_a_race(error):
                raise
            now = read_pointer(registry)
            raise RegistryConflictError(
                f"the champion was changed by another: found revision {now.revision} ({now.version or 'none'}), "
                f"expected revision {promotion.revision - 1}; look at the history and decide again"
            ) from error


def _moved_pointer(registry: Registry, promotion: Promotion) -> "PutTypeDef":
    put: PutTypeDef = {
        "TableName": registry.table,
        "Item": {
            **pointer_key(registry.task),
            "version": {"S": promotion.version},
            "promoted_at": {"S": promotion.at},
            "revision": {"N": str(promotion.revision)},
        },
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    if promotion.revision > 1:
        put["ConditionExpression"] = "revision = :read"
        put["ExpressionAttributeValues"] = {":read": {"N": str(promotion.revision - 1)}}
    return put


def _lost_a_race(error: ClientError) -> bool:
    """Whether a transaction failed because another writer was first; other causes are errors of AWS or of ours."""
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    return "ConditionalCheckFailed" in reasons or "TransactionConflict" in reasons


def _to_item(promotion: Promotion, task: Task) -> dict[str, "AttributeValueTypeDef"]:
    return {
        **log_key(promotion.revision, task),
        "behind": {"N": str(promotion.behind)},
        **{name: {"S": getattr(promotion, name)} for name in ("version", "previous", "who", "why", "at", "metrics")},
    }


def _from_item(item: dict[str, "AttributeValueTypeDef"]) -> Promotion:
    return Promotion(
        revision=int(item["sk"]["S"]),
        version=item["version"]["S"],
        previous=item["previous"]["S"],
        behind=int(item["behind"]["N"]),
        who=item["who"]["S"],
        why=item["why"]["S"],
        at=item["at"]["S"],
        metrics=item["metrics"]["S"],
    )
