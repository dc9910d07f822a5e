"""Exports of help desks as they come: several files of a kind, parts of every type, what staff and bots begin."""

import pytest

from service_quality.instants import format_instant
from spark_jobs import import_events
from spark_jobs.errors import InputError
from spark_jobs.sources.beginnings import describe
from spark_jobs.sources.headers import Overrides, find_header
from spark_jobs.sources.mapping_file import load_mapping
from tests.unit.spark_jobs.export_samples import read_files

TICKETS = "id,created_at,updated_at,requester_id,assignee_id,status,via_channel,description,merged_ticket_ids"
CONVERSATIONS = (
    "id,updated_at,created_at,assignee_id,assignee_type,source_author_id,source_author_type,source_type,source_body"
)
PARTS = "id,conversation_id,created_at,part_type,author_type,author_id,assigned_to_type,assigned_to_id,body"
FRESHDESK = (
    "Ticket ID,Created time,Initial response time,First Response Time (in Hrs),Resolution time (in hrs),"
    "Agent,Type,Survey results"
)


def read(tmp_path, mapping, files, **said):
    """What comes of files of a header and rows each."""
    paths = []
    for name, lines in files.items():
        paths.append(tmp_path / name)
        paths[-1].write_text("\n".join([*lines, ""]), "utf-8")
    return read_files(mapping, paths, **said)


def events_of(beginning):
    """Each event by its id: kind, agent, customer."""
    events = (event for one in beginning.outcomes for event in one.read.events)
    return {one.event_id: (one.kind, one.agent_id, one.customer_id) for one in events}


def test_of_a_ticket_in_two_files_the_one_that_changed_last_counts(tmp_path):
    march = f"{TICKETS}\n1,2026-03-01 08:00:00,2026-03-01 09:00:00,7,9,open,web,hello,[2]".split("\n")
    april = f"{TICKETS}\n1,2026-03-01 08:00:00,2026-04-01 09:00:00,7,9,solved,web,hello,[2]".split("\n")

    for files in ({"a.csv": march, "b.csv": april}, {"a.csv": april, "b.csv": march}):
        found = read(tmp_path, "zendesk_tickets", files)
        assert set(events_of(found)) == {"ticket-1:opened", "ticket-1:resolved"}
        assert (dict(found.met.left_out), found.met.rejected_by_reason) == ({"older_version": 1}, {})


def test_row_that_is_only_joined_to_others_is_counted_where_it_is_rejected(tmp_path):
    users = ["id,role,name", "1,agent,A", "1,agent,A", ",agent,B", "2,end-user,C"]

    met = read(tmp_path, "zendesk_tickets", {"users.csv": users}).met

    assert met.rejected_by_reason == {"duplicate_id": 1, "missing_value": 1}
    assert (dict(met.rows), dict(met.joined)) == ({"users.csv": 2}, {"users.csv": 2})


def test_kind_of_file_that_is_missing_beside_another_is_named(tmp_path):
    comments = ["id,ticket_id,author_id,created_at,public,body", "1,7,9,2026-03-01 08:00:00,true,hello"]
    source = load_mapping("zendesk_tickets")

    alone = describe(read(tmp_path, "zendesk_tickets", {"c.csv": comments}), source)
    whole = describe(
        read(
            tmp_path,
            "zendesk_tickets",
            {
                "c.csv": comments,
                "t.csv": [TICKETS, "7,2026-03-01 08:00:00,,1,,open,web,x,"],
                "u.csv": ["id,role", "9,agent"],
            },
        ),
        source,
    )

    assert [line for line in alone if "no such file" in line] == [
        "c.csv: joined to users, tickets, and no such file beside it"
    ]
    assert "no such file" not in "".join(whole)


@pytest.mark.parametrize(
    ("mapping", "lines", "said"),
    [
        ("zendesk_tickets", ["id,role", "1,agent", "2,end-user"], "rows that are only joined to others, in users.csv"),
        ("zendesk_tickets", [TICKETS, "1,03/01/2026 8:00,,7,9,open,web,hello,"], "1 of 1 rows rejected"),
        ("zendesk_tickets", [TICKETS], "found no row"),
    ],
)
def test_check_ends_as_the_import_would(tmp_path, capsys, mapping, lines, said):
    path = tmp_path / "users.csv"
    path.write_text("\n".join([*lines, ""]), "utf-8")

    with pytest.raises(InputError, match="an import would write nothing: .*" + said):
        import_events.main([str(path), "--mapping", mapping, "--shop", "shop", "--check"])

    assert "events: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (TICKETS.replace("created_at,", ""), "missing created_at"),
        ("id,conversation_id,created_at,part_type", "missing role"),
    ],
)
def test_file_that_lacks_what_its_kind_must_have_is_not_taken_for_another_kind(tmp_path, columns, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, "zendesk_tickets", {"a.csv": [columns, ",".join("1" for _ in columns.split(","))]})


def test_file_of_users_is_one_though_it_has_columns_of_tickets(tmp_path):
    found = read(tmp_path, "zendesk_tickets", {"a.csv": ["id,role,created_at,updated_at", "1,agent,,"]})

    assert found.headers["a.csv"].resource == "users"


