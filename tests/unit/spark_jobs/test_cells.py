"""Cells: read as they are declared, or not at all."""

from decimal import Decimal

import pytest

from service_quality.instants import format_instant, parse_instant
from spark_jobs.sources.cells import (
    Context,
    OddCellError,
    read_duration,
    read_instant,
    read_integer,
    read_number,
    read_text,
    swapped,
)
from spark_jobs.sources.mapping import Field

UNTIL = parse_instant("2026-11-01T00:00:00Z")
SHANGHAI = Context("Asia/Shanghai", "CNY", UNTIL)
TEXT = Field("id", "string", ("id",), missing=frozenset({"", "NULL"}))


def number(text, *, currency="CNY", **spelling):
    return read_number(text, Field("price", "number", ("price",), **spelling), Context(None, currency, UNTIL))


def instant(text, *formats, kind="datetime", context=SHANGHAI, zone=None):
    found = read_instant(text, Field("at", kind, ("at",), formats=formats, zone=zone), context)
    return None if found is None else (format_instant(found.at), found.is_day)


@pytest.mark.parametrize(
    ("text", "spelling", "value"),
    [
        ("1299.00", {}, "1299.00"),
        ("1,299.00", {"group": ","}, "1299.00"),
        ("1.299,00", {"group": ".", "decimal": ","}, "1299.00"),
        ("1299,00", {"decimal": ","}, "1299.00"),
        ("12 345", {"group": " "}, "12345"),
        ("12\u00a0345", {"group": " "}, "12345"),
        ("¥299", {"is_bare": False}, "299"),
        ("￥ 299", {"is_bare": False}, "299"),
        ("299元", {"is_bare": False}, "299"),
        ("CNY 299", {"is_bare": False}, "299"),
        ("-50", {}, "-50"),
        ('="7.5"', {}, "7.5"),
    ],
)
def test_number_is_read_in_its_declared_spelling(text, spelling, value):
    assert number(text, **spelling) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1299,00", {"group": ","}),
        ("1,29.00", {"group": ","}),
        ("1,299.00", {}),
        ("1.299,00", {}),
        ("¥299", {}),
        ("$299", {"is_bare": False}),
        ("EUR 299", {"is_bare": False}),
        ("about 300", {"is_bare": False}),
        ("1e3", {}),
        ("٣", {}),
        ("--5", {}),
        ("5.", {}),
    ],
)
def test_number_in_another_spelling_is_odd_and_never_misread(text, spelling):
    with pytest.raises(OddCellError):
        number(text, **spelling)


def test_sign_of_a_currency_counts_for_any_where_none_is_said():
    assert number("$299", is_bare=False, currency=None) == 299


@pytest.mark.parametrize(
    ("text", "value"),
    [("a1", "a1"), (" a1 ", "a1"), ('="007"', "007"), ("'007", "007"), ("NULL", None), ("", None), ("\ufeffa", "a")],
)
def test_text_comes_without_the_guards_of_spreadsheets(text, value):
    assert read_text(text, TEXT) == value


def test_id_that_became_a_power_of_ten_is_odd():
    for text in ("1.23E+11", "1,23E+11", "4e+15"):
        with pytest.raises(OddCellError):
            read_text(text, TEXT)


def test_whole_number_may_have_zeros_behind_its_point():
    field = Field("id", "integer", ("id",))

    assert [read_integer(text, field) for text in ("17850.0", "-2", "")] == [17850, -2, None]
    with pytest.raises(OddCellError):
        read_integer("17850.5", field)


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("01/08/2023 11:13", "%d/%m/%Y %H:%M", ("2023-08-01T03:13:00.000Z", False)),
        ("1/8/2023 9:05", "%d/%m/%Y %H:%M", ("2023-08-01T01:05:00.000Z", False)),
        ("2024-09-23 06:04:10.250000", "default", ("2024-09-22T22:04:10.250Z", False)),
        ("2026-01-26T07:47", "default", ("2026-01-25T23:47:00.000Z", False)),
        ("2026-01-26T07:47:00Z", "default", ("2026-01-26T07:47:00.000Z", False)),
        ("2026-01-26T07:47:00+02:00", "default", ("2026-01-26T05:47:00.000Z", False)),
        ("2026-01-26", "default", ("2026-01-26T15:59:59.999Z", True)),
        ("02-Aug-23", "%d-%b-%y", ("2023-08-02T15:59:59.999Z", True)),
        ("2020-10-29 00:26:06 UTC", "%Y-%m-%d %H:%M:%S %Z", ("2020-10-29T00:26:06.000Z", False)),
        ("1603930000", "epoch_s", ("2020-10-29T00:06:40.000Z", False)),
        ("1603930000123", "epoch_ms", ("2020-10-29T00:06:40.123Z", False)),
    ],
)
def test_instant_is_read_by_its_pattern_in_its_zone(text, form, found):
    assert instant(text, form) == found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("8/25/2023 11:13", "%d/%m/%Y %H:%M"),
        ("31/02/2023 11:13", "%d/%m/%Y %H:%M"),
        ("01/08/23 11:13", "%d/%m/%Y %H:%M"),
        ("0000-00-00 00:00:00", "%Y-%m-%d %H:%M:%S"),
        ("2020-10-29 00:26:06 CST", "%Y-%m-%d %H:%M:%S %Z"),
        ("1603930000", "epoch_ms"),
        ("1603930000123", "epoch_s"),
        ("01/08/1999 11:13", "%d/%m/%Y %H:%M"),
        ("01/08/2031 11:13", "%d/%m/%Y %H:%M"),
        ("not recorded", "default"),
    ],
)
def test_time_of_another_pattern_unit_or_age_is_odd(text, form):
    with pytest.raises(OddCellError):
        instant(text, form)


def test_the_column_s_zone_counts_before_the_one_that_is_said():
    assert instant("2024-05-06 08:15:00", "default", zone="UTC") == ("2024-05-06T08:15:00.000Z", False)


def test_day_has_the_length_that_its_zone_gives_it():
    berlin = Context("Europe/Berlin", None, UNTIL)

    assert instant("2025-10-26", "default", kind="date", context=berlin) == ("2025-10-26T22:59:59.999Z", True)


@pytest.mark.parametrize(
    ("text", "formats", "hours"),
    [("26:30:00", ("clock", "h"), 26.5), ("1.5", ("clock", "h"), 1.5), ("90", ("min",), 1.5), ("", ("h",), None)],
)
def test_duration_is_read_by_the_first_form_that_fits(text, formats, hours):
    found = read_duration(text, Field("took", "duration", ("took",), formats=formats))

    assert found == (None if hours is None else hours * 3_600_000)


def test_duration_below_zero_is_odd():
    with pytest.raises(OddCellError):
        read_duration("-1.5", Field("took", "duration", ("took",), formats=("h",)))


def test_order_of_day_and_month_can_be_mistaken_in_digits_alone():
    assert (swapped("%m/%d/%Y"), swapped("%Y-%m-%d"), swapped("%d %B %Y")) == ("%d/%m/%Y", None, None)
