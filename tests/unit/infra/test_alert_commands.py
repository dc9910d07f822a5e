"""Operators' commands about alerts: what was sent is found again and shown, settings are checked, files are refused."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.operations import alert_commands
from infra.operations.command_line import main
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shop_settings_table import settings_key
from service_quality.alerts.publications import Publication, publication_of
from service_quality.alerts.shop_settings import shop_settings
from service_quality.alerts.stored_alerts import AlertRow
from service_quality.commit.shop_item import SHOP_KEY
from tests.stand_ins.aws_services import SecretsManager

SALT = "salt"
NUMBER = "01692864000000-0002"
SECRET = "arn:secret"
NAMES = ["--alerts-table", "alerts", "--state-table", "state"]
SALTED = [*NAMES, "--id-salt-secret", SECRET]


def stored_alert(key: str, **fields: object) -> bytes:
    """The body of an alert's state row, as the commit stores it."""
    return json.dumps(
        {
            "version": 5,
            "alert_id": key,
            "message_id": f"{key}-{NUMBER}",
            "kind": "waiting_too_long",
            "rule_version": 1,
            "title": {"en": "Customer waits too long for an answer", "zh": "顾客等待回复过久"},
            "advice": {"en": "Answer now.", "zh": "请立即回复。"},
            "audiences": ["operations"],
            "state": "opened",
            "severity": "critical",
            "shop_id": "shop",
            "subject": {"kind": "conversation", "id": f"contact-{key[0]}"},
            "occurred_at": "2023-08-24T10:15:30.000Z",
            "opened_at": "2023-08-24T08:00:00.000Z",
            "time_zone": None,
            "currency": None,
            "repeats": 0,
            "event_id": "event-7",
            "evidence": {"waiting_ms": 8_130_000},
            "score": 0.61,
            "reasons": [],
            "provisional": False,
            "provisional_figures": [],
            "ended_by": None,
            "model_version": "v1",
        }
        | fields
    ).encode()


def row_item(key: str, sequence: str, body: bytes, *, is_open: bool = False) -> dict[str, Any]:
    item = {
        "stream_key": {"S": f"shop\x1falert\x1f{key}"},
        "sequence": {"S": sequence},
        "shop_id": {"S": "shop"},
        "body": {"B": body},
    }
    return item | ({"open_shop": {"S": "shop"}} if is_open else {})


@dataclass
class Tables:
    """The tables of alerts and states as the commands read them; pages hold one row."""

    alerts: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    messages: dict[str, bytes] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    shops: tuple[str, ...] = ("shop",)
    scanned_whole: bool = False
    updated: list[dict[str, Any]] = field(default_factory=list)

    def get_paginator(self, operation: str) -> "Tables":
        return self

    def paginate(self, *, TableName: str, IndexName: str = "", **request: Any):
        assert TableName == "alerts"
        self.scanned_whole |= not IndexName
        for key, (body, is_open) in self.alerts.items():
            wanted = request.get("ExpressionAttributeValues", {}).get(":shop", {}).get("S", "shop")
            if (is_open or not IndexName) and wanted == "shop":
                yield {"Items": [row_item(key, "state", body, is_open=is_open)], "ScannedCount": 3}

    def get_item(self, *, TableName: str, Key: Any, **_: object) -> dict[str, Any]:
        if TableName == "state":
            return {"Item": Key} if Key["item_key"]["S"] in {f"{one}\x1f{SHOP_KEY}" for one in self.shops} else {}
        if Key["stream_key"] != settings_key("shop")["stream_key"]:
            shop, _, key = Key["stream_key"]["S"].split("\x1f")
            found = self.alerts.get(key) if shop == "shop" and Key["sequence"]["S"] == "state" else None
            return {"Item": row_item(key, "state", found[0], is_open=found[1])} if found else {}
        return {"Item": {name: {"S": value} for name, value in self.settings.items()}}

    def query(self, *, TableName: str, ExpressionAttributeValues: Any, **_: object) -> dict[str, Any]:
        key = ExpressionAttributeValues[":key"]["S"].rpartition("\x1f")[2]
        return {"Items": [row_item(key, NUMBER, self.messages[key])] if key in self.messages else []}

    def update_item(self, **request: Any) -> None:
        self.updated.append(request)

    def sent(self, key: str) -> Publication:
        """What dispatch_outbox sent of an alert last."""
        row = AlertRow(f"shop\x1falert\x1f{key}", NUMBER, "shop", self.messages[key])
        return publication_of(row, shop_settings(self.settings), salt=SALT.encode())


