"""Operators' commands about rules: each mistake is said, what is put is waited for, and what is in force is shown."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from infra.operations import rule_commands
from infra.operations.command_line import main
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.control_records import RULES, SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.positions import Position
from tests.stand_ins.control import KEY
from tests.stand_ins.operated_line import STREAM, TABLE, OperatedLine, operated_line
from tests.unit.core.rule_documents import WAITS, document, rule
from tests.unit.core.sample_events import event

NAMES = ["--state-table", TABLE]
PUT = [*NAMES, "--event-stream", STREAM, "--control-key-secret", "arn"]
#: Known to the features of the line, which are few; what the command checks is the release's.
ANY = rule(WAITS, evidence=["waiting_ms"])


@pytest.fixture
def line(monkeypatch) -> OperatedLine:
    return operated_line(monkeypatch, rule_commands)


@pytest.fixture
def run(line, tmp_path, capsys):
    """Run a command, with a file of such a text if one is given; exit code, output and errors."""

    def run(name: str, *argv: str, given: Any = None, shop: str = "shop") -> tuple[int, str, str]:
        words = ["rules", name, *(["--shop", shop] if name != "check" else [])]
        if given is not None:
            file = tmp_path / "rules.yaml"
            file.write_bytes(given if isinstance(given, bytes) else given.encode())
            words.append(str(file))
        words += [*argv, *({"set": PUT, "show": NAMES}.get(name, []))]
        line._mine.clear()
        code = main(words)
        said = capsys.readouterr()
        return code, said.out.replace(str(tmp_path), "…"), said.err.replace(str(tmp_path), "…")

    return run


def revision_of(line: OperatedLine, shop: str = "shop") -> str | None:
    rules = line.shop(shop).rules
    return rules.revision if rules else None


def test_rules_that_are_set_are_in_force(run, line):
    code, said, errors = run("set", given=document(ANY))

    assert (code, errors, revision_of(line)) == (0, "", "a")
    assert said.splitlines() == [
        "shop: revision a, 1 rule, the first: in force for every event behind it on the log",
        "waits 1: about conversation, warning, for team: Waits",
    ]


def test_file_of_rules_is_taken_by_name_too(run, line, tmp_path):
    run("check", given=document(ANY))
    file = str(tmp_path / "rules.yaml")

    assert run("check", "--file", file)[0] == run("set", "--file", file)[0] == 0
    assert revision_of(line) == "a"


def test_command_without_a_file_of_rules_ends_with_2(run):
    with pytest.raises(SystemExit) as ended:
        run("check")

    assert ended.value.code == 2


def test_rules_that_are_set_again_are_not_put_again(run, line):
    run("set", given=document(ANY))
    records = len(line.records)

    code, said, errors = run("set", given=json.dumps(json.loads(document(ANY)), indent=2))

    assert (code, errors, len(line.records)) == (0, "", records)
    assert said == "shop: revision a, 1 rule, the first: in force already\n"


WRONG = """\
revision: a
rules:
  - name: Waits
    version: 0
    subject: conversatoin
    kinds: [servce]
    tiers:
      warning: {at_least: {value: wating_ms, limit: PT1M}}
    resolved_when: {at_lest: {value: closed, limit: 1}}
    cooldown: an hour
    title: {en: Waits}
    advice: {en: Answer, zh: 回复}
    audience: everybody
    known_false_alarms: {en: A last word, zh: 最后一句话}
    evidence: [waiting_ms]
    examples:
      - {values: {waiting_ms: PT1M}, expect: warning}
      - {values: {}, expect: none}
