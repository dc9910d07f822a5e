"""Exports into the lake: what becomes an event, what is stored apart, what is corrected, what is refused."""

import json
import subprocess
import sys

import pytest
from pyspark.sql import functions as F

from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import FIELDS
from service_quality.events.parsing import parse_event
from service_quality.instants import format_instant, parse_instant
from spark_jobs import import_events
from spark_jobs.__main__ import run_chain
from spark_jobs.cards.card import read_cards
from spark_jobs.command_line import run_job
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import EVENTS, INSTANTS, REJECTED, read_events
from spark_jobs.session.start import start_session
from spark_jobs.sources.mapping_file import shipped_mappings
from tests.integration.contact_export import HEADER, write_export
from tests.unit.spark_jobs.export_samples import DERIVED, SAMPLES, expected_of, sorted_texts

pytestmark = pytest.mark.spark

OF_CONTACTS = ("--mapping", "contacts", "--time-zone", "UTC")


def run_import(lake, *files, mapping="contacts", zone="UTC", options=()):
    """Import in this process; the summary, or the exit code of a failure."""
    summary = lake.parent / "summary.json"
    summary.unlink(missing_ok=True)
    code = run_job(
        import_events.main,
        [
            *(*map(str, files), "--mapping", mapping, "--shop", "shop", "--lake", str(lake), "--json", str(summary)),
            *(() if zone is None else ("--time-zone", zone)),
            *options,
        ],
    )
    return json.loads(summary.read_text()) if code == 0 else code


def spark_of(lake):
    return start_session("test", str(lake))


def events_in(lake):
    """The lake's events by id, instants as text."""
    rows = read_events(spark_of(lake)).select(
        *(F.unix_millis(name).alias(name) if name in INSTANTS else name for name in (*FIELDS, "source"))
    )
    return {
        row["event_id"]: row.asDict() | {name: format_instant(row[name]) for name in INSTANTS if row[name] is not None}
        for row in rows.collect()
    }


