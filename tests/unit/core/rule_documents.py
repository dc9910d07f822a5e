"""Rules of a shop's own for tests, as people write them."""

import copy
import json
from typing import Any

from service_quality.events.control_records import RULES, SettingsChanged

WAITS: dict[str, Any] = {
    "name": "waits",
    "version": 1,
    "subject": "conversation",
    "kinds": ["service"],
    "tiers": {"warning": {"at_least": {"value": "conversation_age_ms", "limit": "PT1M"}}},
    "resolved_when": {"at_least": {"value": "closed", "limit": 1}},
    "cooldown": "PT1H",
    "title": {"en": "Waits", "zh": "等待"},
    "advice": {"en": "Answer", "zh": "回复"},
    "owner": "shift lead",
    "audience": "team",
    "known_false_alarms": {"en": "A last word", "zh": "最后一句话"},
    "evidence": ["waiting_ms"],
    "examples": [
        {"values": {"conversation_age_ms": "PT1M"}, "expect": "warning"},
        {"values": {"conversation_age_ms": "PT59S"}, "expect": "none"},
    ],
}
#: About an agent, whatever the features are.
RATED_BADLY: dict[str, Any] = {
    **WAITS,
    "name": "rated_badly",
    "subject": "agent",
    "tiers": {"critical": {"at_least": {"value": "replies", "limit": 1}}},
    "resolved_when": {"at_least": {"value": "replies", "limit": 90}},
    "title": {"en": "Rated badly", "zh": "差评"},
    "evidence": ["agent_dissatisfied_rate_30d"],
    "examples": [{"values": {"replies": 1}, "expect": "critical"}, {"values": {"replies": 99}, "expect": "resolved"}],
}


def rule(base: dict[str, Any] = WAITS, **changed: Any) -> dict[str, Any]:
    """A valid rule with some keys changed."""
    return copy.deepcopy(base) | changed


def document(*rules: dict[str, Any], revision: str = "a", **fields: Any) -> bytes:
    return json.dumps({"revision": revision, **fields, "rules": list(rules)}).encode()


def rules_set(*rules: dict[str, Any], revision: str = "a", **fields: Any) -> SettingsChanged:
    return SettingsChanged(shop_id="shop", document=document(*rules, revision=revision, **fields), section=RULES)
