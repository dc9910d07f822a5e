"""Operators' commands about policies: each mistake is said, what is put is waited for, and what judges is shown."""

import json
from base64 import b64encode
from datetime import date

import pytest

from infra.operations import policy_commands
from infra.operations.command_line import main
from infra.operations.policy_files import calendar_lines, policy_line
from service_quality.events.control_records import SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.instants import parse_instant
from service_quality.policies.json_documents import MAX_DOCUMENT_BYTES
from service_quality.policies.policy import DEFAULT_POLICY, Policy
from tests.stand_ins.control import KEY
from tests.stand_ins.operated_line import STREAM, TABLE, OperatedLine, operated_line
from tests.unit.core.sample_events import event

TODAY = parse_instant("2026-11-20T12:00:00Z")
NAMES = ["--state-table", TABLE]
PUT = [*NAMES, "--event-stream", STREAM, "--control-key-secret", "arn"]


def document(revision: str, **fields: object) -> dict[str, object]:
    return {"revision": revision, "valid_from": "2026-01-01T00:00:00Z", **fields}


@pytest.fixture
def line(monkeypatch) -> OperatedLine:
    monkeypatch.setattr(policy_commands, "read_clock", lambda: TODAY)
    return operated_line(monkeypatch, policy_commands)


@pytest.fixture
def run(line, tmp_path, capsys):
    """Run a command, with a document as its file if one is given; exit code, output and errors."""

    def run(*argv: str, given: object = None, shop: str = "shop") -> tuple[int, str, str]:
        words = ["policy", *argv]
        if given is not None:
            file = tmp_path / "policy.json"
            file.write_text(given if isinstance(given, str) else json.dumps(given), "utf-8")
            words += ["--file", str(file)]
        if argv[0] != "check":
            words += ["--shop", shop, *(PUT if argv[0] == "set" else NAMES)]
        line._mine.clear()
        code = main(words)
        said = capsys.readouterr()
        return code, said.out.replace(str(tmp_path), "…"), said.err.replace(str(tmp_path), "…")

    return run


def test_policy_that_is_set_is_the_shops_present_one(run, line):
    code, said, errors = run("set", given=document("a"))

    assert (code, errors) == (0, "")
    assert said == "shop: revision a, from 2026-01-01 00:00 UTC, the first: judges what begins behind it on the log\n"
    assert line.shop("shop").policies == ("a",)


def test_policy_that_is_set_again_is_not_put_again(run, line):
    run("set", given=document("a"))
    records = len(line.records)

    code, said, errors = run("set", given=document("a"))

    assert (code, errors, len(line.records)) == (0, "", records)
    assert said.endswith("is the present policy already\n")


def test_every_mistake_is_a_line_and_nothing_is_put(run, line):
    wrong = {
        "revision": "",
        "valid_from": "today",
        "zone": "Moon/Base",
        "opening": {"funday": ["09:00-12:00"], "monday": ["25:00-26:00"]},
        "holidays": "XX",
        "dissatisfied_at_most": 9,
        "ends_after": "a week",
        "owner": "nobody",
        "answer_tolerance": "P2D",
        "colour": "red",
    }
    before = len(line.records)

    for command in ("set", "check"):
        code, said, errors = run(command, given=wrong)

        head, *mistakes = errors.splitlines()
        assert (code, said, len(line.records)) == (2, "", before)
        assert head == f"policy: …/policy.json: found {len(mistakes)} mistakes, expected none"
        assert {one.split(": ")[1] for one in mistakes} >= set(wrong) - {"opening"}
        assert len(mistakes) >= len(wrong)
        assert all(": found " in one and ", expected " in one for one in mistakes)


def test_mistake_has_its_line_and_what_may_be_meant(run):
    text = json.dumps(document("a", targtes=[], targets=[{"first_reply": "PT1M", "next_reply": "PT1M"}]), indent=2)

    _, _, errors = run("check", given=text)

    lines = [one for one in errors.splitlines() if "unknown key" in one]
    assert lines[0].startswith("line 4: targtes: found an unknown key, expected one of revision, valid_from, ")
    assert lines[0].endswith("; did you mean targets?")
    assert lines[1].startswith("line 7: targets[0].first_reply: found an unknown key, expected one of ")


