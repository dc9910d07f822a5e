"""Files of exports: what they are recognised by, and what is said of one that is written in another way."""

import csv
import io

import pytest

from spark_jobs.errors import InputError
from spark_jobs.sources.headers import Overrides
from tests.unit.spark_jobs.export_samples import SAMPLES, read_files

ROW = {
    "Unique id": "c-1", "channel_name": "Inbound", "category": "退货", "Sub-category": "Pickup", "Order_id": "o-1",
    "Customer Remarks": "", "Issue_reported at": "01/08/2023 11:13", "issue_responded": "01/08/2023 11:47",
    "Survey_response_Date": "02-Aug-23", "Product_category": "Mobile", "Item_price": "99.95", "Agent_name": "Ann",
    "Supervisor": "Sue", "Manager": "Max", "Tenure Bucket": ">90", "Agent Shift": "Morning", "CSAT Score": "2",
}  # fmt: skip


def text_of(*changes, delimiter=",", before="", end="\r\n", names=tuple(ROW)):
    """A contact export with a row for each change."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerow(names)
    writer.writerows(
        [(ROW | {"Unique id": f"c-{n}"} | change).get(name, "") for name in names] for n, change in enumerate(changes)
    )
    return before + file.getvalue()


def read(tmp_path, content, name="contacts.csv", **said):
    (tmp_path / name).write_bytes(content)
    return read_files("contacts", [tmp_path / name], zone="Asia/Kolkata", **said)


def refusal(tmp_path, content):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "said", "overrides"),
    [
        (text_of({}, delimiter=";").encode(), "--delimiter semicolon", Overrides(delimiter=";")),
        (text_of({}, delimiter="\t").encode("utf-16"), "--encoding utf-16 --delimiter tab", Overrides("utf-16", "\t")),
        (text_of({}, before="sep=,\r\n").encode(), "--header-row 2", Overrides(header_row=2)),
        (text_of({}, before="Contacts\r\nof August\r\n\r\n").encode(), "--header-row 4", Overrides(header_row=4)),
        (text_of({}, end="\r").encode(), "--line-end cr", Overrides(line_end="\r")),
        (
            text_of({}, before="sep=;\r\n", delimiter=";").encode(),
            "--delimiter semicolon --header-row 2",
            Overrides(None, ";", 2),
        ),
    ],
)  # fmt: skip
def test_file_that_is_written_in_another_way_names_the_options_that_read_it(tmp_path, content, said, overrides):
    assert refusal(tmp_path, content).endswith(f"say {said}")

    found = read(tmp_path, content, overrides=overrides)
    assert (sum(found.met.taken.values()), found.outcomes[0].read.events[0].category) == (1, "退货")


def test_file_in_another_encoding_with_a_plain_header_has_its_rows_rejected_by_name(tmp_path):
    met = read(tmp_path, text_of({}, {}).encode("gb18030")).met

    assert (met.rejected_by_reason, sum(met.taken.values())) == ({"other_encoding": 2}, 0)
    assert (
        sum(read(tmp_path, text_of({}, {}).encode("gb18030"), overrides=Overrides("gb18030")).met.taken.values()) == 2
    )


def test_file_without_the_columns_says_which_are_missing_and_shows_no_cell(tmp_path):
    said = refusal(tmp_path, b"id,name,Agent_name\n1,Ann Example,Cy\n")

    assert "found Agent_name and 2 others; missing Unique id" in said
    assert "Ann Example" not in said


def test_empty_file_is_refused(tmp_path):
    assert "found nothing" in refusal(tmp_path, b"")


def test_columns_are_found_in_any_order_case_and_spacing(tmp_path):
    names = tuple(name.upper().replace("_", "_") for name in reversed(ROW))
    text = text_of({}).splitlines()
    values = next(csv.reader([text[1]]))
    file = io.StringIO()
    csv.writer(file).writerows([[f" {name} " for name in names], list(reversed(values))])

    (outcome,) = read(tmp_path, b"\xef\xbb\xbf" + file.getvalue().encode()).outcomes

    assert [event.kind for event in outcome.read.events] == ["conversation_opened", "agent_message", "rated"]


def test_column_that_a_file_lacks_is_named_and_costs_no_row(tmp_path):
    found = read(tmp_path, text_of({}, names=tuple(name for name in ROW if name != "Item_price")).encode())

    assert sum(found.met.taken.values()) == 1
    assert "Item_price" not in found.headers["contacts.csv"].places


def test_quote_that_never_closes_costs_its_row_alone(tmp_path):
    lines = text_of({}, {"Customer Remarks": "BROKEN"}, {}).replace("BROKEN", '"never closed')

    met = read(tmp_path, lines.encode()).met

    assert (sum(met.taken.values()), met.rejected_by_reason) == (2, {"bad_quotes": 1})


def test_files_of_several_kinds_are_told_apart_by_their_columns():
    found = read_files("olist", sorted((SAMPLES / "olist").glob("*.csv")))

    assert {file.split("_")[1]: header.resource for file, header in found.headers.items()} == {
        "customers": "customers", "order": "reviews", "orders": "orders", "products": "products",
    }  # fmt: skip
