"""Random rules of a shop's own as records of its log: a chain of revisions, and what does not continue it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service_quality.alerts.rule_document import find_problems
from service_quality.events.control_records import RULES, SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.features.declarations import FeatureSet
from tests.oracle.entries import RulesBrought
from tests.properties.random_oddities import Choosing
from tests.stand_ins.control import KEY
from tests.unit.core.rule_documents import RATED_BADLY, WAITS, rule

KINDS = (*("next",) * 6, "repeated", "invalid", "follows another", "forged")
#: Opens an alert with a customer's first word.
TALKS = rule(
    WAITS,
    name="talks",
    tiers={"info": {"at_least": {"value": "customer_messages", "limit": 1}}},
    examples=[{"values": {"customer_messages": 1}, "expect": "info"}, {"values": {}, "expect": "none"}],
)
#: Decides by findings and scores about a customer.
LEAVES = rule(
    WAITS,
    name="leaving",
    subject="customer",
    kinds=["service", "order_placed", "finding_reported"],
    tiers={"warning": {"at_least": {"value": "churn_score", "limit": 0.5}}},
    resolved_when={"below": {"value": "churn_score", "limit": 0.3}},
    evidence=["churn_score"],
    examples=[{"values": {"churn_score": 0.5}, "expect": "warning"}, {"values": {}, "expect": "none"}],
)
#: The rules of a revision: none, some under the names of a release's, which keep their alerts, and some others.
SETS = (
    (TALKS, LEAVES),
    (),
    (TALKS, RATED_BADLY, LEAVES),
    (rule(WAITS, name="waiting"), LEAVES),
    (WAITS, RATED_BADLY),
    (),
    (rule(RATED_BADLY, name="busy_agent", cooldown="PT1S"), rule(WAITS, name="waits", cooldown="PT1S")),
    (rule(RATED_BADLY, name="talks"),),
)


@dataclass
class RulesWriter:
    """Writes rules; `present` gives the revision that the shop has now, of which the latest written knows nothing
    where a record before it is lost."""

    present: Callable[[], str | None] | None = None
    documents: list[dict[str, Any]] = field(default_factory=list)

    def write(self, choices: Choosing, shop_id: str, *, now: int) -> bytes:
        """The record of next rules, or of some that the shop does not take."""
        kind = choices.of(KINDS)
        document = json.dumps(self._document(choices, kind), separators=(",", ":")).encode()
        record = SettingsChanged(shop_id=shop_id, document=document, section=RULES)
        return sign_control(record, b"another key" if kind == "forged" else KEY, issued_at=now)

    def _document(self, choices: Choosing, kind: str) -> dict[str, Any]:
        if kind == "repeated" and self.documents:
            return choices.of((self.documents[-1], self.documents[-1], self.documents[0]))
        follows = self._follows(choices)
        made: dict[str, Any] = {"revision": f"r{len(self.documents)}", "rules": list(choices.of(SETS))}
        made |= {"follows": follows} if follows else {}
        if kind == "invalid":
            return {**made, "rules": [rule(version=0)]}
        if kind == "follows another":
            return {**made, "follows": "nobody's"}
        if kind != "forged":
            self.documents.append(made)
        return made

    def _follows(self, choices: Choosing) -> str | None:
        written = self.documents[-1]["revision"] if self.documents else None
        return written if self.present is None or choices.of((True, False)) else self.present()


def rules_brought(document: bytes) -> RulesBrought:
    """What a document brings, in the oracle's words."""
    given = json.loads(document)

    def is_sound(features: FeatureSet) -> bool:
        return not find_problems(document, features)[1]

    return RulesBrought(document, given["revision"], given.get("follows"), is_sound)
