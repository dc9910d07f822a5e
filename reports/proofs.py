"""The proofs of a run, read from its report: each with its figures and whether it holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service_quality.scoring.scores import ENGINES_DIFFER_AT_MOST

Figures = Mapping[str, Any]

_CONSISTENCY = ("mismatched", "missing", "extra")
_DELIVERY = ("published", "received", "received_http")


@dataclass(frozen=True, slots=True)
class Proof:
    """One promise and its figures, by the names of labels."""

    name: str
    held: bool
    found: Mapping[str, int | float | str | None]


def read_proofs(report: Figures) -> list[Proof]:
    """Consistency, parity, delivery and the live minute; an empty comparison proves nothing."""
    consistency, alerts, parity = report["consistency"], report["alerts"], report["parity_max_abs_diff"]
    delivered = {alerts[name] for name in _DELIVERY}
    same = not any(consistency[name] for name in _CONSISTENCY)
    return [
        Proof(
            "consistency",
            held=consistency["compared"] > 0 and same and consistency["chain"] == "whole",
            found={name: consistency[name] for name in ("compared", *_CONSISTENCY, "chain")},
        ),
        Proof("parity", held=parity <= ENGINES_DIFFER_AT_MOST, found={"largest_difference": parity}),
        Proof(
            "delivery",
            held=alerts["published"] > 0 and len(delivered) == 1,
            found={name: alerts[name] for name in _DELIVERY},
        ),
        *_live(report),
    ]


def _live(report: Figures) -> Iterator[Proof]:
    """The live minute, where the run had one: every message that was due came, and no other."""
    live = report.get("live")
    if live:
        found = {"due_messages": live["expected"], "came": live["right"], "others": live["others"]}
        yield Proof("live", held=live["expected"] == live["right"] and not live["others"], found=found)
