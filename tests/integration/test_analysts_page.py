"""The queries and lines of docs/analysts.md run on a lake, and its tables have the columns that it names."""

import re

import pytest

from cli.paths import ROOT
from spark_jobs.lake import tables
from spark_jobs.session.start import start_session
from tests.integration.conftest import Learned

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PAGE = (ROOT / "docs" / "analysts.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SCHEMAS = {
    "events": tables.EVENTS_SCHEMA,
    "rejected": tables.REJECTED_SCHEMA,
    "training_set": tables.TRAINING_SET_SCHEMA,
    "imports": tables.IMPORTS_SCHEMA,
    "imported_events": tables.IMPORTED_EVENTS_SCHEMA,
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

    assert "avg(agent_dissatisfied_rate_30d)" in capsys.readouterr().out


@pytest.mark.parametrize("table", SCHEMAS)
def test_columns_of_a_table_are_named(table):
    (row,) = re.findall(rf"^\| `{table}` \|.*$", PAGE, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row)) - {table}

    if table == "events":
        assert named == {"source"}
    else:
        assert named == set(SCHEMAS[table].fieldNames())
