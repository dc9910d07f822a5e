"""What went wrong in imports: each case as it was reported, with its relatives, on the contact export."""

import pytest

from service_quality.instants import format_instant
from spark_jobs.sources.beginnings import describe
from spark_jobs.sources.cleaning import (
    DECLARED,
    EITHER,
    OTHER,
    ZERO_DECIMALS,
    Cleaning,
    merged,
    order_of,
    said_doubt,
)
from spark_jobs.sources.mapping import Condition, LeftOut
from spark_jobs.sources.mapping_file import load_mapping
from spark_jobs.sources.row_events import ReadRow, RowReader
from tests.unit.spark_jobs.export_samples import given_for, read_files
from tests.unit.spark_jobs.test_export_files import text_of


def read(tmp_path, *changes, zone="UTC", currency=None):
    """What comes of contacts with these changes."""
    path = tmp_path / "contacts.csv"
    path.write_text(text_of(*changes), "utf-8")
    return read_files("contacts", [path], zone=zone, currency=currency)


def events_of(found, kind):
    """The events of a kind, by row."""
    return [event for one in found.outcomes for event in one.read.events if event.kind == kind]


def at(reported, answered):
    return {"Issue_reported at": reported, "issue_responded": answered}


def test_month_before_day_is_noticed_by_one_day_above_twelve(tmp_path):
    days = ("8/1/2023 11:13", "8/5/2023 11:13", "8/13/2023 11:13", "8/25/2023 11:13")

    met = read(tmp_path, *(at(day, day) for day in days)).met

    assert met.other_order == [("contacts.csv", "Issue_reported at", 2), ("contacts.csv", "issue_responded", 2)]


def test_bad_month_among_days_that_prove_the_order_is_a_bad_row(tmp_path):
    met = read(tmp_path, at("25/08/2023 11:13", ""), at("8/25/2023 11:13", "")).met

    assert (met.other_order, met.rejected_by_reason) == ([], {"unreadable_value": 1})


@pytest.mark.parametrize(
    ("price", "amount"),
    [
        ("1,299.00", 129900),
        ("¥299", 29900),
        ("￥299", 29900),
        ("299元", 29900),
        ("CNY 299", 29900),
        ("1299,00", None),
        ("-50", None),
        ("NULL", None),
        ("cheap", None),
        ("$299", None),
    ],
)
def test_price_is_read_in_its_spelling_or_missing_and_costs_no_row(tmp_path, price, amount):
    found = read(tmp_path, {"Item_price": price}, currency="CNY")

    (opened,) = events_of(found, "conversation_opened")
    assert (opened.amount_minor, opened.currency) == (amount, None if amount is None else "CNY")
    assert dict(found.met.odd) == ({} if amount is not None or price == "NULL" else {"Item_price": 1})
    assert len(events_of(found, "rated")) == 1


def test_amount_has_the_decimals_of_its_currency(tmp_path):
    yen = read(tmp_path, {"Item_price": "1,299"}, currency="JPY")
    dinar = read(tmp_path, {"Item_price": "1.2345"}, currency="KWD")

    amounts = [events_of(found, "conversation_opened")[0].amount_minor for found in (yen, dinar)]
    assert amounts == [1299, 1235]


@pytest.mark.parametrize(
    ("reported", "answered", "found"),
    [
        ("01/08/2023 23:58", "02/08/2023 00:00", ("2023-08-02T00:00:00.000Z", "ms")),
        ("01/08/2023 23:58", "02/08/2023 00:00:30", ("2023-08-02T00:00:30.000Z", "ms")),
        ("02/08/2023 09:00", "02/08/2023 00:00", ("2023-08-02T23:59:59.999Z", "day")),
        ("01/08/2023 15:00", "02/08/2023 00:00", ("2023-08-02T23:59:59.999Z", "day")),
        ("02/08/2023 00:00", "02/08/2023 00:00", ("2023-08-02T00:00:00.000Z", "ms")),
    ],
)
def test_answer_at_midnight_is_one_where_it_follows_its_question(tmp_path, reported, answered, found):
    (answer,) = events_of(read(tmp_path, at(reported, answered)), "agent_message")

    assert (format_instant(answer.occurred_at), answer.precision) == found


def test_midnight_is_that_of_the_shop_s_zone(tmp_path):
    found = read(tmp_path, at("01/08/2023 15:00", "02/08/2023 00:00"), zone="Asia/Shanghai")

    (answer,) = events_of(found, "agent_message")
    assert (format_instant(answer.occurred_at), answer.precision) == ("2023-08-02T15:59:59.999Z", "day")


def test_contact_that_was_never_answered_or_has_no_agent_is_taken(tmp_path):
    nobody = {"Agent_name": "No Agent", "Supervisor": "-", "issue_responded": ""}

    found = read(tmp_path, {"issue_responded": "", "CSAT Score": "1"}, nobody)

    assert sum(found.met.taken.values()) == 2
    assert (len(events_of(found, "agent_message")), [event.rating for event in events_of(found, "rated")]) == (
        0,
        [1, 2],
    )
    assert events_of(found, "conversation_opened")[1].agent_id is None


