"""What a demo found, as figures (report.json), as a page (report.html) and as lines on the terminal."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from infra.local.demo_run import Demo
from infra.local.report_page import choose_telling, render_page
from infra.local.summary import render_summary
from tools.whole_files import whole_file

Figures = dict[str, Any]


def write_report(demo: Demo, alerts: list[Figures], path: Path) -> list[str]:
    """Write figures and page, print the summary; what was found wrong, one sentence each."""
    evaluation = demo.read("evaluate_scores")
    report = collect(demo, alerts, evaluation)
    telling = choose_telling(alerts)
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (demo.folder / "alerts.jsonl").write_text(
        "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in alerts), "utf-8"
    )
    page = demo.folder / "report.html"
    page.write_text(render_page(report, evaluation, alerts, telling), "utf-8")
    print(render_summary(report, telling))
    print(f"figures: {path}\npage:    {page}", flush=True)
    return list(find_faults(report))


def collect(demo: Demo, alerts: list[Figures], evaluation: Figures) -> Figures:
    """The figures of the run; see README for what each means."""
    exported = demo.read("export_events")
    trained = demo.read("train_model")
    checked = demo.read("check_consistency")
    data = demo.read("import_contacts" if demo.contacts else "generate_shop")
    parity = json.loads((demo.folder / "model" / "parity.json").read_text("utf-8"))
    by_kind: dict[str, Counter[str]] = {}
    for alert in alerts:
        by_kind.setdefault(alert["kind"], Counter())[alert["state"]] += 1
    return {
        "synthetic": demo.contacts is None,
        "source": demo.contacts.name if demo.contacts else "synthetic world",
        "split": demo.split,
        "events": exported["events"],
        "conversations": exported["conversations"],
        "rejected": data.get("rejected", 0),
        "training_rows": trained["rows"],
        "model": {"kind": "logistic_regression", **evaluation["answer"]["metrics"]},
        "model_at_opening": {"kind": "logistic_regression", **evaluation["opening"]["metrics"]},
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
        },
        "seconds": demo.seconds,
    }


def find_faults(report: Figures) -> list[str]:
    """Whatever must not be: values that differ, events or alerts lost."""
    faults = [
        f"consistency: found {report['consistency'][name]} values {name}, expected none"
        for name in ("mismatched", "missing", "extra")
        if report["consistency"][name]
    ]
    if report["consistency"]["chain"] != "whole":
        faults.append(f"archive: found the chain {report['consistency']['chain']}, expected it whole")
    published = report["alerts"]["published"]
    for name, subscriber in (("received", "queue"), ("received_http", "web")):
        if report["alerts"][name] != published:
            found = report["alerts"][name]
            faults.append(f"alerts: the {subscriber} subscriber found {found}, expected the {published} published")
    return faults
