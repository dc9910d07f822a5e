"""The queries and lines of docs/analysts.md run on a lake, and its tables have the columns that it names."""

import re

import pytest

from cli.paths import ROOT
from service_quality.events.interaction_event import DECLARED
from service_quality.tasks.declared_tasks import TASKS
from spark_jobs.lake import tables
from spark_jobs.logs import log_table
from spark_jobs.session.start import start_session
from tests.integration.conftest import Learned

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PAGE = (ROOT / "docs" / "analysts.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
EVENT_FIELDS = {*DECLARED}
#: Table of `lake.service` → its columns.
COLUMNS = {
    "events": tables.EVENTS_SCHEMA.fieldNames(),
    "rejected": tables.REJECTED_SCHEMA.fieldNames(),
    "training_set": tables.TRAINING_SET_SCHEMA.fieldNames(),
    "training_set_churn": tables.CUSTOMER_SET_SCHEMA.fieldNames(),
    "customer_scores": tables.CUSTOMER_SCORES_SCHEMA.fieldNames(),
    "imports": tables.IMPORTS_SCHEMA.fieldNames(),
    "imported_events": tables.IMPORTED_EVENTS_SCHEMA.fieldNames(),
    "log": log_table.LOG_ENTRY_SCHEMA.names,
    "folded_objects": re.findall(r"(\w+) \w+", log_table.FOLDED_OBJECTS_DDL),
}


def test_page_has_queries():
    assert len(QUERIES) >= 4


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_query_finds_rows(number, learned: Learned):
    spark = start_session("analysts", str(learned.lake))

    assert spark.sql(QUERIES[number]).count() > 0


def test_lines_of_python_run(learned: Learned, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    exec("\n".join(blocks).replace("build/lake", str(learned.lake)), {})  # the page's own lines

    printed = capsys.readouterr().out
    assert "avg(agent_dissatisfied_rate_30d)" in printed
    assert re.search(r"complaint_filed\| +\d+\|", printed)  # of the table that was kept


def test_every_table_of_the_lake_has_a_row():
    declared = {
        value.removeprefix(f"{tables.NAMESPACE}.")
        for module in (tables, log_table)
        for value in (*vars(module).values(), *map(tables.training_set_of, TASKS.values()))
        if isinstance(value, str) and value.startswith(f"{tables.NAMESPACE}.")
    }

    assert declared == {*COLUMNS}, "enter the table in COLUMNS here, and in docs/analysts.md"


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_of_a_table_are_named(table):
    (row,) = re.findall(rf"^\| `{table}` \|.*$", PAGE, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row.split("|")[3]))

    left_out = EVENT_FIELDS if "every field of [events]" in row else set()
    assert named == {*COLUMNS[table]} - left_out
