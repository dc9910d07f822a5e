"""Forbidden content of the repository: registry addresses, paths of a machine, a README that nobody reads."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

# Put together here, since this file is searched too.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("registry", "npmjs", "org"),
        ("proxy", "golang", "org"),
        ("conda", "anaconda", "org"),
        ("crates", "io"),
    )
]
HOME_PATH = re.compile(r"(?<![\w./$}-])/(?:root|work|home/(?!hadoop)\w+|Users/\w+)/\w")
SEPARATE = {".git", ".cache", "build", ".aws-sam", "__pycache__"}


def kept_files() -> list[Path]:
    """Every file that git keeps or would keep; without git, every file outside the usual caches."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())
    paths = (p for p in ROOT.rglob("*") if not any(q in SEPARATE or q.startswith(".venv") for q in p.parts))
    return sorted(p for p in paths if p.is_file())


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """`file:line` of every match in a kept text file."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in kept_files()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_kept_files_are_seen():
    assert {"Makefile", "pyproject.toml"} <= {path.name for path in kept_files()}


def test_no_file_names_a_registry():
    assert not lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS))))


def test_no_file_names_a_path_of_one_machine():
    assert not lines_with(HOME_PATH)
    assert not lines_with(re.compile(re.escape(str(ROOT)) + r"\b"))


def test_makefile_has_at_most_twelve_targets():
    targets = re.findall(r"^[a-z]+:.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert 0 < len(targets) <= 12


def pins(group: str) -> set[str]:
    """`name==version` of every package that a lock file holds."""
    return set(
        re.findall(r"^[\w.-]+==[\w.]+", (ROOT / "requirements" / f"{group}.txt").read_text("utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("group", ["run", "function"])
def test_what_is_tested_is_what_runs(group):
    assert pins(group)
    assert not pins(group) - pins("test")
