"""Suggestions: a first mapping of a file that its own cells and names bear out, and doubts where they do not."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_jobs.errors import InputError
from spark_jobs.sources.beginnings import read_beginning
from spark_jobs.sources.mapping_file import parse_mapping
from spark_jobs.sources.suggested_mapping import as_yaml
from spark_jobs.sources.suggestions import suggest
from tests.unit.spark_jobs.export_samples import SAMPLES, given_for
from tests.unit.spark_jobs.suggested_roles import judge_samples


def write(tmp_path, names, *rows, delimiter=",", encoding="utf-8", before=""):
    """A file of these rows."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([names, *rows])
    path = tmp_path / "export.csv"
    path.write_bytes((before + file.getvalue()).encode(encoding))
    return path


def column(path, name):
    """The suggestion of one column."""
    return next(one for one in suggest(path).columns if one.name == name)


def test_columns_of_the_samples_are_read_as_their_mappings_do_and_a_wrong_one_has_a_doubt():
    judged = list(judge_samples())

    assert [one for one in judged if not one.is_right and not one.has_doubt] == []
    assert sum(one.is_right for one in judged) >= 0.9 * len(judged)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.csv")), ids=lambda path: path.stem)
def test_suggestion_is_a_mapping_that_can_be_read(path):
    text = as_yaml(suggest(path), path.name)

    if "events:\n      []" in text or "no column for a conversation" in text:
        assert "DOUBT" in text
    else:
        assert parse_mapping(text.encode(), "suggested.yaml").resources[0].events


def test_one_day_above_twelve_proves_the_order_of_a_whole_column(tmp_path):
    days = [["1", f"{month}/{day}/2023 11:13"] for month, day in ((8, 1), (8, 5), (8, 25))]

    found = column(write(tmp_path, ["Ticket ID", "Created time"], *days), "Created time")

    assert (found.format, found.doubts) == ("%m/%d/%Y %H:%M", ())


def test_days_and_months_that_could_be_swapped_are_a_doubt(tmp_path):
    found = column(write(tmp_path, ["Ticket ID", "Created time"], ["1", "8/1/2023 11:13"]), "Created time")

    assert found.doubts == ("day and month could be swapped: no cell has a day above 12",)


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ({"delimiter": ";"}, "delimiter: ;"),
        ({"delimiter": "\t", "encoding": "utf-16"}, "encoding: utf-16"),
        ({"encoding": "gb18030"}, "the text is no UTF-8, and reads as GB18030"),
        ({"before": "工单导出\n\n"}, "headerRows: [3]"),
    ],
)
def test_file_is_read_as_it_is_written(tmp_path, said, shows):
    names, rows = ["工单编号", "创建时间", "客服"], [[str(n), f"2026-01-{n:02} 09:00:00", "小王"] for n in range(1, 20)]

    text = as_yaml(suggest(write(tmp_path, names, *rows, **said)), "export.csv")

    assert shows in text
    assert "kind: conversation_opened" in text


def test_single_lines_of_another_encoding_leave_the_rest_as_it_is_and_the_mark_is_no_name(tmp_path):
    lines = [f"{number},2026-01-{number:02} 09:00:00,José".encode() for number in range(1, 20)]
    lines[7] = "8,2026-01-08 09:00:00,Zoë".encode("windows-1252")
    path = tmp_path / "export.csv"
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join([b"Ticket ID,Created time,Agent", *lines, b""]))

    text = as_yaml(suggest(path), "export.csv")

    assert "encoding: [utf-8, windows-1252]" in text
    assert "DOUBT: single lines are no UTF-8, and read as WINDOWS-1252: are they?" in text
    assert "name: Ticket ID" in text
    assert parse_mapping(text.encode(), "suggested.yaml").resources[0].encodings == ("utf-8", "windows-1252")


def table_in(folder, form):
    """The same contacts in a file of this form."""
    rows = [
        {"Ticket ID": n, "Created time": f"2026-01-{n:02} 09:00:00", "Agent": "Ann", "Survey result": n % 5 + 1}
        for n in range(1, 20)
    ]
    path = folder / f"export.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n", "utf-8")
    else:
        return write(folder, list(rows[0]), *(list(row.values()) for row in rows))
    return path


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_columns_are_read_alike_from_every_form_of_file(tmp_path, form):
    found = suggest(table_in(tmp_path, form))

    assert found.columns == suggest(table_in(tmp_path, "csv")).columns
    mapping = parse_mapping(as_yaml(found, "export").encode(), "suggested.yaml")
    assert mapping.resources[0].format == ("jsonl" if form == "jsonl" else "csv")
    of_text = parse_mapping(as_yaml(suggest(table_in(tmp_path, "csv")), "export").encode(), "suggested.yaml")
    assert read_with(mapping, table_in(tmp_path, form)) == read_with(of_text, table_in(tmp_path, "csv")) != []


def read_with(mapping, path):
    """The events that a suggested mapping reads."""
    found = read_beginning([path], mapping, given_for(mapping, zone="Asia/Shanghai"), most=100)
    return [event for one in found.outcomes for event in one.read.events]


def test_objects_within_objects_are_columns_with_dots(tmp_path):
    lines = [{"id": n, "statistics": {"first_response_at": f"2026-01-{n:02}T09:00:00Z"}} for n in range(10, 20)]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")

    found = {one.name: (one.type, one.format) for one in suggest(path).columns}

    assert found == {"id": ("integer", None), "statistics.first_response_at": ("datetime", "default")}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b'[{"id": 1}]', "found a JSON list, expected a JSON object a line"),
        ("a.parquet", b"id\n1", "expected a file of Parquet"),
        ("a.csv", b"\n\n", "found nothing"),
    ],
)
def test_file_that_names_no_columns_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=said):
        suggest(tmp_path / name)


def test_name_that_says_a_time_whose_cells_do_not_is_doubtful(tmp_path):
    found = column(write(tmp_path, ["id", "created_at"], ["1", "yes"], ["2", "no"]), "created_at")

    assert (found.type, found.doubts) == ("string", ("its name says a time, its cells do not",))


def test_blank_column_is_doubtful(tmp_path):
    assert column(write(tmp_path, ["id", "agent"], ["1", ""]), "agent").doubts == (
        "all cells of the first 1 rows are blank",
    )


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "export.csv").write_bytes(b"")

    with pytest.raises(InputError, match="found nothing"):
        suggest(tmp_path / "export.csv")


@pytest.mark.parametrize(
    ("name", "cells", "line"),
    [
        ("price", ["12,50", "1.204,00"], "decimalChar: ',', groupChar: .}"),
        ("price", ["1,299.00", "12.50"], "type: number, groupChar: ','}"),
        ("price", ["1,299", "2,500"], "DOUBT: its commas may part thousands or decimals"),
        ("store", ["0001", "0023"], "DOUBT: some of its numbers begin with a zero, which a number would lose"),
        ("store", ["0001", "0023"], "{name: store, type: string}"),
        ("rating", ["Great", "Poor"], "DOUBT: not all of its cells are 1 to 5"),
        ("平均响应时长", ["2小时15分", "3分"], "DOUBT: its name says a duration, its cells have no form that is known"),
    ],
)
def test_spelling_of_cells_is_found_or_doubted(tmp_path, name, cells, line):
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join([f"key;{name};note;place", *(f"a{place};{cell};b;c" for place, cell in enumerate(cells))]), "utf-8"
    )

    assert line in as_yaml(suggest(path), path.name)