OPEN, OVER = "a" * 24, "b" * 24


@pytest.fixture
def tables(monkeypatch) -> Tables:
    """Tables with an open alert and one that is over."""
    tables = Tables(
        {
            OPEN: (stored_alert(OPEN, state="repeated", repeats=4), True),
            OVER: (stored_alert(OVER, state="resolved"), False),
        },
        {OPEN: stored_alert(OPEN), OVER: stored_alert(OVER, state="resolved")},
    )

    class Clients:
        dynamodb = tables

        def read_secret(self, secret: str) -> bytes:
            client: Any = SecretsManager({SECRET: SALT})
            return read_secret(client, secret)

    monkeypatch.setattr(alert_commands, "Clients", Clients)
    return tables


def printed_json(argv: list[str], path) -> Any:
    assert main([*argv, "--json", str(path)]) == 0
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("ids", ["hashed", "plain"])
def test_alerts_have_the_ids_that_were_sent(tables, tmp_path, capsys, ids):
    tables.settings["ids"] = ids
    sent = json.loads(tables.sent(OPEN).body)

    (written,) = printed_json(["alerts", *SALTED], tmp_path / "alerts.json")

    now = {"state": "repeated", "repeats": 4}
    plain = {"subject_id": "contact-a", "event_id": "event-7"}
    assert written == sent | now | {"plain_ids": plain, "is_open": True}
    assert (sent["subject"]["id"] == "contact-a") == (ids == "plain")
    line, count = capsys.readouterr().out.splitlines()
    assert "conversation contact-a  risk 61%  seen 4 times since the last message" in line
    assert line.endswith(f"sent as alert {OPEN} about {sent['subject']['id']}")
    assert count == "1 open"


@pytest.mark.parametrize("name", ["alert_id", "message_id"])
def test_received_alert_is_found_by_its_id(tables, capsys, name):
    received = json.loads(tables.sent(OPEN).body)[name]

    assert main(["alerts", *SALTED, "--alert", received]) == 0

    assert "conversation contact-a" in capsys.readouterr().out


def test_received_alert_that_is_over_is_found_in_the_whole_table(tables, capsys):
    received = json.loads(tables.sent(OVER).body)["alert_id"]

    assert main(["alerts", *SALTED, "--alert", received]) == 4
    assert (
        "alerts: found no alert of this id among 1, expected one; --shop or --resolved looks" in capsys.readouterr().err
    )
    assert not tables.scanned_whole
    assert main(["alerts", *SALTED, "--alert", received, "--resolved"]) == 0

    line, count = capsys.readouterr().out.splitlines()
    assert "resolved" in line
    assert "conversation contact-b" in line
    assert count == "0 open"


@pytest.mark.parametrize(("key", "count"), [(OPEN, "1 open"), (OVER, "0 open")])
def test_received_alert_of_a_shop_is_found_by_its_key_open_or_over(tables, capsys, key, count):
    received = json.loads(tables.sent(key).body)["message_id"]

    assert main(["alerts", *SALTED, "--shop", "shop", "--alert", received]) == 0
    assert main(["alerts", *SALTED, "--shop", "nobody", "--alert", received]) == 4

    assert capsys.readouterr().out.splitlines()[-1] == count
    assert not tables.scanned_whole


