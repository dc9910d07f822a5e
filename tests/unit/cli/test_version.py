"""Every command says which version it is."""

import os
import re
import subprocess
import sys

import pytest

from cli.paths import ROOT
from cli.version import version

COMMANDS = ("spark_jobs", "model_export", "infra.local", "infra.operations", "benchmarks")
NAMED = r"service-quality \d+\.\d+\.\d+( \([0-9a-f]{7,}(-dirty)?\))?"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_the_version(command):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "functions" / "shared")])

    said = subprocess.run(
        [sys.executable, "-m", command, "--version"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert re.fullmatch(NAMED, said.stdout.strip())
    assert not said.stderr


def test_version_without_git_is_that_of_the_release(monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert re.fullmatch(r"service-quality \d+\.\d+\.\d+", version())
