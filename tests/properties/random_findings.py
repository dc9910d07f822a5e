"""Random findings as records of a log: right ones, repeated and older ones, expired ones, and those that none takes."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from service_quality.events.control_signatures import is_signed, sign_control
from service_quality.events.finding_reported import FindingReported
from service_quality.instants import DAY, HOUR, MINUTE, parse_instant
from tests.oracle.entries import Found
from tests.properties.random_oddities import Choosing
from tests.stand_ins.control import KEY

KINDS = (
    *("right",) * 8, *("again", "older", "another content") * 2, "expired", "ahead", "unsigned", "forged",
    "unknown name", "wrong subject", "unreadable",
)  # fmt: skip
SUBJECTS = ("zoe", "yan", "zoe", "yan", "nobody")
#: How long before its record something was found, and how long it holds.
FOUND_BEFORE = (0, HOUR, 0, DAY)
HOLDS_FOR = (8 * DAY, 2 * HOUR, DAY, 5 * MINUTE, 3 * HOUR)
PROBABILITIES = (0.9, 0.1, 0.6, 0.9, 0.4, 0.1, None)


@dataclass
class FindingsWriter:
    """Writes findings; what is written again is one of the `written`."""

    written: list[FindingReported] = field(default_factory=list)

    def write(self, choices: Choosing, shop_id: str, *, now: int) -> bytes:
        """The record of the next finding."""
        kind = choices.of(KINDS)
        made = _mistaken(kind, self._finding(choices, kind, shop_id, now=now))
        if kind == "unsigned":
            return json.dumps({"kind": made.kind, "shop_id": shop_id, **made.form()}).encode()
        if kind == "unreadable":
            made = replace(made, valid_until=made.as_of)
        self.written.append(made)
        return sign_control(made, b"another key" if kind == "forged" else KEY, issued_at=now)

    def write_about(self, subject_id: str, shop_id: str, *, now: int) -> bytes:
        """A finding that calls, and holds for an hour or two."""
        as_of = now - now % HOUR
        self.written.append(_finding(shop_id, subject_id, 0.9, as_of=as_of, valid_until=as_of + 2 * HOUR))
        return sign_control(self.written[-1], KEY, issued_at=now)

    def _finding(self, choices: Choosing, kind: str, shop_id: str, *, now: int) -> FindingReported:
        known = self.written[-1] if self.written else None
        probability, holds_for = choices.of(PROBABILITIES), choices.of(HOLDS_FOR)
        says_it_once = choices.of((False, False, True))
        if kind == "again" and known is not None:
            return known
        as_of = now - now % HOUR - choices.of(FOUND_BEFORE)
        made = _finding(shop_id, choices.of(SUBJECTS), probability, as_of=as_of, valid_until=as_of + holds_for)
        if says_it_once and made.score is not None:
            made = replace(made, values={"customer_orders_90d": 2})
        if kind == "expired":
            return replace(made, as_of=as_of - DAY, valid_until=as_of - choices.of((0, 1, HOUR)))
        if kind in ("older", "another content") and known is not None:
            as_of = known.as_of - choices.of((1, HOUR, DAY)) if kind == "older" else known.as_of
            ends = known.valid_until + choices.of((0, DAY))
            return replace(made, subject_id=known.subject_id, as_of=as_of, valid_until=ends)
        return made


def _finding(
    shop_id: str, subject_id: str, probability: float | None, *, as_of: int, valid_until: int
) -> FindingReported:
    """A finding of a model, which says its score, or one without a score."""
    scored: dict[str, Any] = {}
    if probability is not None:
        scored = {"score": probability, "model_version": "job", "reasons": (("customer_orders_365d", 2, 0.25),)}
    return FindingReported(
        shop_id=shop_id,
        finding="churn",
        subject_kind="customer",
        subject_id=subject_id,
        as_of=as_of,
        valid_until=valid_until,
        values={"churn_score": probability, "customer_orders_90d": 2},
        **scored,
    )


def _mistaken(kind: str, made: FindingReported) -> FindingReported:
    match kind:
        case "ahead":
            return replace(made, as_of=made.as_of + 2 * HOUR, valid_until=made.valid_until + 2 * HOUR)
        case "unknown name":
            return replace(made, finding="mood")
        case "wrong subject":
            return replace(made, subject_kind="agent")
    return made


def oracle_finding(record: FindingReported) -> Found:
    """The finding as the oracle reads it."""
    names = (record.finding, record.subject_kind, record.subject_id)
    score = record.values.get("churn_score") if record.score is None else record.score
    return Found(*names, record.as_of, record.valid_until, score)


def finding_in(data: bytes) -> FindingReported | None:
    """The finding in a record of the log that is signed by the right key."""
    try:
        form = json.loads(data)
        is_one = form["kind"] == FindingReported.kind and is_signed(form, KEY)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not is_one:
        return None
    names = ("shop_id", "finding", "subject_kind", "subject_id", "values", "score", "model_version")
    return FindingReported(
        **{name: form[name] for name in names if name in form},
        as_of=parse_instant(form["as_of"]),
        valid_until=parse_instant(form["valid_until"]),
        reasons=tuple((feature, value, push) for feature, value, push in form.get("reasons", ())),
    )
