"""Rules as they are stored: read at a start and with a shop, without the checks that they passed when they were taken.

A name that this release does not serve is a value that is missing, so a rule that reads it says nothing.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import TypedDict

from service_quality.alerts.conditions import (
    AboveParent,
    AbovePast,
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    Condition,
    HeldFor,
    Missing,
    Not,
    OneOf,
)
from service_quality.alerts.rules import Rule
from service_quality.features.declarations import RATES, FeatureSet, Rate, Total
from service_quality.histories.windows import WINDOWS
from service_quality.message import Message

#: A kind of condition, and what it is made of: names, numbers, other conditions.
StoredCondition = list[object]


class StoredRule(TypedDict):
    """The JSON form of a rule; `kinds` are in order, messages in the order of their languages."""

    name: str
    version: int
    subject: str
    kinds: list[str]
    tiers: list[tuple[str, StoredCondition]]
    resolved_when: StoredCondition
    cooldown_ms: int
    evidence: list[str]
    audiences: list[tuple[str, str]]
    title: list[str]
    advice: list[str]
    owner: str
    known_false_alarms: list[str]


def store_rules(rules: Iterable[Rule]) -> list[StoredRule]:
    """The JSON form of rules."""
    return [
        StoredRule(
            name=rule.name,
            version=rule.version,
            subject=rule.subject,
            kinds=sorted(rule.kinds),
            tiers=[(severity, _store(condition)) for severity, condition in rule.tiers],
            resolved_when=_store(rule.resolved_when),
            cooldown_ms=rule.cooldown_ms,
            evidence=list(rule.evidence),
            audiences=list(rule.audiences),
            title=list(rule.title),
            advice=list(rule.advice),
            owner=rule.owner,
            known_false_alarms=list(rule.known_false_alarms),
        )
        for rule in rules
    ]


def read_rules(stored: Iterable[StoredRule], features: FeatureSet) -> tuple[Rule, ...]:
    """The rules that `store_rules` wrote, over the features that this release serves."""
    return tuple(
        Rule(
            name=one["name"],
            version=one["version"],
            subject=one["subject"],
            kinds=frozenset(one["kinds"]),
            tiers=tuple((severity, _read(condition, features)) for severity, condition in one["tiers"]),
            resolved_when=_read(one["resolved_when"], features),
            cooldown_ms=one["cooldown_ms"],
            evidence=tuple(one["evidence"]),
            audiences=tuple((severity, audience) for severity, audience in one["audiences"]),
            title=Message(*one["title"]),
            advice=Message(*one["advice"]),
            owner=one["owner"],
            known_false_alarms=Message(*one["known_false_alarms"]),
        )
        for one in stored
    )


def above_parent(features: FeatureSet, rate: str, at_least: int, confidence: float) -> AboveParent | None:
    """The condition that a served rate is above its parent's; None unless its parent and its trials are served, too."""
    declared = next((one for one in features.features if isinstance(one, Rate) and one.name == rate), None)
    if declared is None or not isinstance(declared.parent, Rate):
        return None
    count = Total(declared.entity, RATES[declared.rate][1], declared.window).name
    if not {count, declared.parent.name} <= {*features.names}:
        return None
    return AboveParent(rate, declared.parent.name, count, declared.prior_weight, at_least, confidence)


def above_past(features: FeatureSet, asked: AbovePast) -> AbovePast | None:
    """The condition with the share of its windows; None unless both counts are served, of one fact of one entity."""
    counts = {one.name: one for one in features.features if isinstance(one, Total)}
    short, long = counts.get(asked.recent), counts.get(asked.past)
    if short is None or long is None or (short.entity, short.fact) != (long.entity, long.fact):
        return None
    share = WINDOWS[short.window].length / WINDOWS[long.window].length
    return asked._replace(share=share) if share < 1 else None


def held_for(condition: Condition, duration_ms: int) -> HeldFor:
    """The condition that another one has held for so long, under a name that the other alone decides.

    >>> held_for(AtLeast("score", 0.5), 60_000).name == held_for(AtLeast("score", 0.5), 90_000).name
    True
    """
    content = json.dumps(_store(condition), separators=(",", ":")).encode()
    return HeldFor(condition, duration_ms, f"held:{zlib.crc32(content):08x}")


def _store(condition: Condition) -> StoredCondition:  # noqa: PLR0911  # one for each kind
    match condition:
        case AllOf(conditions):
            return ["all_of", *map(_store, conditions)]
        case AnyOf(conditions):
            return ["any_of", *map(_store, conditions)]
        case Not(inner):
            return ["not", _store(inner)]
        case HeldFor(inner, duration_ms):
            return ["for", duration_ms, _store(inner)]
        case AtLeast(value, limit, times):
            return ["at_least", value, limit, times]
        case Below(value, limit, times):
            return ["below", value, limit, times]
        case Between(value, lowest, below):
            return ["between", value, lowest, below]
        case OneOf(value, numbers):
            return ["one_of", value, *numbers]
        case Missing(value):
            return ["missing", value]
        case AboveParent():
            return ["above_parent", condition.rate, condition.at_least, condition.confidence]
        case AbovePast():
            counts = [condition.recent, condition.past, condition.at_least, condition.past_at_least]
            return ["above_past", *counts, condition.times, condition.confidence]


def _read(stored: Sequence[object], features: FeatureSet) -> Condition:  # noqa: PLR0911  # one for each kind
    match stored:
        case ["all_of", *conditions]:
            return AllOf(tuple(_read(one, features) for one in conditions if isinstance(one, list)))
        case ["any_of", *conditions]:
            return AnyOf(tuple(_read(one, features) for one in conditions if isinstance(one, list)))
        case ["not", list(inner)]:
            return Not(_read(inner, features))
        case ["for", int(duration_ms), list(inner)]:
            return held_for(_read(inner, features), duration_ms)
        case ["at_least", str(value), (str() | int() | float()) as limit, (int() | float()) as times]:
            return AtLeast(value, limit, times)
        case ["below", str(value), (str() | int() | float()) as limit, (int() | float()) as times]:
            return Below(value, limit, times)
        case ["between", str(value), (int() | float()) as lowest, (int() | float()) as below]:
            return Between(value, lowest, below)
        case ["one_of", str(value), *numbers]:
            return OneOf(value, tuple(one for one in numbers if isinstance(one, int | float)))
        case ["missing", str(value)]:
            return Missing(value)
        case ["above_parent", str(rate), int(at_least), float(confidence)]:
            return above_parent(features, rate, at_least, confidence) or _unserved(rate)
        case ["above_past", str(recent), str(past), int(least), int(older), (int() | float()) as times, float(sure)]:
            asked = AbovePast(recent, past, 0, least, older, times, sure)
            return above_past(features, asked) or _unserved(recent)
    raise ValueError(f"found the stored condition {stored!r}, expected one of this release")


def _unserved(name: str) -> Condition:
    """A condition over what this release does not serve: it neither holds nor fails."""
    return AtLeast(f"{name} (not served)", 0)
