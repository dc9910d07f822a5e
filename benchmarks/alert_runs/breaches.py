"""Breaches of the policy read from the contacts' export, beside the alerts that people got.

An export has one question and at most one answer a contact, and the policy judges by the calendar; so a breach is a
difference of two columns. Nothing here is shared with the fold, which it judges.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from service_quality.instants import DAY

RULE, WORST = "answer_due", "critical"
CONTACT, TIMES = "Unique id", ("Issue_reported at", "issue_responded")


class Wait(NamedTuple):
    """A contact's wait in epoch milliseconds; `is_day_only` where the answer is known to its day, which ends then."""

    asked_at: int
    answered_at: int | None
    is_day_only: bool = False


class Compared(NamedTuple):
    """Breaches beside alerts.

    `breaches` counts the waits over the limit of which the run saw the due instant, `alerted` those of them that an
    alert named, `needless` the alerts that name no breach. `day_only` counts late waits of whose answer only the day is
    known: a replay does not judge them, so an alert about one is needless, too.
    """

    breaches: int
    alerted: int
    needless: int
    day_only: int


def read_waits(contacts: Path, zone: str) -> list[Wait]:
    """The waits of an export whose local times are those of a zone; rows whose order of times is wrong are left out."""
    rows = pd.read_csv(contacts, usecols=[CONTACT, *TIMES], dtype=str).drop_duplicates(CONTACT)
    asked, answered = (pd.to_datetime(rows[name], format="%d/%m/%Y %H:%M", errors="coerce") for name in TIMES)
    day_only = answered == answered.dt.normalize()
    asked_ms, answered_ms = _epoch_ms(asked, zone), _epoch_ms(answered, zone)
    waits = []
    for start, end, is_day in zip(asked_ms, answered_ms, day_only, strict=True):
        last = None if pd.isna(end) else int(end) + (DAY - 1 if is_day else 0)
        if not pd.isna(start) and (last is None or last >= start):
            waits.append(Wait(int(start), last, bool(is_day)))
    return waits


def compare(
    waits: Iterable[Wait], alerts: Iterable[Mapping[str, Any]], *, limit_ms: int, since: int, until: int
) -> Compared:
    """Compare what was late with the worst alerts of a run over these instants; matched by when the answer was due."""
    late: Counter[int] = Counter()
    day_only = 0
    for wait in waits:
        due = wait.asked_at + limit_ms
        if not since <= due < until or (wait.answered_at is not None and wait.answered_at <= due):
            continue
        if wait.is_day_only:
            day_only += 1
        else:
            late[due] += 1
    alerted = Counter(
        alert["evidence"]["answer_due_at"]
        for alert in alerts
        if (alert["kind"], alert["severity"]) == (RULE, WORST) and alert["state"] in ("opened", "worsened")
    )
    return Compared(late.total(), (alerted & late).total(), (alerted - late).total(), day_only)


def _epoch_ms(local: "pd.Series[pd.Timestamp]", zone: str) -> "pd.Series[float]":
    utc = local.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    return (utc - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(milliseconds=1)
