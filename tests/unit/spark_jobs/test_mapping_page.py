"""docs/sources.md: its generated part is current, and its example of a mapping is one."""

import re

from cli.paths import ROOT
from spark_jobs.sources.mapping_file import parse_mapping
from spark_jobs.sources.mapping_page import BEGINNING, END, page

PAGE = (ROOT / "docs" / "sources.md").read_text("utf-8")


def test_generated_part_is_current():
    written = PAGE.partition(f"{BEGINNING}\n")[2].partition(f"\n{END}")[0]

    assert written == page(), "run .venv/bin/python -m spark_jobs.sources.mapping_page"


def test_example_is_a_mapping():
    (example,) = re.findall("```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert parse_mapping(example.encode(), "docs/sources.md").name == "my_desk"


def test_every_key_of_a_mapping_says_what_it_means():
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert [row for row in rows if row.endswith("|  |")] == []
