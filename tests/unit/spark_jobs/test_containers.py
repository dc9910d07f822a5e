"""Files of text into records: quotes, line breaks, encodings, JSON lines; what is no row has a reason."""

import pytest

from spark_jobs.sources.containers import MAX_LINES, cells_of_object, read_header, read_lines_of, read_rows
from spark_jobs.sources.mapping import Field, Resource

NAMES = ("id", "remark", "score")


def resource(**changes):
    """A resource of three columns."""
    fields = {name: Field(name, "string", (name,)) for name in NAMES}
    plain = Resource("rows", "a row", "csv", ("utf-8",), ",", '"', 1, "\n", fields, (), None, (), (), ())
    return plain._replace(**changes)


def read(*rows, end="\n", encoding="utf-8", **changes):
    """The records of a file of these rows below its header."""
    declared = resource(**changes)
    text = end.join((declared.delimiter.join(NAMES), *rows))
    lines = read_lines_of(iter(text.encode(encoding).split(b"\n")), declared)
    read_header(lines, declared)
    return list(read_rows(lines, declared, len(NAMES)))


def test_carriage_returns_are_no_part_of_a_row():
    assert [record.cells for record in read("1,a,5", "2,b,4", end="\r\n")] == [("1", "a", "5"), ("2", "b", "4")]


def test_quoted_line_breaks_stay_and_lines_stay_true():
    first, second = read('1,"one\ntwo, ""three""\n\nfour",5', "2,b,4")

    assert first.cells[1] == 'one\ntwo, "three"\n\nfour'
    assert (first.line, second.line) == (2, 6)


def test_quote_inside_an_unquoted_cell_is_text():
    first, second = read('1,5" screen,5', "2,b,4")

    assert (first.cells[1], second.reason) == ('5" screen', None)


def test_quote_that_never_closes_costs_its_own_row_only():
    found = read('1,"never closed,5', "2,b,4", "3,c,3")

    assert [(record.line, record.reason) for record in found] == [(2, "bad_quotes"), (3, None), (4, None)]


def test_quote_that_closes_in_another_row_costs_its_own_row_only():
    first, second = read('1,"never closed,5', '2,"quoted, too",4')

    assert (first.reason, second.line, second.cells[1]) == ("bad_quotes", 3, "quoted, too")


def test_quote_that_never_closes_in_a_long_file_is_given_up_in_time():
    found = read('1,"never closed,5', *(f"{n},b,4" for n in range(MAX_LINES + 50)))

    assert [record.reason for record in found[:2]] == ["bad_quotes", None]
    assert len(found) == MAX_LINES + 51


def test_number_of_cells_is_that_of_the_header():
    found = read("1,a", "2,b,4,x", "3,c,3")

    assert [record.reason for record in found] == ["too_few_columns", "too_many_columns", None]
    assert found[0].raw == "1,a"


def test_blank_lines_are_no_rows():
    assert [record.line for record in read("", "1,a,5", "   ", "")] == [3]


def test_quotes_and_delimiters_are_those_that_are_declared():
    (record,) = read("1;'a; b''s';5", delimiter=";", quote="'")

    assert record.cells == ("1", "a; b's", "5")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_text_is_read_in_its_encoding(encoding):
    declared = {"utf-8-sig": "utf-8", "utf-16-le": "utf-16"}.get(encoding, encoding)

    (record,) = read("1,收到的杯子有裂纹\u000a,5".replace("\u000a", ""), encoding=encoding, encodings=(declared,))

    assert record.cells == ("1", "收到的杯子有裂纹", "5")


def test_lines_of_a_second_encoding_are_read_where_it_is_declared():
    content = "id,remark,score\n1,杯子,5\n".encode() + "2,Größe,4".encode("windows-1252")
    declared = resource(encodings=("utf-8", "windows-1252"))
    lines = read_lines_of(iter(content.split(b"\n")), declared)
    read_header(lines, declared)

    assert [(record.cells[1], record.encoding) for record in read_rows(lines, declared, 3)] == [
        ("杯子", None),
        ("Größe", "windows-1252"),
    ]


def test_row_that_is_not_in_its_encoding_is_stored_apart():
    content = b"id,remark,score\n1,\xff\xfe,5\n2,b,4"
    lines = read_lines_of(iter(content.split(b"\n")), resource())
    read_header(lines, resource())

    assert [record.reason for record in read_rows(lines, resource(), 3)] == ["other_encoding", None]


def test_lines_that_end_by_a_carriage_return_alone_are_parted_where_that_is_declared():
    assert [record.cells[0] for record in read("1,a,5", "2,b,4", end="\r", line_end="\r")] == ["1", "2"]


def test_lines_of_json_are_rows_and_others_have_a_reason():
    declared = resource(format="jsonl")
    content = (b'{"id": 1, "rating": {"score": 5}}', b"[1]", b"{", b"", b'{"id": 2}')

    found = list(read_rows(read_lines_of(iter(content), declared), declared, 3))

    assert [record.reason for record in found] == [None, "not_an_object", "malformed_json", None]
    assert cells_of_object(found[0].raw, ("id", "rating.score", "remark")) == ("1", "5", "")


def test_empty_file_has_no_header():
    assert read_header(read_lines_of(iter([]), resource()), resource()) is None
