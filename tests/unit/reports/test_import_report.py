"""The report of an import: what was met, in both languages, without a cell of a row."""

import re

import pytest

from cli.paths import ROOT
from reports.import_labels import REASONS
from reports.import_report import draw_days
from reports.run_page import render_run
from service_quality.instants import parse_instant
from spark_jobs.sources.beginnings import describe, read_beginning
from spark_jobs.sources.exports import DUPLICATE_ID, OLDER_VERSION
from spark_jobs.sources.import_figures import import_figures
from spark_jobs.sources.mapping_file import load_mapping
from spark_jobs.sources.row_events import MISSING_ROW, UNREADABLE_VALUE
from spark_jobs.sources.row_values import MISSING_VALUE
from tests.unit.spark_jobs.export_samples import SAMPLES, expected_of, given_for

CARD = {
    "job": "import_events",
    "state": "done",
    "began_at": "2026-11-28T09:00:00.000Z",
    "ended_at": "2026-11-28T09:00:12.500Z",
    "seconds": 12.5,
    "version": "service-quality 0.1.0",
    "command": "python -m spark_jobs import_events a.csv",
    "arguments": {"mapping": "freshdesk"},
    "inputs": [{"kind": "file", "name": "a.csv"}, {"kind": "table", "name": "lake.service.events", "snapshot": 7}],
    "steps": [{"step": "read", "seconds": 2.0}],
    "warnings": [],
    "error": None,
    "progress": None,
    "next": ["a command"],
}
WRITTEN = {
    "new_events": 20,
    "repeated_events": 1,
    "conflicting_events": 2,
    "differing_events": 3,
    "corrected_events": 0,
    "differing_fields": ["rating", "text"],
    "differing_places": ["a.csv:2", "a.csv:9"],
}


def page_of(figures, *, lang="en", written=WRITTEN, **changes):
    """The card of an import as a page."""
    return render_run(CARD | {"counts": {"cleaning": figures, **written}} | changes, lang=lang)


@pytest.fixture(scope="module")
def figures():
    """The figures of a sample, with a clock that is ahead and a unit of time that is another one."""
    source, said = load_mapping("freshdesk"), expected_of("freshdesk")["arguments"]
    paths = sorted((SAMPLES / "freshdesk").glob("*.csv"))
    found = read_beginning(paths, source, given_for(source, zone=said["time_zone"]), most=100)
    return import_figures(source, found.headers, found.met, rows=found.rows, heaviest=[("conversation_id", 4)])


def test_page_shows_what_was_met_in_both_languages(figures):
    page = page_of(figures)

    assert "a required value is blank" in page
    assert "必需的值为空" in page
    assert "Resolved time" in page
    assert "a command" in page
    assert "They differ in rating, text; the first are in a.csv:2, a.csv:9." in page
    assert "不同之处在 rating, text" in page


def test_page_shows_no_cell(figures):
    page = page_of(figures)

    assert not [word for word in ("Jana", "jana", "Orlik", "Borealis", "48101", "杯子") if word in page]


def test_refused_import_says_why_and_nothing_of_what_was_written(figures):
    failure = {"message": "too many rows", "details": [], "exit_code": 3}

    page = page_of(figures, written={}, state="failed", error=failure)

    assert "too many rows" in page
    assert "Repeated events" not in page


def test_page_loads_nothing(figures):
    page = page_of(figures, lang="zh")

    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    assert page.index('id="en"') < page.index('id="zh"')


def test_figures_name_the_first_lines_of_rejected_rows(figures):
    assert {(one["reason"], tuple(one["lines"])) for one in figures["rejected"]} == {
        ("missing_value", (11,)),
        ("missing_value", (12,)),
    }


def test_bars_stand_for_days_and_for_weeks_where_there_are_many():
    days = draw_days([["2026-01-01", 4], ["2026-01-03", 2]])
    weeks = draw_days([["2025-01-01", 4], ["2026-01-03", 2]])

    assert days is not None
    assert weeks is not None
    assert [bar.events for bar in days.bars] == [4, 0, 2]
    assert (weeks.by_week, len(weeks.bars), sum(bar.events for bar in weeks.bars)) == (True, 53, 6)
    assert draw_days([]) is None


def test_lines_of_a_second_encoding_are_counted_by_file(tmp_path):
    names = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    rows = [f"53636{place},22423,{words},1,12/1/2010 8:26,2.55,17850,France" for place, words in enumerate(("a", "£"))]
    (tmp_path / "plain.csv").write_text("\n".join([names, rows[0]]), "utf-8")
    (tmp_path / "mixed.csv").write_bytes("\n".join([names, rows[0], rows[1]]).encode("windows-1252"))
    source = load_mapping("online_retail")
    (lines,) = source.resources
    source = source._replace(resources=(lines._replace(encodings=("utf-8", "windows-1252")),))

    found = read_beginning(sorted(tmp_path.iterdir()), source, given_for(source), most=10)

    figures = import_figures(source, found.headers, found.met, rows=found.rows, heaviest=[])
    assert {one["name"]: (one["encodings"], one["rows"]) for one in figures["files"]} == {
        "mixed.csv": ({"utf-8": 1, "windows-1252": 1}, 2),
        "plain.csv": ({"utf-8": 1}, 1),
    }
    assert "utf-8 (1), windows-1252 (1)" in page_of(figures)
    assert describe(found, source)[0].startswith("mixed.csv: lines, all 2 rows, 1 of them in windows-1252")


def test_times_that_look_wrong_are_source_cause(tmp_path):
    names = "event_time,event_type,product_id,category_code,price,user_id"
    times = ("1970-01-19 00:00:00 UTC", "2026-11-02 00:00:00 UTC", "2126-11-02 00:00:00 UTC", "2026-10-02 00:00:00 UTC")
    rows = [f"{at},view,7,toys.kite,1.00,u{place}" for place, at in enumerate(times)]
    (tmp_path / "a.csv").write_text("\n".join([names, *rows]), "utf-8")
    source = load_mapping("rees46")
    assert given_for(source).context.until == parse_instant("2026-11-01T00:00:00Z")

    found = read_beginning([tmp_path / "a.csv"], source, given_for(source), most=10)

    told = import_figures(source, found.headers, found.met, rows=found.rows, heaviest=[])["doubtful"]
    assert {(one["cause"], one["cells"]) for one in told} == {("unit", 2), ("ahead", 1)}


def test_every_reason_to_reject_or_leave_out_a_row_has_words():
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "spark_jobs" / "sources").glob("*.py"))
    spelled_out = {*re.findall(r'reason="(\w+)"', code), *re.findall(r'"(too_\w+)"', code)}
    reasons = spelled_out | {UNREADABLE_VALUE, MISSING_ROW, MISSING_VALUE, DUPLICATE_ID, OLDER_VERSION}

    assert {"other_encoding", "bad_quotes", "too_few_columns"} <= spelled_out
    assert reasons - REASONS.keys() == set()
