"""A small made-up run: its report, its curves and the alerts that were received."""

from typing import Any

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_json import read_fields

METRICS = {"auc": 0.7093, "average_precision": 0.312, "log_loss": 0.391, "brier": 0.118, "ece": 0.0123, "rows": 300}
CURVES = {
    "roc": [[0.0, 0.0], [0.2, 0.55], [1.0, 1.0]],
    "calibration": [[0.05, 0.0, 100], [0.2, 0.25, 100], [0.43, 0.4, 100]],
    "base_rate": 0.175,
}

QUALITY = {
    "alerts": 30, "per_day": 4.2, "judged": 25, "precision": 0.56, "recall": 0.09, "before_answer": 0.4,
    "minutes_before_answer": 12.5, "hours_before_rating": 20.5,
}  # fmt: skip


def report(**changes: Any) -> dict[str, Any]:
    return {
        "synthetic": False,
        "source": "contacts.csv.gz",
        "split": "2023-08-24",
        "events": 74918,
        "conversations": 5241,
        "rejected": 12,
        "training_rows": 12840,
        "model": {"kind": "logistic_regression", **METRICS},
        "model_at_opening": {"kind": "logistic_regression", **METRICS, "auc": 0.6643},
        "model_at_stage": {"kind": "logistic_regression", **METRICS, "auc": 0.6512, "rows": 42},
        "challenger": {"kind": "hist_gradient_boosting", **METRICS},
        "parity_max_abs_diff": 3.14e-8,
        "replayed_events": 9214,
        "consistency": {"compared": 331704, "mismatched": 0, "missing": 0, "extra": 0, "chain": "whole"},
        "alerts": {
            "published": 3,
            "received": 3,
            "received_http": 3,
            "by_kind": {"waiting_too_long": {"opened": 1, "resolved": 1}, "high_risk": {"worsened": 1}},
            "quality": {"waiting_too_long": QUALITY},
        },
        "live": live(),
        "model_version": "20230824T000000Z-3f2a9c1b0d4e",
        "seconds": {"replay": 48.9, "all": 184.6},
    } | changes


def live(**changes: Any) -> dict[str, Any]:
    """A live minute with two conversations; of the second one nothing was to be said."""
    notice = {"severity": "info"}
    due = [notice | {"state": state, "second": second} for state, second in (("opened", 15.0), ("resolved", 21.0))]
    came = [
        notice | {"state": state, "due": second, "at": second + 1.5, "late_seconds": 1.5, "expected": True}
        for state, second in (("opened", 15.0), ("resolved", 21.0))
    ]
    lines = [
        {"second": 0, "kind": "customer_message", "text": "Where is it?"},
        {"second": 21, "kind": "agent_message", "text": "On its way."},
    ]
    english, chinese = {"shop": "live-en", "language": "en"}, {"shop": "live-zh", "language": "zh"}
    reminded = english | {"name": "reminded", "lines": lines, "expected": due, "messages": came}
    in_time = chinese | {"name": "in-time", "lines": lines, "expected": [], "messages": []}
    return {
        "target_seconds": 30,
        "conversations": [reminded, in_time],
        "expected": 2,
        "right": 2,
        "others": 0,
        "worst_late_seconds": 1.5,
    } | changes


def learning(verdict: str, **changes: Any) -> dict[str, Any]:
    """The outcome of one turn of the loop."""
    models = {
        name: {"version": f"v-{name}", **METRICS, "log_loss": loss}
        for name, loss in (("champion", 0.3921), ("candidate", 0.3912))
    }
    since = "2026-02-03T00:00:00.000Z"
    judgement = {"since": since, "until": since, "rows": 300, "rounds": 80, "dissatisfied": 15, **models}
    why = "log loss 0.3912 beside 0.3921 of champion v-champion"
    return {"verdict": verdict, "why": why, "version": "v-candidate", "judgement": judgement} | changes


def evaluation() -> dict[str, Any]:
    return {"answer": CURVES, "opening": CURVES, "stage": CURVES}


def unjudged() -> dict[str, Any]:
    """No conversation was rated."""
    nothing: dict[str, Any] = {"roc": [], "calibration": [], "base_rate": None, "metrics": {"rows": 0}}
    return {"answer": nothing, "opening": nothing, "stage": nothing}


def alert(name: str, **changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "version": 3,
        "alert_id": name,
        "message_id": f"{name}-01692864000000-0001",
        "kind": "high_risk",
        "rule_version": 1,
        "audiences": ["operations"],
        "state": "opened",
        "severity": "warning",
        "shop_id": "shop-1",
        "subject": {"kind": "conversation", "id": "5f0c"},
        "occurred_at": "2023-08-24T10:15:30.000Z",
        "opened_at": "2023-08-24T08:00:00.000Z",
        "repeats": 0,
        "event_id": "e1",
        "evidence": {"score": 0.61},
        "score": 0.61,
        "reasons": [
            {"feature": "agent_dissatisfied_rate_30d", "value": 0.31, "contribution": 0.405},
            {"feature": "customer_orders_90d", "value": 4, "contribution": -0.1},
        ],
        "model_version": "v1",
    }
    return read_fields(fields | changes)


def alerts() -> list[Alert]:
    waiting = {"kind": "waiting_too_long", "evidence": {"waiting_ms": 8_130_000, "last_reply_ms": None, "replies": 2}}
    return [
        alert("a", subject={"kind": "conversation", "id": "77aa"}, **waiting),
        alert(
            "a",
            message_id="a-01692864000000-0002",
            state="resolved",
            subject={"kind": "conversation", "id": "77aa"},
            **waiting,
        ),
        alert("b", state="worsened", severity="critical"),
    ]