def rejected_in(lake):
    """Line, reason and column of what was stored apart."""
    rows = spark_of(lake).table(REJECTED).orderBy("file", "line").collect()
    return [(row["line"], row["reason"], row["field"]) for row in rows]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A lake with the contacts of one file, and its summary."""
    folder = tmp_path_factory.mktemp("imported")
    export = write_export(
        folder / "contacts+1 ü%41.csv.gz",
        {"Customer Remarks": "two\nlines, a comma"},
        {"Unique id": "c-2", "issue_responded": "01/08/2023 00:00", "Item_price": "", "Order_id": ""},
        {"Unique id": "c-3", "CSAT Score": "", "Survey_response_Date": ""},
    )
    return folder / "lake", run_import(folder / "lake", export)


def test_contact_becomes_three_events(imported):
    lake, summary = imported

    assert (summary["rows_taken"], summary["new_events"], summary["rejected"]) == (3, 8, 0)
    assert set(events_in(lake)) == {
        *("c-1:1-opened", "c-1:2-answered", "c-1:3-rated"),
        *("c-2:1-opened", "c-2:2-answered", "c-2:3-rated"),
        *("c-3:1-opened", "c-3:2-answered"),
    }


def test_opening_carries_the_contact_and_its_agent(imported):
    opened = {name: value for name, value in events_in(imported[0])["c-1:1-opened"].items() if value is not None}

    assert opened == {
        "event_id": "c-1:1-opened",
        "shop_id": "shop",
        "kind": "conversation_opened",
        "occurred_at": "2023-08-01T11:13:00.000Z",
        "received_at": "2023-08-01T11:13:00.000Z",
        "precision": "ms",
        "conversation_id": "c-1",
        "agent_id": "ann example",
        "supervisor_id": "sue example",
        "manager_id": "max example",
        "agent_tenure": ">90",
        "agent_shift": "Morning",
        "category": "Returns",
        "subcategory": "Reverse pickup",
        "product": "Mobile",
        "order_id": "o-1",
        "channel": "Inbound",
        "amount_minor": 9995,
        "source": "contacts:contacts+1 ü%41.csv.gz",
    }


def test_rating_counts_at_the_end_of_its_day(imported):
    rated = events_in(imported[0])["c-1:3-rated"]

    assert (rated["occurred_at"], rated["precision"], rated["rating"]) == ("2023-08-02T23:59:59.999Z", "day", 2)


def test_answer_at_midnight_has_lost_its_time(imported):
    answered = events_in(imported[0])["c-2:2-answered"]

    assert (answered["occurred_at"], answered["precision"]) == ("2023-08-01T23:59:59.999Z", "day")
    assert answered["agent_id"] == "ann example"


def test_remarks_enter_the_rating_only(imported):
    texts = {name: event["text"] for name, event in events_in(imported[0]).items() if event["text"]}

    assert texts == {"c-1:3-rated": "two\nlines, a comma"}


def test_every_event_can_be_parsed(imported):
    for event in events_in(imported[0]).values():
        arrived_at = parse_instant(event["received_at"])
        parsed = parse_event(event, arrived_at=arrived_at)

        given = {name: value for name, value in event.items() if value is not None and name != "source"}
        assert {"precision": "ms"} | event_to_dict(parsed) == given | {"version": 1}


def test_importing_again_changes_nothing(tmp_path):
    export = write_export(tmp_path / "a.csv", {}, {"Unique id": "c-2"}, {"Unique id": "", "CSAT Score": "4"})
    lake = tmp_path / "lake"
    run_import(lake, export)
    before = [snapshot_of(spark_of(lake), table) for table in (EVENTS, REJECTED)]

    again = run_import(lake, export)

    assert (again["new_events"], again["new_rejected"], again["rejected"]) == (0, 0, 1)
    assert [snapshot_of(spark_of(lake), table) for table in (EVENTS, REJECTED)] == before


def test_later_file_adds_what_is_new(tmp_path):
    lake = tmp_path / "lake"
    run_import(lake, write_export(tmp_path / "a.csv", {}))

    later = run_import(lake, write_export(tmp_path / "b.csv", {"CSAT Score": "5"}, {"Unique id": "c-2"}))

    assert later["new_events"] == 3
    assert events_in(lake)["c-1:3-rated"]["rating"] == 2


def test_rows_that_cannot_be_read_are_stored_with_line_and_reason(tmp_path):
    bad = [
        ({"Issue_reported at": "2023-08-01 11:13"}, "unreadable_value", "Issue_reported at"),
        ({"Issue_reported at": "31/02/2023 11:13"}, "unreadable_value", "Issue_reported at"),
        ({"Issue_reported at": "01/08/1999 11:13"}, "unreadable_value", "Issue_reported at"),
        ({"Issue_reported at": "01/08/2099 11:13"}, "unreadable_value", "Issue_reported at"),
        ({"Issue_reported at": ""}, "missing_value", "Issue_reported at"),
        ({"Unique id": " "}, "missing_value", "Unique id"),
        ({"Unique id": "x" * 129}, "out_of_range", "Unique id"),
        ({"Unique id": "1.2E+11"}, "unreadable_value", "Unique id"),
        ({"Unique id": "c-1", "CSAT Score": "5"}, "duplicate_id", "Unique id"),
    ]
    rows = [{}, *({"Unique id": f"bad-{place}"} | change for place, (change, _, _) in enumerate(bad))]
    lake = tmp_path / "lake"

    summary = run_import(lake, write_export(tmp_path / "a.csv", *rows), options=["--rejected-at-most", "1"])

    assert rejected_in(lake) == [(line, reason, field) for line, (_, reason, field) in enumerate(bad, 3)]
    assert (summary["rows_taken"], summary["new_events"], summary["rejected"]) == (1, 3, len(bad))
    assert sum(summary["rejected_by_reason"].values()) == len(bad)
    assert summary["rejected_by_reason"]["unreadable_value"] == 5


BAD_DAY = {"Unique id": "bad", "Issue_reported at": "32/08/2023 11:13"}
BAD_TIME = {"Unique id": "bad", "Issue_reported at": ""}


def test_optional_value_costs_no_row_and_is_counted(tmp_path):
    lake = tmp_path / "lake"
    changes = [
        {"Item_price": "-1"},
        {"Item_price": "cheap"},
        {"Item_price": "99999999999"},
        {"Tenure Bucket": "x" * 300},
        {"Survey_response_Date": ""},
        {"CSAT Score": ""},
        {"Customer Remarks": "it never came. " * 560},
    ]

    summary = run_import(
        lake,
        write_export(tmp_path / "a.csv", *({"Unique id": f"c-{place}"} | one for place, one in enumerate(changes))),
    )

    assert (summary["rows_taken"], summary["rejected"]) == (len(changes), 0)
    assert summary["odd_cells"] == {"Item_price": 3, "Survey_response_Date": 1, "Tenure Bucket": 1}
    found = events_in(lake)
    assert [found[f"c-{place}:1-opened"]["amount_minor"] for place in range(4)] == [None, None, None, 9995]
    assert [place for place in range(len(changes)) if f"c-{place}:3-rated" not in found] == [4, 5]
    assert len(found["c-6:3-rated"]["text"]) == 8_000


def test_contact_that_was_never_answered_or_has_no_agent_is_taken(tmp_path):
    lake, nobody = tmp_path / "lake", {"Agent_name": "No Agent", "Supervisor": "-"}
    unanswered = {"issue_responded": "", "CSAT Score": "1"}
    rows = [unanswered, {"Unique id": "c-2"} | unanswered | nobody, {"Unique id": "c-3"} | nobody]

    summary = run_import(lake, write_export(tmp_path / "a.csv", *rows))

    assert (summary["rows_taken"], summary["rejected"], summary["odd_cells"]) == (3, 0, {})
    found = events_in(lake)
    assert sorted(found) == [
        *("c-1:1-opened", "c-1:3-rated", "c-2:1-opened", "c-2:3-rated"),
        *("c-3:1-opened", "c-3:2-answered", "c-3:3-rated"),
    ]
    assert (found["c-1:3-rated"]["rating"], found["c-1:1-opened"]["agent_id"]) == (1, "ann example")
    assert {found[name]["agent_id"] for name in found if not name.startswith("c-1")} == {None}


def test_ratings_of_another_scale_are_kept_as_they_were_given(tmp_path):
    lake, scores = tmp_path / "lake", ("5.0", "Good", "满意", "4.5", "10", "5/5", "★★★★★", "Offered")
    rows = [{"Unique id": f"c-{place}", "CSAT Score": score} for place, score in enumerate(scores)]

    summary = run_import(lake, write_export(tmp_path / "a.csv", *rows))

    found = events_in(lake)
    rated = [found[f"c-{place}:3-rated"] for place in range(len(scores))]
    assert (summary["rejected"], summary["odd_cells"]) == (0, {"CSAT Score": 7})
    assert [event["rating"] for event in rated] == [5, *[None] * 7]
    assert [event["rating_given"] for event in rated] == [None, *scores[1:]]


def test_one_agent_is_one_in_every_spelling(tmp_path):
    lake, names = tmp_path / "lake", ("cy", "cy\u00a0", "Cy", "\u3000CY ")
    rows = [{"Unique id": f"c-{place}", "Agent_name": name} for place, name in enumerate(names)]

    run_import(lake, write_export(tmp_path / "a.csv", *rows))

    assert {event["agent_id"] for event in events_in(lake).values()} == {"cy", None}


def test_file_of_the_same_name_with_new_content_keeps_its_own_rejected_rows(tmp_path):
    lake, export = tmp_path / "lake", tmp_path / "contacts.csv"
    run_import(lake, write_export(export, {}, BAD_DAY))

    second = run_import(lake, write_export(export, {"Unique id": "c-2"}, BAD_TIME))
    again = run_import(lake, export)

    assert (second["new_rejected"], again["new_rejected"]) == (1, 0)
    assert sorted(rejected_in(lake)) == [
        (3, "missing_value", "Issue_reported at"),
        (3, "unreadable_value", "Issue_reported at"),
    ]


def test_same_content_under_another_name_or_packed_is_not_stored_twice(tmp_path):
    lake, rows = tmp_path / "lake", ({"Unique id": "c-1"}, BAD_DAY, BAD_TIME, {"Unique id": "c-2"})
    first = run_import(lake, write_export(tmp_path / "a.csv", *rows))

    others = [run_import(lake, write_export(tmp_path / name, *rows)) for name in ("b.csv", "c.csv.gz")]

    assert first["new_rejected"] == 2
    assert [(other["new_rejected"], other["rejected"], other["new_events"]) for other in others] == [(0, 2, 0)] * 2


def test_copies_in_one_import_keep_each_line_once(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_export(tmp_path / name, {}, BAD_DAY, {"Unique id": "c-2"}, BAD_TIME)

    summary = run_import(tmp_path / "lake", tmp_path / "*.csv")

    assert summary["rejected_by_reason"] == {"duplicate_id": 2, "missing_value": 2, "unreadable_value": 2}
    assert sorted(line for line, _, _ in rejected_in(tmp_path / "lake")) == [2, 3, 4, 5]


def refusal_of(tmp_path, capsys, *files, options=()):
    """The output of a refused import; it writes no event and no summary."""
    lake = tmp_path / "lake"
    assert run_import(lake, *files, options=options) == 3
    (said,) = capsys.readouterr().err.splitlines()
    assert snapshot_of(spark_of(lake), EVENTS) is None
    assert not (tmp_path / "summary.json").exists()
    return said


def test_import_of_which_nothing_can_be_read_fails_and_keeps_what_was_rejected(tmp_path, capsys):
    iso = {"Issue_reported at": "2023-08-01 11:13:00"}
    export = write_export(tmp_path / "a.csv", *({"Unique id": f"c-{n}"} | iso for n in range(3)))

    said = refusal_of(tmp_path, capsys, export)

    assert "a.csv: found 3 of 3 rows rejected, most of them as unreadable_value in Issue_reported at" in said
    assert f"expected at most 50%; what was rejected is in {REJECTED}" in said
    assert len(rejected_in(tmp_path / "lake")) == 3
    assert "found 3 of 3 rows rejected" in refusal_of(tmp_path, capsys, export, options=["--rejected-at-most", "1"])
    assert len(rejected_in(tmp_path / "lake")) == 3


def test_file_in_another_encoding_is_refused_once(tmp_path, capsys):
    write_export(tmp_path / "utf8.csv", {"category": "退货"}, {"Unique id": "c-2", "category": "物流"})
    (tmp_path / "gbk.csv").write_bytes((tmp_path / "utf8.csv").read_text("utf-8").encode("gbk"))

    assert "2 of 2 rows rejected, most of them as other_encoding;" in refusal_of(tmp_path, capsys, tmp_path / "gbk.csv")
    read = run_import(tmp_path / "lake", tmp_path / "gbk.csv", options=["--encoding", "gb18030"])
    assert read["rows_taken"] == 2


def test_import_fails_below_the_declared_share_and_not_at_it(tmp_path, capsys):
    export = write_export(tmp_path / "a.csv", {}, BAD_DAY, BAD_TIME, {"Unique id": "c-2"})

    assert "found 2 of 4 rows rejected, most of them as" in refusal_of(
        tmp_path, capsys, export, options=["--rejected-at-most", "0.49"]
    )
    for _ in range(2):
        assert run_import(tmp_path / "lake", export, options=["--rejected-at-most", "0.5"])["rows_taken"] == 2


def test_one_file_that_cannot_be_read_among_good_ones_is_named(tmp_path, capsys):
    write_export(tmp_path / "a.csv", *({"Unique id": f"c-{n}"} for n in range(9)))
    write_export(tmp_path / "b.csv", BAD_DAY)

    said = refusal_of(tmp_path, capsys, tmp_path / "*.csv")

    assert "b.csv: found 1 of 1 rows rejected" in said


def test_header_alone_is_nothing_read_unless_another_file_has_rows(tmp_path, capsys):
    header = write_export(tmp_path / "a.csv")

    assert "found no row below the columns' names" in refusal_of(tmp_path, capsys, header)
    assert run_import(tmp_path / "lake", header, write_export(tmp_path / "b.csv", {}))["rows_taken"] == 1


def test_contact_that_is_repeated_was_read(tmp_path):
    summary = run_import(tmp_path / "lake", write_export(tmp_path / "a.csv", {}, {}, {}, {}))

    assert (summary["rows_taken"], summary["rejected_by_reason"]) == (1, {"duplicate_id": 3})


def test_refused_import_stops_the_jobs_behind_it(tmp_path, capsys):
    export = write_export(tmp_path / "a.csv", BAD_DAY)
    lake = ["--lake", str(tmp_path / "lake")]

    code = run_chain(
        ["import_events", str(export), *OF_CONTACTS, "--shop", "s", *lake, "then", "build_training_set", *lake]
    )

    assert code == 3
    assert capsys.readouterr().err.startswith("import_events: ")


def test_times_are_of_the_zone_that_is_named(tmp_path):
    lake = tmp_path / "lake"

    run_import(lake, write_export(tmp_path / "a.csv", {}), zone="Asia/Shanghai")

    assert {name[4:]: event["occurred_at"] for name, event in events_in(lake).items()} == {
        "1-opened": "2023-08-01T03:13:00.000Z",
        "2-answered": "2023-08-01T03:47:00.000Z",
        "3-rated": "2023-08-02T15:59:59.999Z",
    }


def test_pattern_names_several_files(tmp_path):
    write_export(tmp_path / "a.csv", {})
    write_export(tmp_path / "b.csv", {"Unique id": "c-2"})

    assert run_import(tmp_path / "lake", tmp_path / "*.csv")["rows_taken"] == 2


def test_file_whose_name_reads_as_a_pattern_is_taken_literally(tmp_path):
    write_export(tmp_path / "contacts 1.csv", {}, {"Unique id": "c-2"})
    named = write_export(tmp_path / "contacts [1] {a} *.csv", {"Unique id": "c-3"})

    assert run_import(tmp_path / "lake", named)["rows_taken"] == 1


def test_file_with_missing_columns_is_refused_with_found_and_expected(tmp_path, capsys):
    export = write_export(tmp_path / "a.csv", {}, header=[name for name in HEADER if name != "Unique id"])

    assert run_import(tmp_path / "lake", export) == 3

    said = capsys.readouterr().err
    assert "a.csv" in said
    assert "found channel_name, category" in said
    assert "missing Unique id" in said
    assert snapshot_of(spark_of(tmp_path / "lake"), EVENTS) is None


def test_empty_file_among_good_ones_is_named(tmp_path, capsys):
    write_export(tmp_path / "a b.csv", {})
    (tmp_path / "c d.csv").write_bytes(b"")

    assert run_import(tmp_path / "lake", tmp_path / "*.csv") == 3

    said = capsys.readouterr().err
    assert "c d.csv" in said
    assert "a b.csv" not in said


@pytest.mark.parametrize("content", [b"", b"\n", b"\x1f\x8b broken"])
def test_file_that_is_no_export_is_refused(tmp_path, content, capsys):
    (tmp_path / "a.csv").write_bytes(content)

    assert run_import(tmp_path / "lake", tmp_path / "a.csv") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_broken_gzip_is_refused(tmp_path, capsys):
    whole = write_export(tmp_path / "a.csv.gz", *({"Unique id": f"c-{n}"} for n in range(500))).read_bytes()
    (tmp_path / "b.csv.gz").write_bytes(whole[: len(whole) // 2])

    assert run_import(tmp_path / "lake", tmp_path / "b.csv.gz") == 3
    assert "b.csv.gz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing.csv", "--shop", "shop", *OF_CONTACTS], 4, "nothing.csv"),
        (["nothing.csv", *OF_CONTACTS], 2, "found no --shop"),
        (["nothing.csv", "--shop", "shop", "--mapping", "contact"], 4, "did you mean contacts?"),
        (["nothing.csv", "--shop", "shop", "--mapping", "contacts"], 2, "--time-zone ZONE (times of Issue_reported at"),
        (["nothing.csv", "--shop", "shop", "--mapping", "chinese_reviews"], 2, "--given occurred_at=VALUE"),
        (["nothing.csv", "--shop", "shop", *OF_CONTACTS, "--given", "day=1"], 2, "found --given day"),
        (["nothing.csv", "--shop", "shop", "--time-zone", "Mars/Base"], 2, "expected a time zone"),
        (["nothing.csv", "--shop", "shop", "--currency", "yuan"], 2, "expected three capital letters"),
        (
            ["nothing.csv", "--shop", "shop", "--rejected-at-most", "nan"],
            2,
            "found 'nan', expected a share from 0 to 1",
        ),
    ],
)
def test_command_says_in_one_line_what_is_wrong(tmp_path, arguments, code, said):
    command = [sys.executable, "-m", "spark_jobs", "import_events", *arguments, "--lake", str(tmp_path / "lake")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    lines = [line for line in done.stderr.splitlines() if not line.startswith("WARNING: Using incubator modules")]
    assert (done.returncode, len(lines)) == (code, 1), done.stderr
    assert said in lines[0]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A lake for each sample, and the summary of its import."""
    folder = tmp_path_factory.mktemp("samples")
    found = {}
    for name in shipped_mappings():
        said = expected_of(name)["arguments"]
        options = [word for given in said["given"].items() for word in ("--given", "=".join(given))]
        options += ["--currency", said["currency"]] if said["currency"] else []
        files = [
            path for path in (SAMPLES / name).iterdir() if path.name != "expected.json" and "gb18030" not in path.name
        ]
        lake = folder / name / "lake"
        lake.parent.mkdir()
        found[name] = lake, run_import(lake, *files, mapping=name, zone=said["time_zone"], options=options)
        for packed in (SAMPLES / name).glob("*gb18030*"):
            run_import(lake, packed, mapping=name, zone=said["time_zone"], options=[*options, "--encoding", "gb18030"])
    return found


