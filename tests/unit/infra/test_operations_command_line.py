"""The operator's command line: what it needs, what it refuses, and where names come from."""

import json
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.operations import command_line, deployment, record_commands, record_options
from infra.operations.command_line import main
from infra.operations.deployment import NEEDED, Names, find_names
from infra.operations.errors import ArgumentsError, NotThereError, OperationsError, UnreadableObjectError
from infra.operations.outcome import Outcome
from infra.operations.rejected_objects import RejectedObjects
from infra.operations.selection import KNOWN, Selection
from model_export.command_line import main as export
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.events.event_forms import event_to_json
from service_quality.events.identifiers import EXPECTED_ID
from service_quality.events.log_records import PARKED, LogRecord, Rejection
from service_quality.events.positions import Position
from service_quality.instants import DAY, parse_instant
from tests.stand_ins.operated_line import BUCKET, OperatedLine
from tests.unit.core.sample_events import NOON, event

OPTIONS = {"event_stream": "events", "state_table": "state", "control_key_secret": "arn"}


def test_names_are_given_or_come_from_the_stack(monkeypatch):
    declared = {"rejected_bucket": "from the stack", "event_stream": "unused", "stream_generation": "3"}
    monkeypatch.setattr(deployment, "read_stack", lambda name: declared if name == "prod" else {})

    found = find_names({**OPTIONS, "stack": "prod"}, needed=NEEDED)

    assert found == Names("from the stack", "events", "state", "arn", stream_generation=3)


def test_missing_names_are_named():
    with pytest.raises(ArgumentsError, match="neither --stack nor --rejected-bucket, --state-table, expected"):
        find_names({**OPTIONS, "state_table": None}, needed=NEEDED)


def test_output_that_the_stack_lacks_is_named(monkeypatch):
    monkeypatch.setattr(deployment, "read_stack", lambda name: {"alerts_table": "t"})

    with pytest.raises(NotThereError, match="no output IdSaltSecretArn of stack old, expected it; or give --id-salt-s"):
        find_names({"stack": "old"}, needed=("alerts_table", "id_salt_secret"))


@pytest.mark.parametrize(
    "argv",
    [
        ["count"],
        ["list"],
        ["put-back"],
        ["put-back", "--reason", "parked", "--since", "2026-11-20", "--stack", "s"],
    ],
)
def test_wrong_arguments_end_with_2_and_one_line(argv, capsys):
    assert main(argv) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith(f"{argv[0]}: found ")


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20T08:00", "2026-13-01"])
def test_text_that_is_no_time_is_refused(text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["count", "--since", text])

    assert ended.value.code == 2
    assert "expected a day such as 2026-11-20" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["count", "list", "put-back"])
