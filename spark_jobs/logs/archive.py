"""The functions' archive as tables: each shop's log, the served vectors and scores, and the links of the chain."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.events import kinds
from service_quality.events.control_records import HistoryFilled, HistoryImported, StateRebuilt
from service_quality.events.declared_fields import FLAG, INSTANT, INTEGER
from service_quality.events.event_forms import event_from_dict
from service_quality.events.interaction_event import DECLARED, FIELDS
from service_quality.events.positions import START
from service_quality.events.time_reached import TimeReached
from service_quality.instants import parse_instant
from spark_jobs.errors import InputError
from spark_jobs.logs.log_order import locate_in_logs
from spark_jobs.logs.policies import PoliciesByShop, with_policies_known
from spark_jobs.logs.shop_log import fold_key
from spark_jobs.logs.time_rows import reached_columns

Row = dict[str, Any]

_NUMBERS = (INSTANT, INTEGER, FLAG)
_EVENT_FIELDS = [
    (name, pa.int64() if declared.form in (INSTANT, INTEGER, FLAG) else pa.string())
    for name, declared in DECLARED.items()
]
ENTRY_SCHEMA = pa.schema(
    [
        *_EVENT_FIELDS,
        ("position", pa.string()),
        ("row_follows", pa.string()),
        ("round", pa.int64()),
        ("label", pa.int64()),
        ("served_clock", pa.int64()),
        ("served_vector", pa.list_(pa.float32())),
        ("served_score", pa.float64()),
        ("score_failed", pa.string()),
        ("model_version", pa.string()),
        ("fingerprint", pa.string()),
        ("fold_version", pa.string()),
        ("rejected", pa.string()),
        ("rejected_field", pa.string()),
        ("duplicate", pa.bool_()),
        ("import_id", pa.string()),
        ("import_columns", pa.string()),
        ("declared", pa.string()),
        ("filled", pa.string()),
        ("control", pa.string()),
        ("reached", pa.string()),
        ("silent", pa.bool_()),
        ("tasks", pa.string()),
    ]
)
_DDL_TYPES = {"int64": "bigint", "double": "double", "bool": "boolean", "list<item: float>": "array<float>"}
ENTRY_DDL = ", ".join(f"{field.name} {_DDL_TYPES.get(str(field.type), 'string')}" for field in ENTRY_SCHEMA)
_LINK_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("shop_id", "follows", "last")]
    + [("entries", pa.int64()), ("fold_version", pa.string())]
)
LINK_DDL = "shop_id string, follows string, last string, entries bigint, fold_version string"
_ROW_FIELDS = ("shop_id", "follows", "last", "fold_version", "fingerprint", "entries")
#: Accepted events, reached stages and import records; other control records have no effect on features.
_IS_OF_THE_LOG = (
    "rejected is null and not duplicate and silent is null and declared is null "
    "and (control is null or import_id is not null)"
)


def read_entries(spark: SparkSession, path: str) -> DataFrame:
    """Every entry of the archive's rows, without second copies of a row (ENTRY_DDL).

    Beside the entries of records there is one with `declared` before the first record of each row that declares its
    features, in JSON. `filled` is, in JSON, what a record says that filled in the past of columns, of some or of all;
    `reached` is a stage that time has reached, and `control` every other control record, in JSON; `tasks` are the
    features and scores of entities by task, in JSON; `silent` is true for a stage or a finding from which nothing
    followed, else null.
    """

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            entries = [entry for line in batch.column(0).to_pylist() for entry in entries_of(read_row(line))]
            yield to_batch(entries, ENTRY_SCHEMA)

    return _lines(spark, path).mapInArrow(parse, ENTRY_DDL)


def read_links(spark: SparkSession, path: str) -> DataFrame:
    """The links of every shop's chain, each different row once (LINK_DDL)."""

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            links = [_link(line) for line in batch.column(0).to_pylist()]
            yield to_batch(links, _LINK_SCHEMA)

    return _lines(spark, path).mapInArrow(parse, LINK_DDL)


def broken_chains(links: list[Row]) -> list[str]:
    """The faults of the chains, one sentence each; empty for chains without a gap or a second row."""
    faults = []
    for shop_id in sorted({link["shop_id"] for link in links}):
        expected = START
        for link in sorted((link for link in links if link["shop_id"] == shop_id), key=lambda link: link["follows"]):
            if link["follows"] != expected:
                what = "a second row" if link["follows"] < expected else "a gap"
                faults.append(
                    f"shop {shop_id}: {what}: found a row after {link['follows'] or 'the start'}, "
                    f"expected one after {expected or 'the start'}"
                )
            expected = max(expected, link["last"])
    return faults