def test_conversation_belongs_to_the_one_who_began_it(tmp_path):
    at = "2026-03-01 08:00:00,2026-03-01 08:00:00"
    rows = [
        f"c1,{at},a1,admin,u1,user,chat,hello",
        f"c2,{at},t5,team,u2,lead,chat,hello",
        f"c3,{at},0,nobody_admin,u3,user,chat,hello",
        f"c4,{at},a1,admin,a2,admin,chat,news",
        f"c5,{at},a1,admin,b1,bot,chat,hello",
    ]

    found = events_of(read(tmp_path, "intercom_conversations", {"a.csv": [CONVERSATIONS, *rows]}))

    assert found == {
        "conversation-c1:opened": ("conversation_opened", "a1", "u1"),
        "conversation-c2:opened": ("conversation_opened", None, "u2"),
        "conversation-c3:opened": ("conversation_opened", None, "u3"),
        "conversation-c4:opened": ("agent_message", "a2", None),
        "conversation-c5:opened": ("bot_message", None, None),
    }


def test_parts_of_every_type_are_read(tmp_path):
    at = "c1,2026-03-01 08:00:00"
    rows = [
        f"p1,{at},quick_reply,user,u1,,,yes",
        f"p2,{at},close,admin,a1,,,done",
        f"p3,{at},assignment,admin,a1,admin,a2,please look",
        f"p4,{at},assign_and_reopen,admin,a1,admin,a2,",
        f"p5,{at},note_and_reopen,admin,a1,,,again",
        f"p6,{at},note,bot,b1,,,seen",
        f"p7,{at},snoozed,bot,b1,,,",
        f"p8,{at},participant_added,admin,a1,,,",
    ]

    found = read(tmp_path, "intercom_parts", {"a.csv": [PARTS, *rows]})

    assert events_of(found) == {
        "part-p1": ("customer_message", None, "u1"),
        "part-p2": ("resolved", "a1", None),
        "part-p2:answer": ("agent_message", "a1", None),
        "part-p3": ("assigned", "a2", None),
        "part-p3:answer": ("agent_message", "a1", None),
        "part-p4": ("assigned", "a2", None),
        "part-p4:reopened": ("reopened", None, None),
        "part-p5": ("internal_note", "a1", None),
        "part-p5:reopened": ("reopened", None, None),
        "part-p6": ("internal_note", None, None),
        "part-p7": ("status_changed", None, None),
    }
    assert dict(found.met.left_out) == {"system": 1}


def test_durations_say_when_a_ticket_was_answered_settled_and_rated(tmp_path):
    row = "1,2026-03-01 08:00:00,,0.5,2,Ann,Problem,Satisfied"

    found = read(tmp_path, "freshdesk", {"a.csv": [FRESHDESK, row]}, zone="UTC")

    at = {event.event_id: event.occurred_at for one in found.outcomes for event in one.read.events}
    opened = at["ticket-1:opened"]
    minutes = {name.partition(":")[2]: (instant - opened) // 60_000 for name, instant in at.items()}
    assert minutes == {"opened": 0, "answered": 30, "resolved": 120, "rated": 120}


def test_id_that_a_table_program_wrote_with_decimals_is_the_same_one(tmp_path):
    tickets = [TICKETS, "1,2026-03-01 08:00:00,2026-03-01 09:00:00,7.0,9.0,open,web,hello,"]
    comments = ["id,ticket_id,author_id,created_at,public,body", "5.0,1.0,9.0,2026-03-01 08:10:00,true,hi"]
    users = ["id,role,name", "9,agent,A"]
    files = {"tickets.csv": tickets, "comments.csv": comments, "users.csv": users}

    found = read(tmp_path, "zendesk_tickets", files)

    assert events_of(found) == {
        "ticket-1:opened": ("conversation_opened", "9", "7"),
        "comment-5": ("agent_message", "9", None),
    }
    assert found.met.doubtful == []


def test_instant_with_a_fraction_and_the_name_of_its_zone_is_read(tmp_path):
    part = "p1,41,2026-03-01 08:00:12.123456 UTC,comment,user,u1,,,hello"

    (outcome,) = read(tmp_path, "intercom_parts", {"parts.csv": [PARTS, part]}).outcomes

    assert format_instant(outcome.read.events[0].occurred_at) == "2026-03-01T08:00:12.123Z"


def test_clock_without_seconds_is_no_duration(tmp_path):
    ticket = "1,2026-03-01 08:00:00,,02:15,,Ann,Question,"

    found = read(tmp_path, "freshdesk", {"a.csv": [FRESHDESK, ticket]}, zone="UTC")

    assert dict(found.met.odd) == {"First response time (in hrs)": 1}


def test_text_in_utf_8_is_not_read_as_another_encoding(tmp_path):
    source = load_mapping("freshdesk")
    written = source._replace(resources=tuple(Overrides("windows-1252").applied(one) for one in source.resources))
    head = f"{FRESHDESK}\n1,2026-03-01 08:00:00,,,,Zoë,Question,".encode().split(b"\n")

    with pytest.raises(InputError, match=r"a\.csv: found text in UTF-8, expected WINDOWS-1252; say --encoding utf-8"):
        find_header(head, written, "a.csv")
    assert find_header([line.decode().encode("windows-1252") for line in head], written, "a.csv").resource == "tickets"