EARLY, LATE = "2023-08-24T08:00:00.000Z", "2023-08-24T09:00:00.000Z"


def open_alerts(**fields_by_letter: dict[str, object]) -> dict[str, tuple[bytes, bool]]:
    """Open alerts with these fields, by ids that each repeat a letter."""
    return {letter * 24: (stored_alert(letter * 24, **fields), True) for letter, fields in fields_by_letter.items()}


def test_open_alerts_are_the_gravest_and_then_the_newest_first(tables, tmp_path):
    tables.alerts = open_alerts(
        a={"severity": "warning", "opened_at": EARLY},
        b={"severity": "critical", "opened_at": EARLY},
        c={"severity": "warning", "opened_at": LATE},
        d={"severity": "critical", "opened_at": LATE},
    )

    written = printed_json(["alerts", *SALTED], tmp_path / "alerts.json")

    assert [one["alert_id"][0] for one in written] == ["d", "b", "c", "a"]


def test_alerts_of_a_kind_and_opened_since_an_instant_are_listed(tables, tmp_path, capsys):
    tables.alerts = open_alerts(
        a={"kind": "high_risk", "opened_at": EARLY},
        b={"kind": "answer_due", "opened_at": EARLY},
        c={"kind": "answer_due", "opened_at": LATE},
    )

    for chosen, found in (
        (["--kind", "answer_due"], "cb"),
        (["--since", LATE], "c"),
        (["--since", "2023-08-24"], "cab"),
        (["--kind", "high_risk", "--since", LATE], ""),
    ):
        written = printed_json(["alerts", *SALTED, *chosen], tmp_path / "alerts.json")
        assert "".join(one["alert_id"][0] for one in written) == found
    with pytest.raises(SystemExit):
        main(["alerts", *SALTED, "--since", "yesterday"])
    assert "found 'yesterday', expected a day such as" in capsys.readouterr().err


def test_settings_say_which_of_them_a_policy_precedes(tables, capsys):
    tables.settings["time_zone"] = "Asia/Tokyo"

    assert main(["settings", *NAMES, "--shop", "shop"]) == 0

    printed = capsys.readouterr().out.splitlines()
    assert "ids           hashed (default)" in printed
    assert "time_zone     Asia/Tokyo (where the shop's policy says no other one)" in printed
    assert "currency      none (default, where the shop's policy says no other one)" in printed


def test_silent_alert_is_listed_and_has_no_mail(tables, tmp_path):
    tables.alerts = {OPEN: (stored_alert(OPEN, state="silent", message_id=None), True)}

    (listed,) = printed_json(["alerts", *SALTED], tmp_path / "alerts.json")

    assert (listed["state"], listed["message_id"]) == ("silent", None)
    assert printed_json(["mail", *NAMES[:2], "--id-salt-secret", SECRET], tmp_path / "mails.json") == []


def test_mail_of_an_alert_whose_message_has_expired_is_the_alert_as_it_is_now(tables, tmp_path):
    tables.messages.clear()

    (mails,) = printed_json(["mail", *NAMES[:2], "--id-salt-secret", SECRET], tmp_path / "mails.json")

    assert "Times seen again since the last message: 4" in mails["en"]["text"]


def test_mail_is_what_was_sent(tables, tmp_path):
    sent = tables.sent(OPEN)

    (mails,) = printed_json(["mail", *NAMES[:2], "--id-salt-secret", SECRET], tmp_path / "mails.json")

    assert mails["en"] == {"subject": sent.subject, "text": sent.text}
    assert json.loads(sent.body)["message_id"] in mails["zh"]["text"]


@pytest.mark.parametrize("command", ["alerts", "mail"])
def test_salt_that_may_not_be_read_is_named_and_ends_with_4(tables, capsys, command):
    assert main([command, "--alerts-table", "alerts", "--id-salt-secret", "arn:other"]) == 4

    said = f"{command}: found ResourceNotFoundException at secret arn:other, expected it to exist and this role to be "
    assert capsys.readouterr().err == f"{said}allowed\n"


