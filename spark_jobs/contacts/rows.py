"""Contact rows as tables: read from files, checked, and turned into interaction events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby, islice
from operator import itemgetter

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from service_quality.events.declared_fields import AGENT, EARLIEST
from service_quality.events.interaction_event import DECLARED, fields_describing
from spark_jobs.contacts.export_format import COLUMNS, DAY_PATTERNS, DUPLICATE_ID, TIME_PATTERNS
from spark_jobs.contacts.records import ContactRecord, read_records
from spark_jobs.lake.tables import EVENTS_SCHEMA, REJECTED_KEY, REJECTED_SCHEMA

BATCH_ROWS = 5_000
MAX_AMOUNT_MINOR = DECLARED["amount_minor"].highest
AGENT_FIELDS = ("agent_id", *fields_describing(AGENT))
CONTACT_FIELDS = ("category", "subcategory", "product", "channel", "order_id")

_OF_RECORD = ("line", "raw", "reason", "field", "odd", "rating_given")
_RECORDS = pa.schema(
    [
        ("file", pa.string()), ("line", pa.int64()), ("raw", pa.string()), ("reason", pa.string()),
        ("field", pa.string()), ("odd", pa.list_(pa.string())), ("rating_given", pa.string()), ("stars", pa.int64()),
        *((name, pa.string()) for name in COLUMNS),
    ]
)  # fmt: skip
_DDL_TYPES = {"int64": "bigint", "list<item: string>": "array<string>"}
_RECORDS_DDL = ", ".join(f"{one.name} {_DDL_TYPES.get(str(one.type), 'string')}" for one in _RECORDS)


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Every line of the files as bytes, with its file and its order there: block, then seq."""
    return (
        spark.read.text(list(paths), lineSep="\n")
        .select(
            F.col("_metadata.file_path").alias("file"),
            F.col("_metadata.file_block_start").alias("block"),
            F.col("value").cast("binary").alias("line"),
        )
        .withColumn("seq", F.monotonically_increasing_id())
    )


def parse_lines(lines: DataFrame) -> DataFrame:
    """The records of each file: file, line, raw, reason and field (null for a good one), then COLUMNS as text.

    Beside them `odd`, the columns whose values could not be used, and the rating: `stars`, else `rating_given`.
    """
    return _in_order(lines).mapInArrow(_parse_batches, _RECORDS_DDL)


def hash_files(lines: DataFrame) -> DataFrame:
    """Each file with the SHA-256 of its lines (file, file_hash), independent of its name and packing."""
    return _in_order(lines).mapInArrow(_hash_batches, "file string, file_hash string")


def check_records(records: DataFrame, *, time_zone: str, until: int) -> DataFrame:
    """Records with their values typed, and a reason where a value cannot be; of repeated ids the first counts.

    `until`, epoch milliseconds, is the latest instant that can have happened. Adds reported_at, answered_at,
    surveyed_at (timestamps), answered_day (whether the answer's time of day is lost), amount_minor, has_rating. A price
    that is no amount, and a rating without its day, are among the `odd`.
    """
    first = Window.partitionBy("contact_id", F.col("reason").isNull()).orderBy("file", "line")
    typed = _type_values(records, time_zone)
    checked = _with_reason(typed, _checks(until))
    return _with_reason(
        checked.withColumn("rank", F.row_number().over(first)), [(DUPLICATE_ID, "contact_id", F.col("rank") > 1)]
    ).drop("rank")


def contact_events(contacts: DataFrame, *, shop_id: str) -> DataFrame:
    """Up to three events a good contact: opened, and answered and rated where it was (EVENTS_SCHEMA)."""
    agent = {name: F.col(name) for name in AGENT_FIELDS}
    about = {name: F.col(name) for name in (*CONTACT_FIELDS, "amount_minor")}
    rating = {"rating": F.col("stars"), "rating_given": F.col("rating_given"), "text": F.col("remarks")}
    opened = _event("conversation_opened", "1-opened", F.col("reported_at"), {**about, **agent})
    answered = _event("agent_message", "2-answered", F.col("answered_at"), agent, day_only=F.col("answered_day"))
    rated = _event("rated", "3-rated", F.col("surveyed_at"), rating, day_only=F.lit(True))
    events = F.array(opened, F.when(F.col("answered_at").isNotNull(), answered), F.when(F.col("has_rating"), rated))
    good = contacts.where("reason is null").withColumn("shop_id", F.lit(shop_id))
    return good.select(F.explode(F.array_compact(events)).alias("event")).select("event.*")


def count_odd(checked: DataFrame) -> dict[str, int]:
    """The number of values of each column of the files that good contacts are taken without."""
    odd = checked.where("reason is null").select(F.explode("odd").alias("column")).groupBy("column").count()
    return {row["column"]: row["count"] for row in odd.orderBy("column").collect()}


def rejected_rows(checked: DataFrame, hashes: DataFrame) -> DataFrame:
    """The unreadable rows as the lake stores them (REJECTED_SCHEMA); of files of the same content the first's.

    `hashes` are those of `hash_files`.
    """
    first = Window.partitionBy(*REJECTED_KEY).orderBy("file")
    return (
        checked.where("reason is not null")
        .join(F.broadcast(hashes), "file")
        .withColumn("source", _source())
        .withColumn("rank", F.row_number().over(first))
        .where("rank = 1")
        .select(*REJECTED_SCHEMA.fieldNames())
    )


def _in_order(lines: DataFrame) -> DataFrame:
    """Each file's lines together and in their order (file, line)."""
    return lines.repartition("file").sortWithinPartitions("file", "block", "seq").select("file", "line")