def test_document_that_is_no_json_has_no_line(run):
    _, _, errors = run("check", given='{"revision": "a",}')

    assert errors.splitlines()[1].startswith("document: found a text that is not JSON")


def test_file_is_taken_by_its_place_too_but_once(run, tmp_path, capsys):
    run("check", given=document("a"))
    file = str(tmp_path / "policy.json")

    assert run("check", file)[0] == run("set", file)[0] == 0
    for twice in ([file, "--file", file], ["--file", file, file]):
        with pytest.raises(SystemExit) as ended:
            run("check", *twice)
        assert ended.value.code == 2
        assert "expected one of them" in capsys.readouterr().err


def test_one_mistake_is_called_one(run):
    code, _, errors = run("check", given=document("a", owner="me"))

    assert (code, errors.splitlines()[0]) == (2, "policy: …/policy.json: found 1 mistake, expected none")


@pytest.mark.parametrize("command", ["set", "check"])
def test_file_that_is_not_there_is_said(run, command):
    code, _, errors = run(command, "--file", "nowhere.json")

    assert (code, errors) == (4, "policy: found no file nowhere.json, expected a policy in JSON\n")


def test_folder_in_place_of_a_file_is_said(run, tmp_path):
    code, _, errors = run("check", "--file", str(tmp_path))

    assert (code, errors) == (2, "policy: …: Is a directory, expected a file that can be read\n")


@pytest.mark.parametrize(("follows", "named"), [(None, "no revision"), ("z", "z")])
def test_policy_that_follows_another_revision_is_warned_of_and_its_rejection_said(run, line, follows, named):
    run("set", given=document("a"))

    code, said, errors = run("set", given=document("b", **({"follows": follows} if follows else {})))

    warning, failure = errors.splitlines()
    assert (code, said, line.shop("shop").policies) == (3, "", ("a",))
    assert warning.startswith(f"policy: warning: found a policy that follows {named}, expected one that follows a, ")
    assert failure.startswith("policy: found no such revision b behind its record, expected it: the log rejected it")
    assert [one["reason"] for one in line.stored()] == ["other_revision"]


def test_policy_that_follows_the_present_one_takes_its_place(run, line):
    run("set", given=document("a"))

    code, _, errors = run("set", given=document("b", follows="a"))

    assert (code, errors, line.shop("shop").policies) == (0, "", ("a", "b"))


def test_policy_of_the_same_name_that_came_first_is_not_taken_for_ones_own(run, line):
    def overtake(number: int) -> None:
        other = SettingsChanged(shop_id="shop", document=json.dumps(document("a", zone="Asia/Shanghai")).encode())
        line.records.insert(number, ("shop", sign_control(other, KEY, issued_at=line.now)))
        line.arrivals.append(line.now)

    line.on_put = overtake

    code, _, errors = run("set", given=document("a"))

    assert (code, line.shop("shop").policies) == (3, ("a",))
    assert "found no such revision a behind its record" in errors


@pytest.mark.parametrize("revision", ["a", "b"])
def test_another_policy_under_a_known_name_is_refused_before_it_is_put(run, line, revision):
    run("set", given=document("a"))
    run("set", given=document("b", follows="a"))
    records = len(line.records)

    code, _, errors = run("set", given=document(revision, follows="z", zone="Asia/Shanghai"))

    assert (code, len(line.records)) == (2, records)
    assert f"found another policy under the name {revision} among the shop's 2 revisions" in errors


def test_shop_of_which_nothing_was_seen_is_warned_of_and_has_its_policy(run, line):
    code, _, errors = run("set", given=document("a"), shop="new")

    assert (code, line.shop("new").policies) == (0, ("a",))
    assert errors == "policy: warning: no event of this shop was seen yet: the policy will be its first record\n"


def test_log_that_does_not_come_to_the_policy_ends_the_command_with_5(run, line):
    line.takes = False

    code, _, errors = run("set", given=document("a"))

    assert code == 5
    assert "found the shop's log unmoved for 120 s, expected it to come to what was put on it" in errors


