"""Each shop's archived log through the rules again: the messages that given rules, and those in force, would have sent.

A shop's log is folded in one task, by the commit, fold and rules of the functions, in memory.
"""

import json
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.alerts.alert import Alert
from service_quality.errors import RejectedPolicyError
from service_quality.events.control_records import POLICY, RULES, SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.finding_reported import FindingReported, parse_finding
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.instants import parse_instant
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from service_quality.scoring.scores import TaskScorer
from service_quality.tasks.declared_tasks import CONVERSATION, TASKS, Task
from spark_jobs.backtest.backtest import RUN_KEY, Backtest
from spark_jobs.backtest.given_scores import ServedScores
from spark_jobs.backtest.log_lines import LogLine, position_behind
from spark_jobs.backtest.turns_by_day import turns_ended_by_day
from spark_jobs.logs.time_rows import to_reached

Row = dict[str, Any]

#: Whose messages: those of the rules that were given, and those of the rules in force.
GIVEN, PRESENT = "given", "present"
#: The state of a row that says why a record of the log could not be folded again.
REFUSED = "refused"

MESSAGE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("rules", "shop_id", "kind", "severity", "state")]
    + [(name, pa.string()) for name in ("subject_kind", "subject_id", "alert_id")]
    + [("at", pa.int64())]
)
MESSAGE_DDL = ", ".join(f"{name} {'bigint' if name == 'at' else 'string'}" for name in MESSAGE_SCHEMA.names)
_IS_FOLDED = (
    "rejected is null and not duplicate and silent is null and declared is null and "
    f"(control is null or get_json_object(control, '$.kind') in ('{SettingsChanged.kind}', '{FindingReported.kind}'))"
)
_COLUMNS = ("position", "control", "reached", "served_score", "tasks", *FIELDS)
#: The tasks whose scores are of entities.
_OF_ENTITIES = tuple(task for task in TASKS.values() if task.unit != CONVERSATION)


class Message(NamedTuple):
    """A message about an alert, or a refused record; `at` is the shop's clock."""

    rules: str
    shop_id: str
    kind: str
    severity: str = ""
    state: str = REFUSED
    subject_kind: str = ""
    subject_id: str = ""
    alert_id: str = ""
    at: int = 0


def messages_of(entries: DataFrame, document: bytes, *, until: int) -> DataFrame:
    """The messages (MESSAGE_DDL) that entries of a log (archive.ENTRY_DDL) received before an instant lead to.

    `document` holds the given rules. The rules in force are those that the log brought, or the shipped ones.
    """
    rows = entries.where(_IS_FOLDED).where((F.col("received_at") < until) | F.col("control").isNotNull())

    def play(table: pa.Table) -> pa.Table:
        found = play_log(table.to_pylist(), document, until=until)
        return pa.Table.from_pylist([one._asdict() for one in found], schema=MESSAGE_SCHEMA)

    return rows.select(*_COLUMNS).groupBy("shop_id").applyInArrow(play, MESSAGE_DDL)


def play_log(rows: Collection[Row], document: bytes, *, until: int = 0) -> Iterator[Message]:
    """The messages of a shop's log by the given rules and by those in force; `rows` have _COLUMNS, in any order.

    Time goes on to the last arrival, or to a later instant; findings for that instant or a later one are left out.
    """
    in_order = [row for row in sorted(rows, key=lambda row: str(row["position"])) if row["reached"] is None]
    in_order = [row for row in in_order if not until or (finding := _finding(row)) is None or finding.as_of < until]
    lines, sections = list(_lines(in_order)), list(map(_section, in_order))
    scores = {line.record.position: row["served_score"] for line, row in zip(lines, in_order, strict=True)}
    scores = {name: score for name, score in scores.items() if score is not None} | _scores_at_stages(rows)
    of_tasks = [(task, _scores_of(task, lines, in_order)) for task in _OF_ENTITIES]
    not_judged = turns_ended_by_day(lines, tuple(_policies(in_order)))
    without_rules = [line for line, section in zip(lines, sections, strict=True) if section != RULES]
    for rules, of_run, brought in ((GIVEN, without_rules, document), (PRESENT, lines, None)):
        backtest = Backtest(
            ServedScores(scores),
            rules=brought,
            not_judged=not_judged,
            entity_scorers=[TaskScorer(task, ServedScores(own)) for task, own in of_tasks],
        )
        yield from _play(of_run, rules, backtest, until)


