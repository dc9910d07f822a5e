"""The records from the lines of a contact export."""

import csv
import io

from service_quality.events.parsing import parse_event
from service_quality.instants import parse_instant
from spark_jobs.contacts.export_format import COLUMNS, MISSING_COLUMNS, REPEATED_COLUMNS
from spark_jobs.contacts.records import MAX_ID, MAX_LINES, read_records

HEADER = list(COLUMNS.values())
ROW = {
    "Unique id": "c-1",
    "channel_name": "Inbound",
    "category": "Returns",
    "Sub-category": "Reverse pickup",
    "Customer Remarks": "fine",
    "Order_id": "o-1",
    "Issue_reported at": "01/08/2023 11:13",
    "issue_responded": "01/08/2023 11:47",
    "Survey_response_Date": "01-Aug-23",
    "Product_category": "Mobile",
    "Item_price": "99.9",
    "Agent_name": "Ann",
    "Supervisor": "Sue",
    "Manager": "Max",
    "Tenure Bucket": ">90",
    "Agent Shift": "Morning",
    "CSAT Score": "5",
}


def text_of(row, header=HEADER):
    """A row as a spreadsheet writes it."""
    target = io.StringIO()
    csv.writer(target, lineterminator="").writerow([row.get(name, "") for name in header])
    return target.getvalue()


def read(*rows, header=HEADER, end="\n"):
    """The records of a file of these rows, given as dictionaries or as text."""
    lines = [",".join(header), *(row if isinstance(row, str) else text_of(ROW | row, header) for row in rows)]
    return list(read_records(end.join(lines).encode().split(b"\n")))


def test_row_has_its_values_under_our_names():
    (record,) = read({})

    assert record.reason is None
    assert record.line == 2
    assert record.values["contact_id"] == "c-1"
    assert record.values["price"] == "99.9"


def test_blank_value_is_none():
    (record,) = read({"Order_id": "  "})

    assert record.values["order_id"] is None


def test_carriage_returns_are_no_part_of_a_row():
    (first, second) = read({}, {"Unique id": "c-2"}, end="\r\n")

    assert (first.values["rating"], second.values["rating"]) == ("5", "5")


def test_quoted_line_breaks_stay_and_lines_stay_true():
    first, second = read({"Customer Remarks": 'one\ntwo, "three"\n\nfour'}, {"Unique id": "c-2"})

    assert first.values["remarks"] == 'one\ntwo, "three"\n\nfour'
    assert (first.line, second.line) == (2, 6)


def test_quote_inside_an_unquoted_field_is_text():
    first, second = read(text_of(ROW).replace("fine", '5" screen'), {"Unique id": "c-2"})

    assert first.values["remarks"] == '5" screen'
    assert second.reason is None


def test_quote_that_never_closes_costs_its_own_row_only():
    first, *others = read(text_of(ROW).replace("fine", '"never closed'), *({"Unique id": f"c-{n}"} for n in (2, 3, 4)))

    assert first.reason == "bad_quotes"
    assert first.line == 2
    assert [(record.line, record.reason) for record in others] == [(3, None), (4, None), (5, None)]


def test_quote_that_closes_in_another_row_costs_its_own_row_only():
    first, second = read(
        text_of(ROW).replace("fine", '"never closed'), {"Unique id": "c-2", "Customer Remarks": "quoted, too"}
    )

    assert first.reason == "bad_quotes"
    assert (second.line, second.values["remarks"]) == (3, "quoted, too")


def test_quote_that_never_closes_in_a_long_file_is_given_up_in_time():
    records = read(
        text_of(ROW).replace("fine", '"never closed'), *({"Unique id": f"c-{n}"} for n in range(2, MAX_LINES + 50))
    )

    assert [record.reason for record in records[:2]] == ["bad_quotes", None]
    assert len(records) == MAX_LINES + 49


def test_column_count_is_that_of_the_header():
    few, many, right = read(text_of(ROW).rpartition(",")[0], text_of(ROW) + ",", {})

    assert (few.reason, many.reason, right.reason) == ("too_few_columns", "too_many_columns", None)
    assert few.raw.startswith("c-1,Inbound")


def test_blank_lines_are_no_rows():
    records = read("", {}, "   ", "")

    assert [record.line for record in records] == [3]


def test_further_columns_and_another_order_are_fine():
    header = ["label_source", *reversed(HEADER), "Customer_City"]

    (record,) = read({"label_source": "x"}, header=header)

    assert record.values["contact_id"] == "c-1"
    assert "x" not in record.values.values()