def test_policy_of_a_parked_shop_is_said_to_be_parked(run, line):
    line.store.troubled.add("shop")
    line.send(event("customer_message", 1000))
    line.advance()

    code, _, errors = run("set", given=document("a"))

    assert code == 3
    assert "found the shop parked, expected it at work" in errors


def test_largest_policy_of_a_parked_shop_comes_back(line, run):
    big = document("a")
    text = json.dumps(big)
    padded = text + " " * (MAX_DOCUMENT_BYTES - len(text))
    line.store.troubled.add("shop")
    line.send(event("customer_message", 1000))
    line.advance()
    run("set", given=padded)
    line.store.troubled.clear()

    outcome = line.command().go()

    assert (outcome.exit_code, line.shop("shop").policies) == (0, ("a",))


def test_show_gives_every_revision_and_the_whole_policy_in_force(run, tmp_path):
    run("set", given=document("a", zone="Asia/Shanghai"))
    run("set", given=document("later", follows="a", valid_from="2090-01-01T00:00:00Z"))

    code, said, errors = run("show", "--json", str(tmp_path / "shown.json"))

    head, first, second, *policy = said.splitlines()
    shown = json.loads((tmp_path / "shown.json").read_text("utf-8"))
    assert (code, errors) == (0, "")
    assert head == "shop: present revision later, in force a"
    assert (first, second) == (
        "revision a, from 2026-01-01 08:00 Asia/Shanghai, the first",
        "revision later, from 2090-01-01 00:00 UTC, follows a",
    )
    assert json.loads("\n".join(policy))["zone"] == "Asia/Shanghai"
    assert json.loads("\n".join(policy)) == shown["policy"]
    assert (shown["present"], shown["in_force"], len(shown["revisions"])) == ("later", "a", 2)


def test_show_says_that_a_shop_has_the_defaults(run):
    assert run("show") == (0, "shop: present revision none, in force default\n", "")


def test_show_of_an_unknown_shop_ends_with_4(run):
    code, _, errors = run("show", shop="nobody's")

    assert (code, errors) == (
        4,
        "policy: found no shop nobody's, expected one of which a record was folded\n",
    )


def test_check_says_what_a_file_declares_and_the_state_of_its_calendar(run):
    code, said, errors = run("check", given=document("b", follows="a", holidays="CN"))

    assert (code, errors) == (0, "")
    assert said.splitlines() == [
        "…/policy.json: valid: revision b, from 2026-01-01 00:00 UTC, follows a",
        "calendar CN: 2026 published, 2027 provisional",
    ]


@pytest.mark.parametrize("command", ["check", "set"])
def test_contacts_that_no_target_matches_are_warned_of(run, line, command):
    urgent = {"first_response": "PT1M", "when": {"priority": ["urgent"]}}

    _, _, alone = run(command, given=document("a", targets=[urgent]))
    _, _, with_rest = run(command, given=document("b", targets=[urgent, {"first_response": "PT5M"}]))

    assert "policy: warning: found conditions on every target, expected a last one without `when`" in alone
    assert "conditions on every target" not in with_rest


@pytest.mark.parametrize(
    ("today", "lines"),
    [
        (date(2026, 11, 30), ["calendar CN: 2026 published, 2027 provisional"]),
        (
            date(2026, 12, 1),
            [
                "calendar CN: 2026 published, 2027 provisional",
                "warning: calendar CN: found no published decree for 2027, expected it from 2026-12-01 on; figures of"
                " these days are provisional; run python -m tools.make_holidays",
            ],
        ),
    ],
)
def test_calendar_is_warned_of_from_december_on(today, lines):
    assert list(calendar_lines(Policy(revision="a", valid_from=0, holidays="CN"), today)) == lines


def test_shop_without_a_calendar_has_no_line_of_one():
    assert not list(calendar_lines(DEFAULT_POLICY, date(2026, 12, 1)))
    assert policy_line(DEFAULT_POLICY) == "revision default, from 1970-01-01 00:00 UTC, the first"


def test_record_on_the_stream_is_signed_by_the_deployments_key(run, line):
    run("set", given=document("a"))

    _, data = line.records[-1]
    record = SettingsChanged(shop_id="shop", document=json.dumps(document("a")).encode())
    assert data == sign_control(record, KEY, issued_at=line.now)
    assert b64encode(record.document) in data
