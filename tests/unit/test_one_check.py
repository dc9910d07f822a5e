"""A commit passes the same check by hand, by its hook, in CI and by the documents."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CI = [line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if line.startswith("make ")]


def test_hook_and_ci_begin_with_the_check_that_the_documents_name():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]

    assert [hook["entry"] for hook in repository["hooks"]] == CI[:1] == ["make check"]
    assert "`make check` is what a commit must pass" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_ci_runs_both_parts_of_the_tests_as_the_documents_say():
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    assert CI[1:] == ["make test", 'make test ARGS="-m long"']
    assert all(f"`{command}`" in contributing for command in CI[1:])
    assert "`make test` runs the tests" in (ROOT / "README.md").read_text("utf-8")