def test_file_without_a_column_gives_the_reason_and_nothing_else():
    (record,) = read({}, header=[name for name in HEADER if name != "CSAT Score"])

    assert record.reason == MISSING_COLUMNS
    assert "missing CSAT Score" in (record.field or "")
    assert "Unique id" in (record.field or "")


def test_row_of_a_person_where_the_header_should_be_is_not_repeated():
    (record,) = read({}, header=["Unique id", "hopelessly incompetent", "Ann Example"])

    assert record.field is not None
    assert record.field.startswith("found Unique id and 2 others; missing ")
    assert "Ann" not in record.field


def test_file_with_a_column_twice_is_refused():
    (record,) = read({}, header=[*HEADER, "category"])

    assert record.reason == REPEATED_COLUMNS


def test_byte_order_mark_is_no_part_of_the_first_name():
    lines = ["\ufeff" + ",".join(HEADER), text_of(ROW)]

    (record,) = read_records(line.encode() for line in lines)

    assert record.values["contact_id"] == "c-1"


def test_row_that_is_not_utf8_is_stored_apart():
    lines = [",".join(HEADER).encode(), text_of(ROW).encode().replace(b"fine", b"\xff\xfe")]

    (record,) = read_records(lines)

    assert record.reason == "not_utf8"


def test_row_without_a_usable_contact_or_time_is_refused():
    found = read(
        {"Unique id": " "}, {"Unique id": "x" * (MAX_ID + 1)}, {"Unique id": "a\x1fb"}, {"Issue_reported at": ""}
    )

    assert [(record.reason, record.field) for record in found] == [
        ("missing_value", "Unique id"),
        ("unusable_identifier", "Unique id"),
        ("unusable_identifier", "Unique id"),
        ("missing_value", "Issue_reported at"),
    ]


def test_optional_value_that_no_event_could_carry_is_left_out_and_its_column_named():
    wide = {"Agent_name": "x" * 300, "Tenure Bucket": "a\x00b", "Order_id": "o\u2028", "CSAT Score": "\x07"}

    (record,) = read(wide)

    assert record.reason is None
    assert record.odd == ("Order_id", "Agent_name", "Tenure Bucket", "CSAT Score")
    assert [record.values[name] for name in ("agent_id", "agent_tenure", "order_id")] == [None] * 3
    assert (record.rating, record.rating_given) == (None, None)


def test_contact_without_an_answer_or_an_agent_is_a_contact():
    found = read({"issue_responded": ""}, {"Agent_name": ""}, {"Agent_name": "N/A", "Manager": "未分配"})

    assert [(record.reason, record.odd) for record in found] == [(None, ())] * 3
    assert [record.values["agent_id"] for record in found] == ["ann", None, None]
    assert (found[0].values["answered"], found[2].values["manager_id"]) == (None, None)


def test_ids_and_names_are_those_that_the_stream_has():
    (record,) = read(
        {"category": "Returns\u00a0and refunds", "channel_name": "\u3000售后\u3000退款 ", "Agent_name": "Cy\u00a0"}
    )

    values = parse_event(
        {
            "event_id": "e1",
            "shop_id": "shop",
            "kind": "agent_message",
            "conversation_id": "c-1",
            "occurred_at": "2023-08-01T11:13:00Z",
            "category": "Returns and\u3000refunds\t",
            "channel": "售后 退款",
            "agent_id": " cY",
        },
        arrived_at=parse_instant("2023-08-01T11:13:00Z"),
    )
    assert [record.values[name] for name in ("category", "channel", "agent_id")] == [
        values.category,
        values.channel,
        values.agent_id,
    ]


def test_long_remark_is_cut():
    (record,) = read({"Customer Remarks": "it never came. " * 560})

    assert (record.reason, record.odd, len(record.values["remarks"] or "")) == (None, (), 8_000)


def test_rating_of_another_scale_is_kept_as_it_was_given():
    scores = ("5.0", "4", "Good", "满意", "4.5", "10", "5/5", "★★★★★", "")

    found = read(*({"CSAT Score": score} for score in scores))

    assert [record.rating for record in found] == [5, 4, *[None] * 7]
    assert [record.rating_given for record in found] == [None, None, *scores[2:8], None]
    assert [record.odd for record in found] == [(), (), *[("CSAT Score",)] * 6, ()]


def test_empty_file_has_no_records():
    assert list(read_records([])) == []