def test_answer_or_rating_before_its_question_is_missing_and_the_contact_stays(tmp_path):
    early = {"issue_responded": "01/08/2023 11:12"}, {"Survey_response_Date": "31-Jul-23"}

    found = read(tmp_path, *early)

    assert dict(found.met.odd) == {"issue_responded": 1, "Survey_response_Date": 1}
    assert len(events_of(found, "conversation_opened")) == 2


def test_overlong_remark_is_cut_and_its_rating_counts(tmp_path):
    (rated,) = events_of(read(tmp_path, {"Customer Remarks": "never came. " * 700, "CSAT Score": "1"}), "rated")

    assert (rated.rating, len(rated.text)) == (1, 8_000)


@pytest.mark.parametrize(
    "name", ["Ann\u00a0Example", "Ann\u3000Example", " ann  example ", "ANN EXAMPLE", "Ann Example\u00ad"]
)
def test_one_agent_is_one_in_every_spelling(tmp_path, name):
    (opened,) = events_of(read(tmp_path, {"Agent_name": name}), "conversation_opened")

    assert opened.agent_id == "ann example"


def test_rating_of_another_scale_is_kept_as_it_was_given(tmp_path):
    scores = ("5.0", "Good", "满意", "4.5", "10", "5/5", "★★★★★", "Offered")

    found = read(tmp_path, *({"CSAT Score": score} for score in scores))

    rated = events_of(found, "rated")
    assert [event.rating for event in rated] == [5, *[None] * 7]
    assert [event.rating_given for event in rated] == [None, *scores[1:]]
    assert dict(found.met.odd) == {"CSAT Score": 7}


def test_rating_without_its_day_is_counted(tmp_path):
    found = read(tmp_path, {"Survey_response_Date": ""})

    assert (events_of(found, "rated"), dict(found.met.odd)) == ([], {"Survey_response_Date": 1})


def test_row_without_id_or_opening_is_rejected_by_its_column(tmp_path):
    found = read(tmp_path, {"Unique id": " "}, {"Issue_reported at": "2023-08-01 11:13"}, {"Issue_reported at": ""})

    assert [(one.read.reason, one.read.column) for one in found.outcomes] == [
        ("missing_value", "Unique id"),
        ("unreadable_value", "Issue_reported at"),
        ("missing_value", "Issue_reported at"),
    ]


def test_of_repeated_ids_the_first_row_counts(tmp_path):
    found = read(tmp_path, {"Unique id": "a"}, {"Unique id": "a", "CSAT Score": "5"})

    assert [one.read.reason for one in found.outcomes] == [None, "duplicate_id"]
    assert [event.rating for event in events_of(found, "rated")] == [2]


def test_counters_of_parts_add_up(tmp_path):
    whole = read(tmp_path, {}, {"Unique id": ""}, {"Item_price": "cheap"}).met
    parts = [
        read(tmp_path, *changes).met
        for changes in ([{}, {"Unique id": ""}], [{"Unique id": "z", "Item_price": "cheap"}])
    ]

    total = merged(part.to_json() for part in parts)

    assert total == whole
    assert merged([]) == Cleaning()


def test_order_of_a_date_is_said_by_a_day_above_twelve_alone():
    forms = ("%d/%m/%Y", "%d-%b-%y")

    days = ("13/8/2023", "8/13/2023", "8/8/2023", "8/9/2023", "13-Aug-23", "soon")

    assert [order_of(day, forms) for day in days] == [DECLARED, OTHER, None, EITHER, DECLARED, None]


def test_order_of_days_and_months_that_nothing_proves_is_said(tmp_path):
    source = load_mapping("contacts")
    early = dict.fromkeys(("Issue_reported at", "issue_responded"), "03/04/2023 10:00")
    unproved = read(tmp_path, early, early | {"Unique id": "b", "Issue_reported at": "05/06/2023 10:00"})
    proved = read(tmp_path, early, early | {"Unique id": "b", "Issue_reported at": "25/06/2023 10:00"})

    assert [one for one in describe(unproved, source) if "swapped" in one and "Issue_reported at" in one]
    assert not [one for one in describe(proved, source) if "swapped" in one and "Issue_reported at" in one]


def test_ids_with_decimals_are_said_where_they_are_kept(tmp_path):
    met = read(tmp_path, {}, {"Unique id": "9001.0"}).met

    assert met.doubtful[-1] == ("Unique id", ZERO_DECIMALS, 1)
    assert "ids such as 9001.0" in said_doubt(*met.doubtful[-1])


def test_line_of_totals_that_the_mapping_leaves_out_is_not_rejected(tmp_path):
    resource = load_mapping("contacts").resource("contacts")
    total = LeftOut((Condition("Agent_name", "is", ["Total"]),), "totals")
    reader = RowReader(resource._replace(left_out=(total,)), resource.fields, given_for(load_mapping("contacts")))
    cells = dict.fromkeys(resource.fields, "")

    assert reader.read_alone(cells | {"Agent_name": "total"}) == ReadRow(left_out="totals")
    assert reader.read_alone(cells) == ReadRow(reason="missing_value", column="Unique id")
