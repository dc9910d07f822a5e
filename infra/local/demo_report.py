"""The results of a demo: figures (report.json), a page (report.html) and lines on the terminal."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.atomic_write import atomic_file
from infra.local.demo_run import Demo
from reports import render_page, render_summary
from reports.learning_summary import render_learning
from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import encode_alert
from service_quality.alerts.shop_settings import shop_settings

Figures = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """The paths of a demo's results."""

    report: Path
    scores: Path
    page: Path
    alerts: Path

    def paths(self) -> set[Path]:
        """All of them."""
        return {self.report, self.scores, self.page, self.alerts}


def results_in(folder: Path) -> Results:
    """Their usual names in one folder."""
    return Results(folder / "report.json", folder / "scores.parquet", folder / "report.html", folder / "alerts.jsonl")


def write_report(demo: Demo, alerts: list[Alert], status: int, results: Results) -> list[str]:
    """Write the results and print the summary; returns the faults, one sentence each.

    `status` is the exit code of the consistency check. Results of a run with faults go into a folder of their own, so
    those of the last good one stay. All files appear once the last of them is written, or no file does.
    """
    evaluation = demo.read("evaluate_scores")
    report = collect(demo, alerts, evaluation)
    faults = list(find_faults(report, status))
    shops = {shop: shop_settings(stored) for shop, stored in demo.stored_settings().items()}
    page = render_page(report, evaluation, alerts, shops=shops)
    written = results_in(demo.failed) if faults else results
    with (
        atomic_file(written.report) as report_file,  # left last, so it takes its place last
        atomic_file(written.page) as page_file,
        atomic_file(written.scores) as scores_file,
        atomic_file(written.alerts) as alerts_file,
    ):
        report_file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
        page_file.write_text(page, "utf-8")
        shutil.copyfile(demo.scores, scores_file)
        alerts_file.write_bytes(b"".join(encode_alert(one) + b"\n" for one in alerts))
    print(render_summary(report, alerts, shops=shops))
    if demo.learning is not None:
        print(render_learning(demo.learning.fields()))
    print(f"figures: {written.report}\npage:    {written.page.resolve().as_uri()}", flush=True)
    return faults


def collect(demo: Demo, alerts: list[Alert], evaluation: Figures) -> Figures:
    """The figures of the run; see README for what each means."""
    exported = demo.read("export_events")
    trained = demo.read("train_model")
    checked = demo.read("check_consistency")
    data = demo.read("import_events" if demo.contacts else "generate_shop")
    parity = json.loads((demo.folder / "model" / "parity.json").read_text("utf-8"))
    by_kind: dict[str, Counter[str]] = {}
    for alert in alerts:
        by_kind.setdefault(alert.kind, Counter())[alert.state] += 1
    return {
        "synthetic": demo.contacts is None,
        "source": demo.contacts.name if demo.contacts else "synthetic world",
        "split": demo.split,
        "events": exported["events"],
        "conversations": exported["conversations"],
        "rejected": data.get("rejected", 0),
        "training_rows": trained["rows"],
        "model": {"kind": "logistic_regression", **evaluation["answer"]["metrics"]},
        "base_rate": evaluation["answer"]["base_rate"],
        "model_at_opening": {"kind": "logistic_regression", **evaluation["opening"]["metrics"]},
        "model_at_stage": {"kind": "logistic_regression", **evaluation["stage"]["metrics"]},
        "challenger": {"kind": "hist_gradient_boosting", **trained["challenger"]},
        "model_version": demo.version,
        "parity_max_abs_diff": parity["max_abs_diff"],
        "replayed_events": demo.replayed,
        "consistency": {name: checked[name] for name in ("compared", "mismatched", "missing", "extra", "chain")},
        "alerts": {
            "published": demo.published,
            "received": len(alerts),
            "received_http": demo.received_by_web,
            "by_kind": {kind: dict(states) for kind, states in sorted(by_kind.items())},
            "quality": demo.quality,
        },
        "live": demo.live,
        "learning": demo.learning.fields() if demo.learning is not None else None,
        "seconds": demo.seconds,
    }


def find_faults(report: Figures, status: int) -> list[str]:
    """The faults of a run: differing values, lost events or alerts, a check that failed with exit code `status`."""
    faults = [
        f"consistency: found {report['consistency'][name]} values {name}, expected 0"
        for name in ("mismatched", "missing", "extra")
        if report["consistency"][name]
    ]
    if not report["consistency"]["compared"]:
        faults.append("consistency: found 0 values compared, expected at least one")
    if report["consistency"]["chain"] != "whole":
        faults.append(f"archive: found the chain {report['consistency']['chain']}, expected it whole")
    if status and not faults:
        faults.append(f"consistency: found exit code {status} of the check, expected 0")
    live = report["live"]
    if live["right"] != live["expected"] or live["others"]:
        found = f"{live['right']} of {live['expected']} messages that were due, and {live['others']} others"
        faults.append(f"a minute live: found {found}, expected all of them and no other")
    published = report["alerts"]["published"]
    if not published:
        faults.append("alerts: found none published, expected at least one")
    for name, subscriber in (("received", "queue"), ("received_http", "web")):
        if report["alerts"][name] != published:
            found = report["alerts"][name]
            faults.append(f"alerts: the {subscriber} subscriber found {found}, expected the {published} published")
    return faults