@pytest.mark.parametrize("name", shipped_mappings())
def test_sample_gives_on_spark_what_its_reader_reads(samples, name):
    lake, summary = samples[name]
    expected = expected_of(name)
    made = ("conversation_id",) if name == "chinese_reviews" else ()  # the file names no conversation

    events = [
        {key: value for key, value in event.items() if value is not None and key not in ("source", "precision")}
        | ({"precision": "day"} if event["precision"] == "day" else {})
        for event in events_in(lake).values()
    ]

    assert sorted_texts(without(event, *made) for event in events) == sorted_texts(expected["events"])
    assert summary["rejected"] == len(expected["rejected_rows"])
    assert sum(summary["odd_cells"].values()) == len(expected["odd_values"])


def test_rows_in_a_second_encoding_are_counted_by_file(samples):
    _, summary = samples["freshdesk"]
    files = {one["name"]: one for one in summary["cleaning"]["files"]}

    rows = files["tickets.csv"]["rows"]
    assert files["tickets.csv"]["encodings"] == {"utf-8": rows - 1, "windows-1252": 1}
    assert list(files["tickets_other_account.csv"]["encodings"]) == ["utf-8"]


def without(event, *names):
    """An event as a sample describes it."""
    return {name: value for name, value in event.items() if name not in (*DERIVED, *names)}


