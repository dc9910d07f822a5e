"""The figures of an import that its report shows: what came in, what was taken, and what was met in it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.sources.addresses import file_name, plain_address
from spark_jobs.sources.cleaning import Cleaning
from spark_jobs.sources.headers import PARQUET, Header
from spark_jobs.sources.mapping import Resource, Source

#: Fields whose values name someone or something: of each the share of the most frequent one counts.
KEYS = ("customer_id", "conversation_id", "agent_id", "sku")
_Found = TypeVar("_Found")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()


def import_figures(
    source: Source,
    headers: Mapping[str, Header],
    met: Cleaning,
    *,
    rows: Mapping[str, Mapping[str | None, int]],
    heaviest: Sequence[tuple[str, int]],
) -> dict[str, Any]:
    """What an import met, without a cell of it; of a file whose rows are only joined to others nothing is taken: null.

    `rows` are the numbers of rows by the address of a file and by the encoding of their text, where None is the first
    that is declared; `heaviest` as `heaviest_keys` gives it.
    """
    events = sum(met.kinds.values())
    days = {int(day): count for day, count in met.days.items()}
    return {
        "mapping": source.name,
        "title": dict(source.title),
        "files": [_file(address, header, met, source, rows) for address, header in sorted(headers.items())],
        "rows": sum(sum(counts.values()) for counts in rows.values()),
        "taken": sum(met.taken.values()),
        "rejected": [
            {"file": file_name(file), "reason": reason, "column": column, "rows": count, "lines": lines}
            for file, reason, column, count, lines in met.rejections
        ],
        "left_out": dict(met.left_out.most_common()),
        "odd": dict(met.odd.most_common()),
        "doubtful": [{"column": column, "cause": cause, "cells": count} for column, cause, count in met.doubtful],
        "blank": met.blank_shares,
        "kinds": dict(sorted(met.kinds.items())),
        "events": events,
        "days": [[_date(day), days[day]] for day in sorted(days)],
        "holes": [[_date(first), _date(last)] for first, last in holes(sorted(days))],
        "heaviest": [{"field": name, "share": round(count / events, 4)} for name, count in heaviest if events],
    }


def _file(
    address: str, header: Header, met: Cleaning, source: Source, rows: Mapping[str, Mapping[str | None, int]]
) -> dict[str, object]:
    """A file, with its columns and its rows; counters know it by its address as Spark writes it."""
    resource = source.resource(header.resource)
    its_rows = _at(address, rows, {})
    return {
        "name": file_name(address),
        "resource": header.resource,
        "encodings": {} if address.endswith(PARQUET) else by_encoding(its_rows, resource),
        "rows": sum(its_rows.values()),
        "taken": _at(address, met.taken, 0) if resource.events else None,
        "missing": list(header.missing(resource)),
        "unread": list(header.unread),
    }


def by_encoding(rows: Mapping[str | None, int], resource: Resource) -> dict[str, int]:
    """Rows by the name of their encoding, in the order in which the resource declares them."""
    counts = ((name, rows.get(name if place else None, 0)) for place, name in enumerate(resource.encodings))
    return {name: count for name, count in counts if count}


def _at(address: str, found: Mapping[str, _Found], otherwise: _Found) -> _Found:
    by_address = {plain_address(each): one for each, one in found.items()}
    return by_address.get(plain_address(address), otherwise)


def holes(days: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches of days without an event between days with some, first and last day of each.

    >>> holes([1, 2, 5, 6, 8])
    [(3, 4), (7, 7)]
    """
    return [(before + 1, after - 1) for before, after in pairwise(days) if after > before + 1]


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def heaviest_keys(events: DataFrame) -> list[tuple[str, int]]:
    """Of each of KEYS that the events name, the number of events of the one that most of them name."""
    counts = [
        events.where(F.col(name).isNotNull())
        .groupBy(F.lit(name).alias("field"), F.col(name).alias("key"))
        .count()
        .groupBy("field")
        .agg(F.max("count").alias("most"))
        for name in KEYS
    ]
    total = counts[0]
    for other in counts[1:]:
        total = total.unionByName(other)
    most = {row["field"]: row["most"] for row in total.collect()}
    return [(name, most[name]) for name in KEYS if name in most]