"""


def test_every_mistake_is_a_line_with_its_place_and_nothing_is_put(run, line):
    run("set", given=document(ANY, revision="before"))
    before = len(line.records)

    for command in ("set", "check"):
        code, said, errors = run(command, given=WRONG)

        head, *mistakes = errors.splitlines()
        assert (code, said, len(line.records), revision_of(line)) == (2, "", before, "before")
        assert head == "rules: …/rules.yaml: found 10 mistakes, expected none"
        assert [one.split(": ")[:2] for one in mistakes] == [
            ["line 3", "rules[0].owner"],
            ["line 3", "rules[0].name"],
            ["line 4", "rules[0].version"],
            ["line 5", "rules[0].subject"],
            ["line 6", "rules[0].kinds[0]"],
            ["line 8", "rules[0].tiers.warning.at_least.value"],
            ["line 9", "rules[0].resolved_when"],
            ["line 10", "rules[0].cooldown"],
            ["line 11", "rules[0].title.zh"],
            ["line 13", "rules[0].audience"],
        ]
        assert all(": found " in one and ", expected " in one for one in mistakes)
        assert [one.rpartition("did you mean ")[2] for one in mistakes if "did you mean" in one] == [
            *("conversation?", "service?", "waiting_ms?", "at_least?")
        ]


def test_mistakes_are_written_as_json_too(run, tmp_path):
    run("check", "--json", str(tmp_path / "out.json"), given=document(rule(audience="teem")))

    written = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert written["valid"] is False
    assert written["mistakes"] == [
        {
            "line": 1,
            "path": "rules[0].audience",
            "found": '"teem"',
            "expected": "one of operations, team, coaching, marketing, buying",
            "did_you_mean": "team",
        }
    ]


def test_text_that_is_no_yaml_is_one_mistake(run):
    code, _, errors = run("check", given="rules: [1\nrevision: 2\n")

    assert (code, len(errors.splitlines())) == (2, 2)
    assert errors.splitlines()[1].startswith("line 2: found a text that cannot be read at column ")


def test_check_says_what_a_file_declares(run):
    code, said, errors = run("check", given=document(ANY, revision="b", follows="a"))

    assert (code, errors) == (0, "")
    assert said.splitlines()[0] == "…/rules.yaml: valid: revision b, 1 rule, follows a"


@pytest.mark.parametrize("command", ["set", "check"])
def test_file_that_is_not_there_is_said(run, command):
    code, _, errors = run(command, "nowhere.yaml")

    assert (code, errors) == (4, "rules: found no file nowhere.yaml, expected rules in YAML\n")


def test_rules_that_follow_another_revision_are_warned_of_and_their_rejection_said(run, line):
    run("set", given=document(ANY))

    code, said, errors = run("set", given=document(revision="b"))

    warning, failure = errors.splitlines()
    assert (code, said, revision_of(line)) == (3, "", "a")
    assert warning.startswith("rules: warning: found rules that follow no revision, expected some that follow a, ")
    assert failure.startswith("rules: found no revision b in force behind its record, expected it: the log rejected it")
    assert [one["reason"] for one in line.stored()] == ["other_revision"]


def test_rules_that_follow_the_present_ones_take_their_place(run, line):
    run("set", given=document(ANY))

    code, _, errors = run("set", given=document(revision="b", follows="a"))

    assert (code, errors, revision_of(line)) == (0, "", "b")


def test_other_rules_under_the_present_name_are_refused_before_they_are_put(run, line):
    run("set", given=document(ANY))
    records = len(line.records)

    code, _, errors = run("set", given=document(rule(version=2)))

    assert (code, len(line.records)) == (2, records)
    assert "found other rules under the name a, the present revision, expected a new name" in errors


def test_shop_of_which_nothing_was_seen_is_warned_of_and_has_its_rules(run, line):
    code, _, errors = run("set", given=document(ANY), shop="new")

    assert (code, revision_of(line, "new")) == (0, "a")
    assert errors == "rules: warning: no event of this shop was seen yet: the rules will be its first record\n"


def test_log_that_does_not_come_to_the_rules_ends_the_command_with_5(run, line):
    line.takes = False

    code, _, errors = run("set", given=document(ANY))

    assert code == 5
    assert "found the shop's log unmoved for 120 s" in errors


def test_rules_of_a_parked_shop_are_said_to_be_parked_and_come_back(run, line):
    line.store.troubled.add("shop")
    line.send(event("customer_message", 1000))
    line.advance()

    code, _, errors = run("set", given=document(ANY))
    line.store.troubled.clear()
    outcome = line.command().go()

    assert (code, outcome.exit_code, revision_of(line)) == (3, 0, "a")
    assert "found the shop parked, expected it at work: put-back brings the rules, too" in errors


def test_show_says_what_is_in_force_since_when_and_what_was_withdrawn(run, line, tmp_path):
    run("set", given=document(ANY))
    run("set", given=document(rule(name="others"), revision="b", follows="a"))

    code, said, errors = run("show", "--json", str(tmp_path / "shown.json"))

    shown = json.loads((tmp_path / "shown.json").read_text("utf-8"))
    rules = line.shop("shop").rules
    assert (code, errors) == (0, "")
    assert said.splitlines() == [
        f"shop: revision b is in force since position {rules.position}",
        "others 1: about conversation, warning, for team: Waits",
        "withdrawn before: waits",
    ]
    assert (shown["present"], shown["since_position"], shown["withdrawn"]) == ("b", rules.position, ["waits"])
    assert shown["document"] == json.loads(document(rule(name="others"), revision="b", follows="a"))
    assert rules.position > str(Position(0, 0))


def test_show_says_that_a_shop_has_the_shipped_rules(run):
    code, said, _ = run("show")

    head, *rules = said.splitlines()
    assert (code, head) == (0, "shop: the shipped rules are in force")
    assert [one.split()[0] for one in rules] == [one.name for one in shipped_rules()]


def test_show_of_an_unknown_shop_ends_with_4(run):
    code, _, errors = run("show", shop="nobody's")

    assert (code, errors) == (4, "rules: found no shop nobody's, expected one of which a record was folded\n")


def test_record_on_the_stream_is_signed_and_names_its_section(run, line):
    run("set", given=document(ANY))

    _, data = line.records[-1]
    put = json.dumps(json.loads(document(ANY)), separators=(",", ":"), ensure_ascii=False).encode()
    assert data == sign_control(SettingsChanged(shop_id="shop", document=put, section=RULES), KEY, issued_at=line.now)
    assert b64encode(put) in data


def test_shipped_file_can_be_taken_as_a_shops_own(run):
    shipped = Path(rule_commands.__file__).parents[2] / "functions/shared/service_quality/alerts/shipped_rules.yaml"

    code, said, errors = run("check", given=shipped.read_bytes())

    assert (code, errors) == (0, "")
    assert "revision shipped, 6 rules, the first" in said