def test_later_export_is_counted_or_corrects_what_the_lake_has(tmp_path, capsys):
    lake = tmp_path / "lake"
    run_import(lake, write_export(tmp_path / "first.csv", {"CSAT Score": "5"}, {"Unique id": "c-2"}))
    changed = {"CSAT Score": "1", "issue_responded": "01/08/2023 11:58", "category": "Refunds"}
    later = write_export(tmp_path / "later.csv", changed, {"Unique id": "c-2"})

    counted = run_import(lake, later)

    assert (counted["differing_events"], counted["corrected_events"], counted["new_events"]) == (3, 0, 0)
    said = (
        "3 events differ from the lake's in category, occurred_at, rating, the first at later.csv:2, left as they were"
    )
    assert said in capsys.readouterr().out
    assert counted["differing_fields"] == ["category", "occurred_at", "rating"]
    assert counted["differing_places"] == ["later.csv:2"]
    assert events_in(lake)["c-1:3-rated"]["rating"] == 5

    corrected = run_import(lake, later, options=["--later-export", "correct"])

    assert (corrected["differing_events"], corrected["corrected_events"], corrected["new_events"]) == (3, 3, 0)
    found = events_in(lake)
    assert (found["c-1:3-rated"]["rating"], found["c-1:1-opened"]["category"]) == (1, "Refunds")
    assert found["c-1:2-answered"]["occurred_at"] == "2023-08-01T11:58:00.000Z"
    assert run_import(lake, later)["differing_events"] == 0


