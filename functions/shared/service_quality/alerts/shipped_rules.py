"""The rules of a shop that has none of its own: written in shipped_rules.yaml, read from the JSON made of it.

`.venv/bin/python -m tools.rule_documents` makes shipped_rules.json, as functions have no reader of YAML.
"""

import json
import pkgutil
from functools import cache

from service_quality.alerts.conditions import AtLeast
from service_quality.alerts.rules import Rule
from service_quality.alerts.stored_rules import read_rules
from service_quality.features.feature_set import FEATURES
from service_quality.message import NO_TEXT, Message

FILE = "shipped_rules.json"


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The rules of the release, in the order in which they are asked."""
    return read_rules(json.loads(pkgutil.get_data(__package__, FILE) or b""), FEATURES)


@cache
def rule_named(name: str) -> Rule | None:
    """The shipped rule of a name; None for a name that no shipped rule has.

    >>> rule_named("high_risk").title.en
    'Conversation is likely to end dissatisfied'
    """
    return next((rule for rule in shipped_rules() if rule.name == name), None)


def shipped_texts(kind: str) -> tuple[Message, Message]:
    """Title and advice of the shipped rule of a name, for an alert that does not carry them.

    The name and an empty text where no shipped rule has it.
    """
    rule = rule_named(kind)
    return (rule.title, rule.advice) if rule is not None else (Message(kind, kind), NO_TEXT)


def title_of(kind: str, language: str) -> str:
    """The title of the shipped rule of a name; the name itself where no shipped rule has it.

    >>> title_of("high_risk", "zh"), title_of("own_rule", "zh")
    ('会话很可能以顾客不满意告终', 'own_rule')
    """
    return shipped_texts(kind)[0].said(language)


@cache
def decision_threshold() -> float:
    """From this probability on a shipped rule calls: no conversion of a model may flip a decision here.

    >>> decision_threshold()
    0.5
    """
    conditions = [condition for rule in shipped_rules() for _, condition in rule.tiers]
    limits = (one.limit for one in conditions if isinstance(one, AtLeast) and one.value == "score")
    return min(float(limit) for limit in limits)
