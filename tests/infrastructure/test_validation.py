"""The judges from outside: cfn-lint and sam."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.templates import ROOT

SAM = ROOT / ".venv-sam" / "bin"
# Local paths in nested templates are what `sam package` replaces.
PACKAGED_LATER = "W3002"


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment = kept | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_no_template_is_found_fault_with():
    nested = sorted([*ROOT.glob("infra/*.yaml"), *ROOT.glob("functions/*/stack.yaml")])

    done = run([SAM / "cfn-lint", "--ignore-checks", PACKAGED_LATER, "--", ROOT / "template.yaml", *nested])

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_sam_takes_the_template():
    done = run([SAM / "sam", "validate", "--lint", "--template-file", ROOT / "template.yaml"])

    assert done.returncode == 0, done.stdout + done.stderr