def test_shop_of_which_nothing_was_seen_is_said_to_be_so(tables, capsys):
    assert main(["alerts", *SALTED, "--shop", "nobody"]) == 0
    assert main(["settings", *NAMES, "--shop", "nobody", "--ids", "plain"]) == 0

    said = capsys.readouterr().out
    assert said.count("no event of this shop was seen yet") == 2
    assert len(tables.updated) == 1


def test_shop_without_an_open_alert_has_been_seen(tables, capsys):
    tables.alerts.clear()

    assert main(["alerts", *NAMES, "--id-salt-secret", "never read", "--shop", "shop"]) == 0

    assert capsys.readouterr().out == "0 open\n"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--display-name", "Tea\nBcc: x", "found 'Tea\\nBcc: x', expected at most 200 printable characters"),
        ("--display-name", "x" * 5000, "…' (5,000 characters), expected at most 200 printable characters"),
        ("--currency", "yen", "found 'yen', expected three capital letters, a code of ISO 4217"),
    ],
)
def test_setting_that_a_mail_could_not_show_is_refused(tables, capsys, option, value, said):
    with pytest.raises(SystemExit) as ended:
        main(["settings", *NAMES, "--shop", "shop", option, value])

    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert len(printed) < 2000
    assert tables.updated == []


@pytest.mark.parametrize("argv", [["--most", "-1"], ["--most", "0"], ["--file", "x", "--shop", "shop"]])
def test_mail_refuses_arguments_that_contradict(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["mail", "--stack", "s", *argv])

    assert ended.value.code == 2


VALID = json.loads(stored_alert(OPEN, sequence=16_928_640_000_002))


def test_mail_of_a_file_needs_no_stack(tmp_path, capsys):
    path = tmp_path / "alerts.jsonl"
    path.write_text(json.dumps(VALID) + "\n\n", "utf-8")

    assert main(["mail", "--file", str(path)]) == 0

    assert "1 of 1 alerts shown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"score": "0.5"}, "score: found str, expected number or null"),
        ({"reasons": "it waits"}, "reasons: found str, expected array"),
        ({"evidence": 7}, "evidence: found int, expected object"),
        ({"evidence": {"waiting_ms": "long"}}, "evidence.waiting_ms: found str, expected number or null"),
        ({"opened_at": "yesterday"}, "opened_at: found '\"yesterday\"', expected pattern"),
        ({"opened_at": "2023-99-99T08:00:00.000Z"}, "opened_at: found '2023-99-99T08:00:00.000Z', expected an instant"),
        ({"severity": True}, "severity: found bool, expected string"),
        ({"version": 1}, "version: found '1', expected const 5"),
        ({"evidence": {"waiting_ms": float("nan")}}, "found no JSON with numbers in range"),
        ({"evidence": {"waiting_ms": 10**400}}, "found no JSON with numbers in range"),
    ],
)
def test_file_of_another_form_is_refused_with_line_and_field(tmp_path, capsys, changed, said):
    path = tmp_path / "alerts.jsonl"
    path.write_text(f"{json.dumps(VALID)}\n{json.dumps(VALID | changed)}\n", "utf-8")

    assert main(["mail", "--file", str(path)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mail: {path}: line 2: {said}")


@pytest.mark.parametrize("text", ["nonsense", "[" * 100_000, "7", "{}"])
def test_file_without_alerts_is_refused(tmp_path, capsys, text):
    path = tmp_path / "alerts.jsonl"
    path.write_text(text, "utf-8")

    assert main(["mail", "--file", str(path)]) == 2

    assert capsys.readouterr().err.count("\n") == 1


def test_missing_file_ends_with_4(tmp_path, capsys):
    assert main(["mail", "--file", str(tmp_path / "none.jsonl")]) == 4

    assert capsys.readouterr().err == f"mail: found nothing at {tmp_path}/none.jsonl, expected a file there\n"
