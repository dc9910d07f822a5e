"""Random policies and rules of a shop as records of its log: chains of revisions, and what does not continue them."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service_quality.errors import RejectedPolicyError
from service_quality.events.control_records import POLICY, RULES, SettingsChanged
from service_quality.events.control_signatures import is_signed, sign_control
from service_quality.instants import DAY, HOUR, MINUTE, format_instant
from service_quality.policies.local_days import WEEKDAYS
from service_quality.policies.policy_document import parse_policy
from tests.oracle.entries import PolicyBrought
from tests.properties.oracle_policies import oracle_policy
from tests.properties.random_oddities import Choosing
from tests.properties.random_rules import RulesWriter
from tests.stand_ins.control import KEY

#: How long before its record a policy is valid; negative for one that is valid later.
VALID_SINCE = (DAY, 0, 400 * DAY, HOUR, -MINUTE, -HOUR, 5 * MINUTE, -DAY, 8 * DAY)
#: The conditions of the first target; None for a shop without targets.
WHEN: tuple[dict[str, list[str]] | None, ...] = (
    None, {}, {"channel": ["chat"]}, {"priority": ["urgent"]}, {"customer_tier": ["vip", "gold"]},
)  # fmt: skip
#: The times within which a target wants replies, the first and the next ones.
WITHIN: tuple[dict[str, str], ...] = (
    {"first_response": "PT1M", "next_reply": "PT5M"},
    {"first_response": "PT1H", "next_reply": "PT10M"},
    {"first_response": "PT20M"},
    {"next_reply": "P1D"},
)
_HOURS = ["08:00-20:00"]
#: When a shop is open; None: always.
OPENING = (
    None,
    dict.fromkeys(WEEKDAYS[:5], _HOURS),
    {"thursday": ["08:00-12:00", "13:30-20:00"], "friday": ["18:00-02:00"]},
)
OWNERS = ("last_answer", "first_answer", "assigned")
KINDS = (*("next",) * 6, "repeated", "invalid", "follows another", "known before", "forged", "said otherwise")


@dataclass
class SettingsWriter:
    """Writes policies; `present` gives the revision that the shop has now, of which the latest written knows nothing
    where a record before it is lost."""

    present: Callable[[], str | None] | None = None
    documents: list[dict[str, Any]] = field(default_factory=list)
    rules: RulesWriter = field(default_factory=RulesWriter)

    def write(self, choices: Choosing, shop_id: str, *, now: int) -> bytes:
        """The record of a next policy or of next rules, or of some that the shop does not take."""
        if choices.of((POLICY, RULES)) == RULES:
            return self.rules.write(choices, shop_id, now=now)
        kind = choices.of(KINDS)
        document = self._document(choices, kind, now=now)
        record = SettingsChanged(shop_id=shop_id, document=json.dumps(document, separators=(",", ":")).encode())
        return sign_control(record, b"another key" if kind == "forged" else KEY, issued_at=now)

    def _document(self, choices: Choosing, kind: str, *, now: int) -> dict[str, Any]:
        if kind == "repeated" and self.documents:
            return choices.of((self.documents[-1], self.documents[-1], self.documents[0]))
        made = random_document(choices, f"r{len(self.documents)}", self._follows(choices), now=now)
        if kind == "said otherwise" and self.documents:
            return {**self.documents[-1], "ends_after": made["ends_after"]}
        if kind == "invalid":
            return {**made, "ends_after": "soon"}
        if kind == "follows another":
            return {**made, "follows": "nobody's"}
        if kind == "known before" and self.documents:
            return {**made, "revision": self.documents[0]["revision"]}
        if kind != "forged":
            self.documents.append(made)
        return made

    def _follows(self, choices: Choosing) -> str | None:
        written = self.documents[-1]["revision"] if self.documents else None
        return written if self.present is None or choices.of((True, False)) else self.present()


def random_document(choices: Choosing, revision: str, follows: str | None, *, now: int) -> dict[str, Any]:
    """A valid document, small enough for a small table's item."""
    document: dict[str, Any] = {
        "revision": revision,
        "valid_from": format_instant(now - choices.of(VALID_SINCE)),
        "ends_after": choices.of(("P1D", "PT1H", "P8D", "P30D", "P7D")),
        "owner": choices.of(OWNERS),
        "on_time_within": choices.of(("PT1M", "PT5M", "PT3M", "PT30S")),
        "slow_beyond": choices.of(("PT5M", "PT1H", "PT15M", "P1D")),
        "answer_tolerance": choices.of(("PT0S", "PT5M", "PT1M", "PT20S")),
        "dissatisfied_at_most": choices.of((4, 1, 3, 2)),
    }
    pauses = choices.of(((), ("pending",), ("open",), ("pending", "open")))
    zone, currency = choices.of((None, "Asia/Shanghai", "America/St_Johns")), choices.of((None, "EUR", "JPY"))
    document |= ({"zone": zone} if zone else {}) | ({"currency": currency} if currency else {})
    document |= ({"pauses_when": pauses} if pauses else {}) | ({"follows": follows} if follows else {})
    when = choices.of(WHEN)
    if when is not None:
        judged_by = choices.of(("business", "business", "calendar"))
        targets = [{**choices.of(WITHIN), "judged_by": judged_by, "when": when}]
        others = [{"first_response": "PT15M", "next_reply": "PT15M", "judged_by": judged_by}] if when else []
        document |= {"holidays": "CN", "zone": "Asia/Shanghai", "targets": targets + choices.of(([], others))}
    opening = choices.of(OPENING)
    return document | ({"opening": opening} if opening else {})


def settings_in(data: bytes) -> SettingsChanged | None:
    """The settings record in a record of the log that is signed by the right key."""
    try:
        form = json.loads(data)
        is_one = form["kind"] == SettingsChanged.kind and is_signed(form, KEY)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not is_one:
        return None
    section = form.get("section", POLICY)
    return SettingsChanged(shop_id=form["shop_id"], document=b64decode(form["document"]), section=section)


def brought_by(document: bytes) -> PolicyBrought:
    """What a document brings, in the oracle's words."""
    try:
        read = parse_policy(document)
    except RejectedPolicyError:
        return PolicyBrought(document, None)
    return PolicyBrought(document, oracle_policy(read), read.revision, read.follows)
