"""A new function needs its folder and the block that includes its stack: CONTRIBUTING's steps, done in a copy."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.architecture.test_repository import kept_files
from tests.infrastructure.templates import ROOT, Project

NAME, TITLE = "explain_score", "ExplainScore"
CHECKS = (
    *("tests/infrastructure/test_permissions.py", "tests/infrastructure/test_templates.py"),
    *("tests/infrastructure/test_alarms.py", "tests/unit/functions/test_cold_start.py"),
    "tests/infrastructure/test_bundles.py::test_function_is_built_by_the_name_of_its_resource",
    "tests/infrastructure/test_import_budget.py::test_function_loads_few_modules",
)
NEEDED = ("cli", "functions", "infra", "tools", "tests", "docs")

pytestmark = pytest.mark.slow


def step(language: str) -> str:
    """The first block in a language under CONTRIBUTING's heading."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = page[page.index("## Adding a function") : page.index("## Documents")]
    found = re.search(rf"^ *```{language}\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)
    assert found
    return textwrap.dedent(found[1])


@pytest.fixture
def copy(tmp_path) -> Path:
    """The checkout with a function added by CONTRIBUTING's commands and its block of the template."""
    for path in kept_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in NEEDED or len(name.parts) == 1:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / name)
    subprocess.run(["sh", "-ec", step("bash")], cwd=tmp_path, check=True)
    template = tmp_path / "template.yaml"
    resources, outputs = template.read_text("utf-8").split("\nOutputs:\n")
    block = textwrap.indent(step("yaml"), "  ")
    template.write_text(f"{resources}\n{block}\nOutputs:\n{outputs}", "utf-8")
    return tmp_path


def check(copy: Path, only: str = f"{NAME} or {TITLE}") -> subprocess.CompletedProcess[str]:
    """Run checks of functions in the copy: those that name the new one, or `only` a test."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", only]
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'functions' / 'shared'}"}
    return subprocess.run([*command, *CHECKS], cwd=copy, env=environment, capture_output=True, text=True, check=False)


def change(copy: Path, pattern: str, *, to: str) -> None:
    stack = copy / "functions" / NAME / "stack.yaml"
    text, changes = re.subn(pattern, to, stack.read_text("utf-8"))
    assert changes == 1
    stack.write_text(text, "utf-8")


def test_steps_are_enough_and_every_check_finds_the_function(copy):
    assert set(Project(copy).functions) - set(Project(ROOT).functions) == {NAME}

    done = check(copy)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed
    assert int(passed[1]) >= 20


def test_stack_of_the_function_is_found_no_fault_with(copy):
    linter = ROOT / ".venv-sam" / "bin" / "cfn-lint"
    command: list[str | Path] = [
        linter,
        "--ignore-checks",
        "W3002",
        "--",
        "template.yaml",
        f"functions/{NAME}/stack.yaml",
    ]

    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("pattern", "to", "failing", "said"),
    [
        (r" +- dynamodb:BatchGetItem\n", "", "test_policy_names_exactly_what_the_function_needs", "BatchGetItem"),
        (
            rf"(?s)  {TITLE}ThrottlesAlarm:.*?\n\n",
            "",
            "test_function_that_fails_or_is_throttled_rings",
            f"{NAME}: found no alarm on Throttles, expected one",
        ),
        (
            r"          MODELS_TABLE: .*\n",
            "",
            "test_stack_gives_a_function_exactly_its_settings",
            f"{NAME}: found MODELS_TABLE in the stack's variables or in the app's Settings alone",
        ),
        (r", !Ref ScoringLayerArn\]", "]", "test_only_functions_that_score_carry_the_layer_for_it", "ScoringLayerArn"),
        (
            rf"{TITLE}RefusedModelsAlarm",
            "StrangeAlarm",
            "test_runbook_has_a_section_for_the_alarm",
            "StrangeAlarm: found no section in docs/runbook.md",
        ),
        (
            rf"{TITLE}RefusedModelsAlarm",
            "PreviewScoreRefusedModelsAlarm",
            "test_names_of_alarms_are_told_apart",
            f"found PreviewScoreRefusedModelsAlarm in PreviewScoreStack, {TITLE}Stack",
        ),
        (
            r"the account's limit, or have",
            f"{TITLE}Concurrency or have",
            "test_parameter_that_a_text_names_exists",
            f"found {TITLE}Concurrency in {TITLE}ThrottlesAlarm",
        ),
    ],
)
def test_mistake_in_the_stack_of_the_function_is_found(copy, pattern, to, failing, said):
    change(copy, pattern, to=to)

    done = check(copy, only=failing)

    assert done.returncode == 1
    assert failing in done.stdout
    assert said in done.stdout


def test_stack_that_is_missing_is_named(copy):
    (copy / "functions" / NAME / "stack.yaml").unlink()

    done = check(copy)

    assert done.returncode != 0
    assert f"found no functions/{NAME}/stack.yaml, expected one" in done.stdout


def test_stack_that_the_template_does_not_include_is_named(copy):
    shutil.copy(ROOT / "template.yaml", copy)

    done = check(copy, only=f"{NAME} and test_function_is_included_as_a_stack_of_its_own")

    assert done.returncode == 1
    assert f"expected functions/{NAME}/stack.yaml: include it in template.yaml" in done.stdout