def _play(lines: Iterable[LogLine], rules: str, backtest: Backtest, until: int) -> Iterator[Message]:
    """The messages of a run over lines."""
    for line in lines:
        folded = backtest.fold(line)
        yield from _as_messages(rules, [*folded.reminders, *folded.messages])
        if folded.rejected is not None:
            yield Message(rules, line.shop_id, folded.rejected.reason)
    yield from _as_messages(rules, backtest.end(until=until))


def _policies(rows: Iterable[Row]) -> Iterator[Policy]:
    """The policies that rows bring; one that is refused by now judges nothing."""
    for row in rows:
        if _section(row) == POLICY:
            with suppress(RejectedPolicyError):
                yield parse_policy(_document(row))


def _as_messages(rules: str, alerts: Iterable[Alert]) -> Iterator[Message]:
    for one in alerts:
        subject = one.subject
        yield Message(
            rules, one.shop_id, one.kind, one.severity, one.state, *subject, one.alert_id, one.occurred_at or 0
        )


def _lines(rows: Sequence[Row]) -> Iterator[LogLine]:
    """The records of rows, in their order; a control record arrives with the event before it, a finding not before
    the instant that it is for.
    """
    arrived_at = next((row["received_at"] for row in rows if row["control"] is None), 0)
    for number, row in enumerate(rows, 1):
        if row["control"] is None:
            event = InteractionEvent(**{name: row[name] for name in FIELDS if row[name] is not None})
            arrived_at, shop_id, data = event.received_at, event.shop_id, event_to_json(event)
        else:
            record = _finding(row) or _settings(row)
            if isinstance(record, FindingReported):
                arrived_at = max(arrived_at, record.as_of)
            shop_id, data = record.shop_id, sign_control(record, RUN_KEY, issued_at=arrived_at)
        yield LogLine(number, shop_id, LogRecord(position_behind(number), data, arrived_at))


def _scores_at_stages(rows: Iterable[Row]) -> dict[str, float]:
    """The scores that a deployment served when it reached stages, by the names of their records."""
    reached = ((to_reached(row), row["served_score"]) for row in rows if row["reached"] is not None)
    return {record.event_id: score for record, score in reached if record is not None and score is not None}


def _scores_of(task: Task, lines: Sequence[LogLine], rows: Sequence[Row]) -> dict[str, float | None]:
    """The scores of a task that a deployment served, by the positions of lines, which are those of rows.

    None where its model failed.
    """
    served = (json.loads(row["tasks"] or "{}").get(task.name) for row in rows)
    return {line.record.position: one.get("score") for line, one in zip(lines, served, strict=True) if one is not None}


def _finding(row: Row) -> FindingReported | None:
    """The finding of a row; None for another one."""
    form = json.loads(row["control"] or "{}")
    return parse_finding(form, parse_instant(form["as_of"])) if form.get("kind") == FindingReported.kind else None


def _settings(row: Row) -> SettingsChanged:
    shop_id = json.loads(row["control"])["shop_id"]
    return SettingsChanged(shop_id=shop_id, document=_document(row), section=_section(row) or POLICY)


def _section(row: Row) -> str | None:
    """The section of a record of settings; None for an event or a finding."""
    form = json.loads(row["control"] or "{}")
    return form.get("section", POLICY) if form.get("kind") == SettingsChanged.kind else None


def _document(row: Row) -> bytes:
    return b64decode(json.loads(row["control"])["document"])
