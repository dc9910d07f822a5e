"""Every line of docs/by_hand.md runs, one after the other, as a person copies them."""

import os
import re
import subprocess

import pytest

from cli.paths import ROOT
from infra.local.emulator import FOLDERS, Emulator

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.slow, pytest.mark.long]

PAGE = ROOT / "docs" / "by_hand.md"


@pytest.mark.timeout(1_800)
def test_every_line_runs():
    if any(Emulator(folder).attach() for folder in FOLDERS):
        pytest.skip("an embedded AWS runs in this checkout, which these lines would use and end")
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    script = "\n".join(["set -euo pipefail", "rm -rf build/by_hand", *blocks])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1_700,
            check=False,
        )
    finally:
        for emulator in map(Emulator, FOLDERS):
            emulator.attach()
            emulator.stop()

    assert done.returncode == 0, done.stderr[-2_000:]
    assert "chain whole" in done.stdout
    assert "waiting_too_long" in (ROOT / "build" / "by_hand" / "alerts.txt").read_text("utf-8")
    assert "Asia/Shanghai" in done.stdout
    assert "顾客" in done.stdout