def _lines_by_file(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, Iterator[bytes]]]:
    rows = (
        pair for batch in batches for pair in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)
    )
    for file, lines in groupby(rows, key=itemgetter(0)):
        yield file, (line for _, line in lines)


def _parse_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for file, lines in _lines_by_file(batches):
        yield from _to_batches(file, read_records(lines))


def _hash_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for file, lines in _lines_by_file(batches):
        hashed = sha256()
        for line in lines:
            hashed.update(line + b"\n")
        yield pa.RecordBatch.from_pydict({"file": [file], "file_hash": [hashed.hexdigest()]})


def _to_batches(file: str, records: Iterable[ContactRecord]) -> Iterator[pa.RecordBatch]:
    source = iter(records)
    while block := list(islice(source, BATCH_ROWS)):
        columns = [
            [file] * len(block),
            *([getattr(record, name) for record in block] for name in _OF_RECORD),
            [record.rating for record in block],
            *([record.values.get(name) for record in block] for name in COLUMNS),
        ]
        arrays = [pa.array(column, type) for column, type in zip(columns, _RECORDS.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=_RECORDS)


def _type_values(records: DataFrame, time_zone: str) -> DataFrame:
    """Local times stay as they are until their day's end is known, then become UTC."""
    answered, surveyed = _read_time("answered", TIME_PATTERNS), _read_time("surveyed", DAY_PATTERNS)
    lost = answered == F.date_trunc("day", answered)
    price = F.expr("try_cast(round(try_cast(price as decimal(30, 6)) * 100) as bigint)")
    is_amount = ~F.col("price").startswith("-") & price.between(0, MAX_AMOUNT_MINOR)
    rated, dated = F.col("rating").isNotNull(), F.col("surveyed").isNotNull()
    odd = {"price": F.col("price").isNotNull() & ~F.coalesce(is_amount, F.lit(False)), "surveyed": rated & ~dated}
    return records.withColumns(
        {
            "reported_at": F.to_utc_timestamp(_read_time("reported", TIME_PATTERNS), time_zone),
            "answered_day": lost,
            "answered_at": F.to_utc_timestamp(F.when(lost, _end_of_day(answered)).otherwise(answered), time_zone),
            "survey_day": F.to_utc_timestamp(surveyed, time_zone),
            "surveyed_at": F.to_utc_timestamp(_end_of_day(surveyed), time_zone),
            "amount_minor": F.when(is_amount, price),
            "has_rating": rated & dated,
            "odd": F.array_compact(
                F.concat("odd", F.array(*(F.when(is_odd, COLUMNS[name]) for name, is_odd in odd.items())))
            ),
        }
    )


def _read_time(column: str, patterns: Sequence[str]) -> Column:
    return F.coalesce(*(F.try_to_timestamp(F.col(column), F.lit(pattern)) for pattern in patterns))


def _end_of_day(local: Column) -> Column:
    return F.date_trunc("day", local) + F.expr("interval 23 hours 59 minutes 59.999 seconds")


def _checks(until: int) -> list[tuple[str, str, Column]]:
    """Reason, column and condition, in the order in which the first one counts."""
    reported, answered, surveyed = F.col("reported_at"), F.col("answered_at"), F.col("surveyed_at")
    day = F.col("survey_day")
    earliest, latest = F.timestamp_millis(F.lit(EARLIEST)), F.timestamp_millis(F.lit(until))
    answer = F.when(F.col("answered_day"), answered - F.expr("interval 1 day")).otherwise(answered)
    times = {"reported": reported, "answered": answered, "surveyed": surveyed}
    unread = [("bad_date", name, F.col(name).isNotNull() & time.isNull()) for name, time in times.items()]
    early = [("out_of_range", name, time < earliest) for name, time in times.items()]
    late = [
        ("from_the_future", name, start > latest)
        for name, start in {**times, "answered": answer, "surveyed": day}.items()
    ]
    return [
        *unread,
        *early,
        *late,
        ("answer_before_report", "answered", answered < reported),
        ("rating_before_report", "surveyed", surveyed < reported),
    ]


def _with_reason(rows: DataFrame, checks: Sequence[tuple[str, str, Column]]) -> DataFrame:
    """Give a row without a reason that of the first failing check."""
    reason, column = F.when(F.lit(False), ""), F.when(F.lit(False), "")
    for code, name, fails in checks:
        reason, column = reason.when(fails, code), column.when(fails, COLUMNS[name])
    good = F.col("reason").isNull()
    return rows.withColumns(
        {
            "reason": F.when(good, reason).otherwise(F.col("reason")),
            "field": F.when(good, column).otherwise(F.col("field")),
        }
    )


def _event(
    kind: str, ending: str, at: Column, values: Mapping[str, Column], *, day_only: Column | None = None
) -> Column:
    """One event as a struct of EVENTS_SCHEMA; `day_only` is true where its time of day is lost."""
    given = {
        "event_id": F.concat("contact_id", F.lit(f":{ending}")),
        "shop_id": F.col("shop_id"),
        "kind": F.lit(kind),
        "occurred_at": at,
        "received_at": at,
        "precision": F.lit("ms") if day_only is None else F.when(day_only, "day").otherwise("ms"),
        "conversation_id": F.col("contact_id"),
        "source": _source(),
        **values,
    }
    fields = [given.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name) for field in EVENTS_SCHEMA]
    return F.struct(*fields)


def _source() -> Column:
    """The file's own name, which Spark gives as part of an address: decoded percent signs, a plus as it is."""
    name = F.replace(F.element_at(F.split("file", "/"), -1), F.lit("+"), F.lit("%2B"))
    return F.concat(F.lit("contacts:"), F.try_url_decode(name))