def test_times_in_the_other_order_of_day_and_month_refuse_the_file(tmp_path, capsys):
    days = ("8/1/2023 11:13", "8/5/2023 11:13", "8/12/2023 11:13", "8/25/2023 11:13")
    rows = [{"Unique id": f"c-{n}", "Issue_reported at": day, "issue_responded": ""} for n, day in enumerate(days)]

    said = refusal_of(tmp_path, capsys, write_export(tmp_path / "a.csv", *rows))

    assert "a.csv: found 1 times in Issue_reported at that read in the other order of day and month alone" in said
    assert events_count(tmp_path / "lake") == 0


def events_count(lake):
    """The number of events of a lake, which may have no table of them."""
    return 0 if snapshot_of(spark_of(lake), EVENTS) is None else read_events(spark_of(lake)).count()


def test_card_shows_the_import_also_where_nothing_is_imported(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SERVICE_QUALITY_RUNS", str(tmp_path / "runs"))
    first = write_export(tmp_path / "a.csv", {}, {"Unique id": "c-2"}, {"Unique id": ""})

    summary = run_import(tmp_path / "lake", first)
    refusal_of(tmp_path / "other", capsys, write_export(tmp_path / "b.csv", BAD_DAY))

    assert summary["cleaning"]["days"] == [["2023-08-01", 4], ["2023-08-02", 2]]
    assert [one["lines"] for one in summary["cleaning"]["rejected"]] == [[4]]
    assert summary["cleaning"]["heaviest"][0] == {"field": "conversation_id", "share": 0.5}
    failed, done = read_cards(tmp_path / "runs", now=0)
    assert (done.state, done.counts["new_events"], done.inputs[0]["name"]) == ("done", 6, "a.csv")
    assert (failed.state, (failed.error or {})["exit_code"]) == ("failed", 3)
    pages = [(tmp_path / "runs" / one.id / "card.html").read_text("utf-8") for one in (done, failed)]
    assert "必需的值为空" in pages[0]
    assert "Ann" not in pages[0]
    assert "b.csv: found 1 of 1 rows rejected" in pages[1]
    assert "必需的值无法读取" in pages[1]


def test_events_that_repeat_or_contradict_one_within_the_files_are_counted(tmp_path):
    header = "event_time,event_type,product_id,category_code,price,user_id"
    view = "2019-10-01 00:00:00 UTC,view,7,toys.kite,1.00,u1"
    (tmp_path / "a.csv").write_text("\n".join([header, view, view, view.replace("view", "cart")]), "utf-8")

    summary = run_import(tmp_path / "lake", tmp_path / "a.csv", mapping="rees46", zone=None)

    assert (summary["new_events"], summary["repeated_events"], summary["conflicting_events"]) == (2, 1, 0)
