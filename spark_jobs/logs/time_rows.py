"""Reached stages as rows of a log: they occur and are received at their due instants, and are no interaction events.

The column `reached` of a log is the JSON form of such a record, null in the rows of events.
"""

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.control_parsing import parse_time_reached
from service_quality.events.control_records import control_to_dict
from service_quality.events.interaction_event import FIELDS
from service_quality.events.time_reached import TimeReached
from service_quality.instants import parse_instant

Row = dict[str, Any]


def reached_columns(form: Mapping[str, Any]) -> Row:
    """The columns of a log in a record's JSON form: those of an event, and `reached`."""
    record = _read(form)
    columns = {name: getattr(record, name, None) for name in FIELDS}
    return {**columns, "reached": json.dumps(control_to_dict(record))}


def to_reached(row: Row) -> TimeReached | None:
    """The reached stage in a row of a log; None in that of an event."""
    form = row.get("reached")
    return None if form is None else _read(json.loads(form))


def interaction_events(log: DataFrame) -> DataFrame:
    """A log without its reached stages."""
    return log.where("reached is null") if "reached" in log.columns else log


def with_reached(log: DataFrame) -> DataFrame:
    """A log with the column `reached`, null where it had none."""
    return log if "reached" in log.columns else log.withColumn("reached", F.lit(None).cast("string"))


def _read(form: Mapping[str, Any]) -> TimeReached:
    return parse_time_reached(form, parse_instant(form["due_at"]))