def whole_until(links: list[Row]) -> dict[str, str]:
    """By shop the last position that the chain reaches from the start of the log without a gap."""
    reached: dict[str, str] = {}
    for link in sorted(links, key=lambda link: (link["shop_id"], link["follows"])):
        if link["follows"] == reached.setdefault(link["shop_id"], START):
            reached[link["shop_id"]] = link["last"]
    return reached


def to_batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Rows as a batch, column by column: a fifth of the time of `RecordBatch.from_pylist`."""
    columns = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def has_archive(spark: SparkSession, path: str) -> bool:
    """Whether the archive holds any object; the bucket itself must exist."""
    try:
        return not _lines(spark, path).isEmpty()
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return False
        raise


def to_log(entries: DataFrame, policies: PoliciesByShop) -> DataFrame:
    """The accepted events and reached stages as a log (columns of shop_log), with the import records (`import_id`).

    `policies` are those that the entries brought (settings.read_settings). Log indexes and clocks are computed here
    from the events themselves, not read from the archive.
    """
    located = locate_in_logs(entries.where(_IS_OF_THE_LOG), [F.col("position")])
    return with_policies_known(located, policies).withColumn("fold_key", fold_key())


def taken_controls(entries: DataFrame, kind: str) -> DataFrame:
    """The entries of the control records of a kind that were accepted."""
    taken = entries.where("rejected is null and not duplicate and control is not null")
    return taken.where(F.get_json_object("control", "$.kind") == kind)


def _lines(spark: SparkSession, path: str) -> DataFrame:
    files = spark.read.option("recursiveFileLookup", "true").text(path)
    return files.distinct()


def read_row(line: str) -> Row:
    """The archive row in a line; InputError for a line that is no archive row."""
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    missing = [name for name in _ROW_FIELDS if name not in row] if isinstance(row, dict) else [*_ROW_FIELDS]
    if missing:
        raise InputError(f"found a line without {', '.join(missing)}, expected archive rows")
    found: Row = row
    return found


def _link(line: str) -> Row:
    row = read_row(line)
    return {name: row[name] for name in _LINK_SCHEMA.names} | {"entries": len(row["entries"])}


def entries_of(row: Row) -> Iterator[Row]:
    """The entries of an archive row, columns of ENTRY_SCHEMA; missing ones are null."""
    of_row = {name: row[name] for name in ("shop_id", "fingerprint", "fold_version")} | {"row_follows": row["follows"]}
    if "declared" in row and row["entries"]:
        first = row["entries"][0]["position"]
        yield of_row | {"position": first, "duplicate": False, "declared": json.dumps(row["declared"])}
    for entry in row["entries"]:
        out: Row = of_row | {
            "position": entry["position"],
            "rejected": entry.get("rejected"),
            "duplicate": entry.get("duplicate", False),
        }
        if entry.get("silent"):
            out["silent"] = True
        if "rejected" in entry:
            out["rejected_field"] = entry.get("field")
        if "event" in entry:
            out |= _event_columns(entry)
        yield out


def _event_columns(entry: Row) -> Row:
    raw = entry["event"]
    if raw["kind"] == TimeReached.kind:
        return reached_columns(raw) | _served_columns(entry)
    if raw["kind"] in kinds.CONTROL:
        return {"control": json.dumps(raw), **_control_columns(entry)}
    event = event_from_dict(raw)
    return {name: getattr(event, name) for name in FIELDS} | _served_columns(entry)


def _served_columns(entry: Row) -> Row:
    vector = entry.get("vector")
    return {
        "round": entry.get("round"),
        "label": entry.get("label"),
        "served_clock": entry["clock"],
        "served_vector": None if vector is None else floats_in(vector),
        "served_score": entry.get("score"),
        "score_failed": entry.get("score_failed"),
        "model_version": entry.get("model"),
        "tasks": json.dumps(entry["tasks"]) if "tasks" in entry else None,
    }


def floats_in(vector: str) -> Sequence[float]:
    """The numbers of a vector as it is archived."""
    return memoryview(b64decode(vector)).cast("f").tolist()


def _control_columns(entry: Row) -> Row:
    raw = entry["event"]
    if raw["kind"] in (HistoryFilled.kind, StateRebuilt.kind):
        return {"filled": json.dumps(raw)}
    if raw["kind"] != HistoryImported.kind:
        return {}
    clock = parse_instant(raw["clock"])
    return {
        "import_id": raw["import_id"],
        "import_columns": raw["columns"],
        "kind": raw["kind"],
        "occurred_at": clock,
        "received_at": clock,
        "served_clock": entry["clock"],
    }