@pytest.mark.parametrize("reason", ["nonsense", "", "Parked", "fold-failed"])
def test_text_that_is_no_reason_is_refused(command, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--rejected-bucket", "b", "--reason", reason])

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"argument --reason: found '{reason}', expected one of " in said
    assert all(known in said for known in KNOWN)


def test_reasons_that_are_known_are_those_of_the_architecture_and_three_words():
    text = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text("utf-8")
    (listed,) = re.findall(r"Reasons are stable codes: ([^.]+)\.", text)

    assert set(re.findall(r"`([a-z0-9_]+)`", listed)) | {"parked", "given_up", "unsent"} == KNOWN


@pytest.mark.parametrize("seconds", ["nan", "-5", "0", "inf", "-inf", "1e999", "soon", ""])
def test_patience_that_is_no_time_is_refused(seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["put-back", "--stack", "s", f"--patience={seconds}"])

    assert ended.value.code == 2
    assert f"found '{seconds}', expected a finite number of seconds above 0" in capsys.readouterr().err


def test_patience_is_read():
    assert command_line._parser().parse_args(["put-back", "--patience", "0.5"]).patience == 0.5


def test_day_and_instant_are_read():
    options = command_line._parser().parse_args(["list", "--since", "2026-11-20", "--until", "2026-11-20T08:00:00Z"])

    assert (options.since, options.until) == (
        parse_instant("2026-11-20T00:00:00Z"),
        parse_instant("2026-11-20T08:00:00Z"),
    )


@pytest.mark.parametrize("command", ["count", "list", "put-back"])
@pytest.mark.parametrize("since", ["2026-11-20", "2026-11-21"])
def test_span_that_ends_before_it_begins_is_refused(capsys, command, since):
    assert main([command, "--stack", "s", "--since", since, "--until", "2026-11-20"]) == 2
    assert "found --since at or after --until, expected it before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "status"), [("NoSuchBucket", 4), ("AccessDenied", 4), ("SlowDown", 1), ("InternalError", 1)]
)
def test_refusal_of_aws_is_one_line_with_its_exit_code(monkeypatch, capsys, code, status):
    def refuse(options):
        raise ClientError({"Error": {"Code": code, "Message": "m"}}, "ListObjectsV2")

    monkeypatch.setattr(record_commands, "count", refuse)

    assert main(["count", "--rejected-bucket", "b"]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert code in line
    assert "ListObjectsV2" in line


def test_every_error_has_an_exit_code_of_its_own_that_the_help_explains():
    errors: list[type[OperationsError]] = [OperationsError, *OperationsError.__subclasses__()]

    assert sorted(error.exit_code for error in errors if error is not UnreadableObjectError) == [1, 2, 3, 4, 5, 6]
    assert UnreadableObjectError.exit_code == 1
    assert all(f"\n  {error.exit_code}  " in record_options.EXIT_CODES for error in errors)


def test_exit_code_of_an_outcome_is_that_of_its_first_trouble():
    outcome = Outcome(put=Outcome().put, troubles=[("shop a", NotThereError("x")), ("shop b", ArgumentsError("y"))])

    assert (outcome.exit_code, Outcome().exit_code) == (4, 0)
    assert "shop a: x\nshop b: y" in outcome.summary(is_dry=False)


@pytest.mark.parametrize(
    ("selection", "parked", "given_up", "rejected"),
    [
        (Selection(), True, True, True),
        (Selection(reasons=frozenset({PARKED})), True, False, False),
        (Selection(reasons=frozenset({"given_up"})), False, True, False),
        (Selection(reasons=frozenset({"fold_failed"})), False, False, True),
        (Selection(since=1), False, True, True),
    ],
)
def test_selection_says_what_is_looked_at(selection, parked, given_up, rejected):
    assert (selection.has_parked, selection.has_given_up, bool(selection.rejected_reasons)) == (
        parked,
        given_up,
        rejected,
    )


@pytest.fixture
def line(monkeypatch) -> OperatedLine:
    """A line with a rejected record, on which the commands work."""
    line = OperatedLine()
    data = event_to_json(event("customer_message", 0, event_id="a", text="words of a customer"))
    record = LogRecord(str(Position(1, 7)), data, NOON)
    RejectedStore(line.s3, BUCKET).put([Rejection("shop", record, "fold_failed", "found an event, expected a fold")])
    monkeypatch.setattr(record_commands, "_bucket", lambda options: (RejectedObjects(line.s3, BUCKET), 1))
    monkeypatch.setattr(
        record_commands,
        "_run",
        lambda options, names, selection: line.command(selection=selection, is_dry=options.dry_run),
    )
    monkeypatch.setattr(record_commands, "find_names", lambda given, needed: None)
    return line


def test_count_prints_a_line_for_each_reason_and_shop(line, capsys, tmp_path):
    assert main(["count", "--json", str(tmp_path / "count.json")]) == 0

    assert capsys.readouterr().out == "        1  fold_failed            shop\n        1  in all\n"
    assert json.loads((tmp_path / "count.json").read_text("utf-8")) == [
        {"reason": "fold_failed", "shop_id": "shop", "records": 1}
    ]


def test_list_prints_what_is_known_of_a_record_but_its_content(line, capsys, tmp_path):
    assert main(["list", "--shop", "shop"]) == 0
    assert main(["list", "--shop", "another"]) == 0
    assert main(["list", "--json", str(tmp_path / "list.jsonl")]) == 0

    (printed,) = capsys.readouterr().out.splitlines()
    assert printed.startswith(
        f"fold_failed  shop  {Position(1, 7)}  2023-08-31T12:00:00.000Z  event a  found an event, expected"
    )
    (written,) = (tmp_path / "list.jsonl").read_text("utf-8").splitlines()
    assert (json.loads(written)["position"], json.loads(written)["event_id"]) == (str(Position(1, 7)), "a")
    assert "words" not in printed + written


@pytest.mark.parametrize("command", ["count", "list"])
def test_object_that_nobody_can_read_is_named_and_the_rest_comes_out(line, command, capsys):
    for key in ("parked/aaa/x.jsonl", "rejected/aa/x.jsonl"):
        line.s3.put_object(Bucket=BUCKET, Key=key, Body=b"not json")

    assert main([command]) == 1

    said = capsys.readouterr()
    assert "fold_failed" in said.out
    assert said.err.splitlines() == [
        f"{command}: {key}: found a line that is no rejected record, expected one (JSONDecodeError)"
        for key in ("parked/aaa/x.jsonl", "rejected/aa/x.jsonl")
    ]


def test_put_back_says_what_it_did(line, capsys, tmp_path):
    assert main(["put-back", "--dry-run"]) == 0
    assert main(["put-back", "--json", str(tmp_path / "summary.json")]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "would put back 1 records (fold_failed 1)",
        "put back 1 records (fold_failed 1)",
    ]
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["put_back"] == [{"reason": "fold_failed", "shop_id": "shop", "records": 1}]
    assert line.folded("shop") == ["a"]


def test_put_back_of_a_shop_in_trouble_ends_with_3_and_names_it(line, capsys):
    line.store.troubled = {"shop"}
    line.send(event("customer_message", 0, event_id="b"))
    line.advance()

    assert main(["put-back", "--reason", "parked"]) == 3

    assert "shop shop: found records that fail as before" in capsys.readouterr().out


def test_put_back_says_what_it_did_not_look_at(line, capsys, tmp_path):
    for number, reason in enumerate(("malformed_json", "malformed_json", "unsigned")):
        record = LogRecord(str(Position(1, 8 + number)), b"{", NOON)
        RejectedStore(line.s3, BUCKET).put([Rejection("shop", record, reason, "found 1")])

    assert main(["put-back", "--shop", "shop", "--json", str(tmp_path / "summary.json")]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == [
        "not looked at: 3 (malformed_json 2, unsigned 1); --reason names what is to go back all the same",
        "not looked at: rows of the outbox, since they have no shop and no span of time",
    ]
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert [one["records"] for one in summary["not_looked_at"]] == [2, 1]


def test_put_back_of_a_record_that_is_rejected_again_ends_with_3(line, capsys):
    late = event_to_json(event("customer_message", -400 * DAY, event_id="late", conversation_id="old"))
    line.send(event("customer_message", 0, event_id="b"))
    line.advance()
    record = LogRecord(str(Position(1, 9)), late, NOON)
    RejectedStore(line.s3, BUCKET).put([Rejection("shop", record, "older_than_retention", "found 1")])

    assert main(["put-back", "--reason", "older_than_retention"]) == 3

    assert capsys.readouterr().out.splitlines() == [
        "put back 1 records (older_than_retention 1)",
        "rejected again: 1 of them (older_than_retention 1); they are stored, and count shows them",
        "records put back: found 1 records rejected again, expected 0: they are stored again",
    ]
    assert [one["reason"] for one in line.stored("rejected/")].count("older_than_retention") == 1


@pytest.mark.parametrize(
    ("argv", "usage", "said"),
    [
        (["--versoin"], "usage: python -m infra.operations [-h]", "found '--versoin'"),
        (["--versoin"], "usage: python -m infra.operations [-h]", "the nearest is --version"),
        (["count", "--stack", "x", "--resaon=y"], "usage: python -m infra.operations count", "nearest is --reason"),
        (["alerts", "--shp", "s"], "usage: python -m infra.operations alerts", "the nearest is --shop"),
        (["alerts", "s"], "usage: python -m infra.operations alerts", "found 's', expected no further word"),
    ],
)
def test_mistyped_option_is_refused_with_the_nearest_and_the_usage_of_its_command(argv, usage, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(argv)

    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(usage)
    assert said in printed


@pytest.mark.parametrize("command", ["count", "list", "put-back", "rebuild", "settings", "alerts", "mail"])
def test_text_that_can_name_no_shop_is_refused(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--stack", "s", "--shop", ""])

    assert ended.value.code == 2
    said = f"argument --shop: found '', expected a shop's id of {EXPECTED_ID}"
    assert said in capsys.readouterr().err


def test_value_that_is_too_long_is_not_echoed_whole(capsys):
    with pytest.raises(SystemExit):
        main(["count", "--since", "x" * 5000])

    printed = capsys.readouterr().err
    assert "(5,000 characters)" in printed
    assert len(printed) < 1000


def test_rebuild_of_a_shop_without_a_state_ends_with_4(monkeypatch, capsys):
    class Clients:
        class dynamodb:
            @staticmethod
            def get_item(*, TableName: str, **_: object) -> dict[str, object]:
                assert TableName == "state"
                return {}

    monkeypatch.setattr(record_commands, "Clients", Clients)
    monkeypatch.setattr(deployment, "read_stack", lambda name: dict.fromkeys(deployment.OUTPUTS, "state"))

    assert main(["rebuild", "--stack", "s", "--shop", "nobody"]) == 4

    assert capsys.readouterr().err == "rebuild: found no shop 'nobody', expected one of which events were folded\n"


def test_missing_file_is_said_in_the_same_words_by_every_command(tmp_path, capsys):
    assert main(["mail", "--file", str(tmp_path / "none")]) == 4
    assert export(["verify", "--artefact", str(tmp_path), "--model", str(tmp_path)]) == 4

    said = [line.partition("found ")[2] for line in capsys.readouterr().err.splitlines()]
    assert said == [f"nothing at {tmp_path}/{name}, expected a file there" for name in ("none", "model.json")]
