"""Promotion: the pointer to the champion and its log entry move in one transaction, or not at all."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from model_export.aws import translated
from model_export.documents import parse_document
from model_export.errors import ModelExportError, ModelRefusedError, NotThereError, RegistryConflictError
from model_export.exported import require_hash
from model_export.parity import read_parity
from model_export.registry import Registry, read_published
from model_export.session import open_session
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef

POINTER: dict[str, "AttributeValueTypeDef"] = {"pk": {"S": "pointer"}, "sk": {"S": "champion"}}


@dataclass(frozen=True)
class Pointer:
    """The champion in force; revision 0 and no version before the first promotion."""

    version: str
    revision: int


@dataclass(frozen=True)
class Promotion:
    """One entry of the log: who made which version champion, when and why; `previous` is "" for the first."""

    revision: int
    version: str
    previous: str
    who: str
    why: str
    at: str
    metrics: str


def read_pointer(registry: Registry) -> Pointer:
    """The pointer as it stands, strongly consistent."""
    with translated(f"table {registry.table}"):
        item = registry.dynamodb.get_item(TableName=registry.table, Key=POINTER, ConsistentRead=True).get("Item")
    return Pointer(item["version"]["S"], int(item["revision"]["N"])) if item else Pointer("", 0)


def promote_version(version: str, registry: Registry, *, who: str, why: str) -> Promotion:
    """Make a published version the champion, if it passes the gate and nobody moved the pointer meanwhile.

    Promoting the champion again changes nothing and gives its standing entry.
    """
    if not who.strip() or not why.strip():
        raise ModelExportError(f"found who {who!r} and why {why!r}, expected both, for the log")
    metrics = pass_gate(registry, version)
    pointer = read_pointer(registry)
    if pointer.version == version:
        return history(registry)[0]
    promotion = Promotion(
        revision=pointer.revision + 1,
        version=version,
        previous=pointer.version,
        who=who,
        why=why,
        at=format_instant(int(datetime.now(UTC).timestamp() * 1000)),
        metrics=metrics,
    )
    _commit(registry, promotion)
    return promotion


def rollback(registry: Registry, *, who: str, why: str, version: str = "") -> Promotion:
    """Promote a version that was champion before: the one named, or the champion before the present one."""
    log = history(registry)
    if not log or not log[0].previous:
        raise NotThereError(
            f"table {registry.table}: found {len(log)} promotions, expected an earlier champion to return to"
        )
    champions = {entry.version for entry in log}
    if version and version not in champions:
        raise NotThereError(f"found no promotion of {version}, expected one of {', '.join(sorted(champions))}")
    return promote_version(version or log[0].previous, registry, who=who, why=why)


def history(registry: Registry) -> list[Promotion]:
    """Every promotion, newest first."""
    with translated(f"table {registry.table}"):
        pages = registry.dynamodb.get_paginator("query").paginate(
            TableName=registry.table,
            KeyConditionExpression="pk = :log",
            ExpressionAttributeValues={":log": {"S": "log"}},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return [_from_item(item) for page in pages for item in page["Items"]]


def pass_gate(registry: Registry, version: str) -> str:
    """The metrics of a version as JSON; ModelRefusedError unless it may serve.

    It may when its parity passed, its model is the one its name says, and that is made for the features in service.
    """
    name = f"version {version}"
    parity = parse_document(f"{name}: parity.json", read_published(registry, version, "parity.json"))
    read_parity(parity).require(name)
    data = read_published(registry, version, "model.onnx")
    require_hash(version, data)
    fingerprint = open_session(data).metadata.get("fingerprint")
    if fingerprint != FEATURES.fingerprint:
        found = f"{name}: fingerprint: found {fingerprint}"
        raise ModelRefusedError(f"{found}, expected {FEATURES.fingerprint}, that of the features in service")
    metrics = parse_document(f"{name}: metrics.json", read_published(registry, version, "metrics.json"))
    return json.dumps(metrics.fields, sort_keys=True)


def _commit(registry: Registry, promotion: Promotion) -> None:
    """Pointer and log entry, on the condition that the pointer's revision is the one read."""
    entry: PutTypeDef = {
        "TableName": registry.table,
        "Item": _to_item(promotion),
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
            **POINTER,
            "version": {"S": promotion.version},
            "fingerprint": {"S": FEATURES.fingerprint},
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
    """Whether a transaction failed because somebody else wrote; anything else is a failure of AWS or of ours."""
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    return "ConditionalCheckFailed" in reasons or "TransactionConflict" in reasons


def _to_item(promotion: Promotion) -> dict[str, "AttributeValueTypeDef"]:
    return {
        "pk": {"S": "log"},
        "sk": {"S": f"{promotion.revision:012d}"},
        **{name: {"S": getattr(promotion, name)} for name in ("version", "previous", "who", "why", "at", "metrics")},
    }


def _from_item(item: dict[str, "AttributeValueTypeDef"]) -> Promotion:
    return Promotion(
        revision=int(item["sk"]["S"]),
        version=item["version"]["S"],
        previous=item["previous"]["S"],
        who=item["who"]["S"],
        why=item["why"]["S"],
        at=item["at"]["S"],
        metrics=item["metrics"]["S"],
    )
