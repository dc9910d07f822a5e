"""All names in the documents exist: targets, jobs, commands, options, folders, links, keys, reasons, features."""

import ast
import json
import re
from pathlib import Path

import pytest

from infra.operations.selection import KNOWN
from service_quality.alerts.alert_quality import RuleQuality
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.declared_values import DECLARED_VALUES
from service_quality.conversations.event_values import read_event_values
from service_quality.events.carriers import open_carrier
from service_quality.events.intake import take_in
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import EventValue
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, parse_instant
from tools import event_documents, rule_documents
from tools.feature_dictionary import PATH, missing_rule, render_dictionary
from tools.rule_schema import render_schema

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DEMO = (ROOT / "docs" / "demo.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)

#: Options of commands that are not ours.
OPTIONS_OF_OTHERS = {
    *("--help", "--parameter-overrides", "--dist", "--upgrade", "--py-files", "--conf"),
    *("--function-name", "--invocation-type", "--source-arn", "--table-name", "--no-deletion-protection-enabled"),
}

#: The modules that add the commands of infra.operations.
COMMANDS_OF_OPERATIONS = ("record_options", "alert_commands", "policy_commands", "rule_commands", "stack_commands")


def code_of(text: str) -> str:
    """The text of code blocks and code spans."""
    return "\n".join(block or span for block, span in CODE.findall(text))


def table_after(text: str, head: str) -> list[list[str]]:
    """The rows of the table whose first line begins so, as cells."""
    lines = text[text.index(head) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def constants(path: str) -> set[str]:
    """Every string in a module."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def assigned(path: str, name: str) -> set[str]:
    """The strings of a tuple, or the keys of a mapping, that a module assigns to a name."""
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return set(ast.literal_eval(node.value))
    raise AssertionError(f"{path} assigns no {name}")


def report_keys() -> set[str]:
    """The keys of the report, as the function that collects it returns them."""
    tree = ast.parse((ROOT / "infra/local/demo_report.py").read_text("utf-8"))
    collect = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "collect")
    returned = next(node.value for node in collect.body if isinstance(node, ast.Return))
    assert isinstance(returned, ast.Dict)
    return {key.value for key in returned.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make."""
    heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_readme_is_at_most_150_lines():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    assert not set(re.findall(r"\bmake ([a-z]+)", code_of(page.read_text("utf-8")))) - targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_job_that_is_run_exists(page):
    jobs = assigned("spark_jobs/__main__.py", "JOBS")

    run = set(re.findall(r"(?:-m spark_jobs|\bthen) ([a-z]\w*_\w+)", code_of(page.read_text("utf-8"))))

    assert not run - jobs


def test_readme_lists_every_job_and_no_other():
    listed = {cells[0].strip("`") for cells in table_after(README, "| job |")}
    jobs = assigned("spark_jobs/__main__.py", "JOBS")

    assert listed == jobs, (
        f"found {', '.join(sorted(listed ^ jobs))} in README's table of jobs or in JOBS of spark_jobs/__main__.py"
        " alone, expected both"
    )
    assert all((ROOT / "spark_jobs" / f"{job}.py").is_file() for job in listed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page):
    code = code_of(page.read_text("utf-8"))

    assert not set(re.findall(r"-m model_export ([a-z]+)", code)) - constants("model_export/command_line.py")
    assert not set(re.findall(r"-m infra\.local ([a-z]+)", code)) - assigned("infra/local/__main__.py", "COMMANDS")
    assert not set(re.findall(r"-m infra\.operations ([a-z][a-z-]*)", code)) - (
        set().union(*(constants(f"infra/operations/{name}.py") for name in COMMANDS_OF_OPERATIONS))
    )
    for module in re.findall(r"-m (tools\.\w+)", code):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_is_named_exists(page):
    folders = ("spark_jobs", "model_export", "infra", "tools", "benchmarks", "examples", "cli")
    source = "\n".join(path.read_text("utf-8") for folder in folders for path in (ROOT / folder).rglob("*.py"))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code_of(page.read_text("utf-8")))) - OPTIONS_OF_OTHERS

    assert not {option for option in named if f'"{option}"' not in source}


def test_every_folder_of_the_table_exists():
    folders = [cells[0].strip("`") for cells in table_after(README, "| folder |")]

    assert folders
    assert not [folder for folder in folders if not (ROOT / folder).is_dir()]


def test_readme_names_every_function():
    (row,) = (cells for cells in table_after(README, "| folder |") if cells[0] == "`functions`")
    missing = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")} - set(re.findall(r"`(\w+)`", row[1]))

    assert not missing, (
        f"README.md: found no {', '.join(sorted(missing))} in the row `functions`, expected each function"
    )


def test_demo_page_explains_every_key_of_the_report_and_no_other():
    rows = table_after(DEMO, "| key |")

    assert {key for cells in rows for key in re.findall(r"`(\w+)`", cells[0])} == report_keys()


