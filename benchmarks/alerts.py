"""The alerts of the shipped rules on real contacts: a demo replays their last days, and later ratings judge them.

The contacts are no part of the project. CONTACTS names the export, SPLIT the first day that is replayed, POLICY the
policy of the shop; `benchmarks/alert_runs/policy.json` is one of a shop in India that answers within a day.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks.alert_runs.breaches import Compared, compare, read_waits
from benchmarks.errors import BenchmarkError, EngineFailedError
from benchmarks.measurement import Row, Section
from cli.paths import ROOT
from service_quality.instants import parse_instant

INPUTS = ("CONTACTS", "SPLIT", "POLICY")
RISK, WAIT = "high_risk", "answer_due"


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """One demo on the contacts that the environment names; `runs` changes nothing, since it takes minutes."""
    contacts, split, policy = read_inputs(os.environ)
    document = json.loads(Path(policy).read_text("utf-8"))
    with TemporaryDirectory() as name:
        report = Path(name) / "report.json"
        progress(f"a demo with {Path(contacts).name} from {split} on")
        command = [sys.executable, "-m", "infra.local", "demo", "--contacts", contacts, "--split", split]
        command += ["--policy", policy, "--report", str(report), "--scores", str(Path(name) / "scores.parquet")]
        command += ["--time-zone", document["zone"], "--currency", document["currency"]]
        done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
        if done.returncode:
            raise EngineFailedError(f"the demo: found exit code {done.returncode}, expected 0; its last lines say why")
        return summarize(json.loads(report.read_text("utf-8")), compare_breaches(Path(contacts), document, split))


def read_inputs(variables: Mapping[str, str]) -> tuple[str, str, str]:
    """The files and the day to measure with; BenchmarkError for one that is not named."""
    missing = [name for name in INPUTS if not variables.get(name)]
    if missing:
        expected = "make bench ARGS=alerts CONTACTS=FILE SPLIT=YYYY-MM-DD POLICY=FILE"
        raise BenchmarkError(f"alerts: found no {', '.join(missing)}, expected all of them: {expected}")
    contacts, split, policy = (variables[name] for name in INPUTS)
    return str(Path(contacts).absolute()), split, str(Path(policy).absolute())


def compare_breaches(
    contacts: Path, policy: Mapping[str, Any], split: str, *, demo: Path = ROOT / "build" / "demo"
) -> Compared:
    """What the policy calls late by the export alone, beside the alerts of the demo that lies in a folder."""
    alerts = [json.loads(line) for line in (demo / "alerts.jsonl").read_text("utf-8").splitlines()]
    replayed = [json.loads(line) for line in (demo / "replay.jsonl").read_text("utf-8").splitlines()]
    return compare(
        read_waits(contacts, policy["zone"]),
        alerts,
        limit_ms=pd.Timedelta(policy["targets"][0]["first_response"]) // pd.Timedelta(milliseconds=1),
        since=parse_instant(f"{split}T00:00:00Z"),
        until=max(parse_instant(one["received_at"]) for one in replayed if "received_at" in one),
    )


def summarize(report: Mapping[str, Any], waits: Compared) -> Section:
    """The figures by rule of the demo's report, and breaches beside alerts."""
    quality, base = report["alerts"]["quality"], report["base_rate"]
    risk = quality[RISK]
    rows = [
        Row(f"{kind}: {says}", unit, (float(found[name]),))
        for kind, found in sorted(quality.items())
        for name, says, unit in (
            ("per_day", "alerts", "a day"),
            ("contacts", "contacts alerted", "share"),
            ("precision", "of the alerted, ended dissatisfied", "share"),
            ("before_answer", "before the first answer", "share"),
            ("minutes_before_answer", "ahead of the first answer, middle", "min"),
        )
        if found.get(name) is not None
    ]
    rows.append(Row("rated contacts that ended dissatisfied", "share", (base,)))
    rows.append(Row("answers later than the policy allows, by the export alone", "contacts", (float(waits.breaches),)))
    rows.append(Row("those of them with an alert", "contacts", (float(waits.alerted),)))
    rows.append(Row("late answers of which only the day is known, not judged", "contacts", (float(waits.day_only),)))
    figures = {
        "risk_share_of_contacts": risk["contacts"],
        "risk_precision_over_base": risk["precision"] / base,
        "risk_before_answer": risk["before_answer"],
        "waiting_before_answer": quality[WAIT]["before_answer"],
        "breaches_alerted": waits.alerted / waits.breaches if waits.breaches else 0.0,
        "needless_breaches": float(waits.needless),
    }
    return Section("alerts", tuple(rows), figures)
