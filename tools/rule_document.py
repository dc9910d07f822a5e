"""Write docs/rules.md from the declared rules: `.venv/bin/python -m tools.rule_document`."""

from cli.paths import ROOT
from service_quality.alerts.rule_set import RULES
from service_quality.alerts.rules import AllOf, AnyOf, AtLeast, Below, Condition, Missing, Rule
from service_quality.alerts.wording import name_in_words, value_in_words
from service_quality.alerts.wording_messages import RULES as TITLES

PATH = ROOT / "docs" / "rules.md"

_HEAD = """# Rules and their limits

When an alert is raised, and when it ends. This page is written by `.venv/bin/python -m tools.rule_document` from
`functions/shared/service_quality/alerts/rule_set.py`; a test says when it is out of date. Do not edit it by hand.

A rule is asked at every scored event of its kinds. The first severity whose condition holds decides; a value that is
missing satisfies no condition. Within the cooldown after the last message, an alert that holds or comes back is counted
and not sent, unless it is graver than that message; what still holds when the cooldown is over is sent again with the
count ([what an alert lives through](architecture.md#the-state-of-an-alert)). The audience is an attribute of each
message, by which [subscribers filter](architecture.md#subscribers). The limits are those of the release: a shop has
none of its own yet. To change one, edit `rule_set.py`, raise the rule's `version`, and deploy; the demo's page says
what it does to precision and recall on your own contacts.
"""
_SECTION = """
## `{name}`: {title} / {title_zh}

| | |
|---|---|
| about | {subject} |
| audience | {audience} |
| version | {version} |
| asked at | {kinds} |
{tiers}| ends | {resolved} |
| cooldown | {cooldown} |
| evidence | {evidence} |
"""


def render_rules() -> str:
    """The whole page."""
    return _HEAD + "".join(map(_section, RULES))


def condition_in_words(condition: Condition) -> str:
    """A condition with its values' names as in code, and limits with their units.

    >>> condition_in_words(AnyOf((AtLeast("waiting_ms", 1_800_000), Missing("waiting_ms"))))
    '`waiting_ms` at least 30 min, or `waiting_ms` missing'
    >>> condition_in_words(Below("agent_dissatisfied_rate_30d", "supervisor_dissatisfied_rate_30d", times=1.3))
    '`agent_dissatisfied_rate_30d` below 1.3 × `supervisor_dissatisfied_rate_30d`'
    """
    match condition:
        case AllOf(conditions):
            return " and ".join(map(condition_in_words, conditions))
        case AnyOf(conditions):
            return ", or ".join(map(condition_in_words, conditions))
        case Missing(value):
            return f"`{value}` missing"
        case AtLeast("closed", 1):
            return "the conversation is closed"
    said = "below" if isinstance(condition, Below) else "at least"
    return f"`{condition.value}` {said} {_limit(condition)}"


def _limit(comparison: AtLeast | Below) -> str:
    if isinstance(comparison.limit, str):
        return f"{comparison.times:g} × `{comparison.limit}`"
    if comparison.value == "score":
        return f"{comparison.limit:g}"
    return value_in_words(comparison.value, comparison.limit * comparison.times, "en")


def _section(rule: Rule) -> str:
    return _SECTION.format(
        name=rule.name,
        title=TITLES[rule.name].en,
        title_zh=TITLES[rule.name].zh,
        subject=rule.subject,
        audience=rule.audience,
        version=rule.version,
        kinds=", ".join(f"`{kind}`" for kind in sorted(rule.kinds)),
        tiers="".join(f"| {severity} | {condition_in_words(condition)} |\n" for severity, condition in rule.tiers),
        resolved=condition_in_words(rule.resolved_when),
        cooldown=value_in_words("waiting_ms", rule.cooldown_ms, "en"),
        evidence=", ".join(f"{name_in_words(name, 'en')} (`{name}`)" for name in rule.evidence),
    )


if __name__ == "__main__":
    PATH.write_text(render_rules(), "utf-8")