def test_every_figure_within_a_key_of_the_report_is_written():
    rows = table_after(DEMO, "| key |")
    written = (
        constants("infra/local/demo_report.py")
        | constants("infra/local/demo_run.py")
        | constants("infra/local/demo.py")
        | constants("infra/local/learning.py")
        | constants("infra/local/live_minute.py")
        | {*RuleQuality._fields}
    )
    written |= constants("spark_jobs/learning/metrics.py") | report_keys()

    assert not {name for cells in rows for name in re.findall(r"`(\w+)`", cells[1])} - written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page):
    known = re.compile(r"`((?:docs|functions|infra|spark_jobs|model_export|tests|tools|requirements)/[\w./-]+)`")
    found = known.findall(page.read_text("utf-8"))

    assert not [name for name in found if not (ROOT / name).exists()]


def test_architecture_lists_every_reason_of_a_rejection():
    rejections = [
        node.args[0]
        for path in (ROOT / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("RejectedEventError") and node.args
    ]
    reasons = {"no_shop", "passed_by"} | {reason.value for reason in rejections if isinstance(reason, ast.Constant)}
    sentence = ARCHITECTURE[ARCHITECTURE.index("Reasons are stable codes:") :].partition(". ")[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == reasons


def reasons_in_code() -> set[str]:
    """Every reason that the code can give a record or a row: the first words of the calls that reject or set aside."""
    reasons: set[object] = {"no_shop", "passed_by"}
    for path in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if name in ("RejectedEventError", "UnreadableRowError", "set_aside"):
                reasons |= {one.value for one in node.args if isinstance(one, ast.Constant)}  # type: ignore[attr-defined]
    return {one for one in reasons if isinstance(one, str)}


def test_runbook_says_of_every_reason_what_to_do():
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    alarm = runbook[runbook.index("### `RejectedEventsAlarm`") : runbook.index("### `RedeliveredEventsAlarm`")]
    records, outbox = (table_after(part, "| reason |") for part in alarm.split("Rows of the outbox"))
    said = {name for cells in [*records, *outbox] for name in re.findall(r"`(\w+)`", cells[0])}

    assert said == reasons_in_code()
    assert all(cause and action for _, cause, action in [*records, *outbox])
    assert {name for cells in records for name in re.findall(r"`(\w+)`", cells[0])} == KNOWN - {
        *("parked", "given_up", "unsent"),
    }


def test_architecture_lists_every_rule():
    assert {cells[0].strip("`") for cells in table_after(ARCHITECTURE, "| rule |")} == {
        rule.name for rule in shipped_rules()
    }


def test_runbook_explains_every_exit_code():
    rows = table_after((ROOT / "docs" / "runbook.md").read_text("utf-8"), "| exit code |")
    declared = re.findall(r"exit_code = (\d)", (ROOT / "infra" / "operations" / "errors.py").read_text("utf-8"))

    assert {cells[0] for cells in rows} == {"0", *declared}


def test_page_of_rules_is_current():
    message = "run .venv/bin/python -m tools.rule_documents"

    assert rule_documents.PAGE.read_text("utf-8") == rule_documents.render_page(), message
    assert rule_documents.SCHEMA.read_text("utf-8") == render_schema(Vocabulary(FEATURES)), message


def test_shipped_rules_are_those_of_their_file():
    assert rule_documents.SHIPPED.read_text("utf-8") == rule_documents.render_shipped(), (
        "run .venv/bin/python -m tools.rule_documents"
    )
    assert shipped_rules() == rule_documents.declared_rules()


def test_feature_dictionary_is_current():
    assert PATH.read_text("utf-8") == render_dictionary(), "run .venv/bin/python -m tools.feature_dictionary"


def test_event_and_alert_of_readme_are_in_todays_form():
    event, alert = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL))
    schema = json.loads((ROOT / "docs" / "alert.schema.json").read_text("utf-8"))

    intake = take_in(open_carrier(event), now=parse_instant(event["occurred_at"]), retention=DAY)

    assert list(intake.accepted) == [0]
    assert not intake.unknown
    assert alert.keys() - {"…"} <= schema["properties"].keys()


def test_event_documents_are_current():
    message = "run .venv/bin/python -m tools.event_documents"
    assert event_documents.SCHEMA.read_text("utf-8") == event_documents.render_schema(), message
    assert event_documents.PAGE.read_text("utf-8") == event_documents.render_page(), message


def test_values_that_a_conversation_can_lack_have_a_missing_rule():
    noted = InteractionEvent(
        event_id="e", shop_id="s", kind="internal_note", occurred_at=0, received_at=0, conversation_id="c"
    )
    values = read_event_values(ConversationState(), noted)
    declared = [feature for feature in FEATURES.features if isinstance(feature, EventValue)]
    told = {name for name, value in DECLARED_VALUES.items() if value.missing}

    assert {feature.value for feature in declared if values[feature.value] is None} == told
    assert all(missing_rule(feature) == "never" for feature in declared if values[feature.value] is not None)
