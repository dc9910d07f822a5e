"""Write what follows from the declared rules (`python -m tools.rule_documents`).

These are docs/rules.md, docs/rules.schema.json, and shipped_rules.json from shipped_rules.yaml.
"""

import json
import sys
from functools import partial

from cli.paths import ROOT
from cli.yaml_files import read_yaml
from service_quality.alerts import rule_forms as forms
from service_quality.alerts.rule_document import parse_rules
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.alerts.rules import AUDIENCES, Rule
from service_quality.alerts.stored_rules import store_rules
from service_quality.alerts.value_ranges import SCORE
from service_quality.alerts.wording import name_in_words, value_in_words
from service_quality.conversations.event_values import EVENT_VALUES
from service_quality.errors import RejectedRulesError
from service_quality.features.feature_set import FEATURES
from tools.rule_schema import render_schema
from tools.rule_words import condition_in_words

_ALERTS = ROOT / "functions" / "shared" / "service_quality" / "alerts"
SOURCE, SHIPPED = _ALERTS / "shipped_rules.yaml", _ALERTS / "shipped_rules.json"
PAGE = ROOT / "docs" / "rules.md"
SCHEMA = ROOT / "docs" / "rules.schema.json"
EXAMPLE = ROOT / "examples" / "rules.yaml"

_HEAD = """# Rules

When an alert is raised, when it ends, and how a shop gets rules of its own. This page is written by
`.venv/bin/python -m tools.rule_documents` from
`functions/shared/service_quality/alerts/rule_forms.py` and `shipped_rules.yaml` beside it; a test says when it is out
of date. Do not edit it by hand.

A rule is asked at every event of its kinds. The gravest severity whose condition holds decides. Within the cooldown
after the last message, an alert that holds or comes back is counted and not sent, unless it is graver than that
message; what was counted and still holds when the cooldown is over is sent again with the count, though nothing
happens then ([what an alert lives through](architecture.md#the-state-of-an-alert)). A rule that asks for
`waited_share`, the part of its target's time that a wait has taken, has a cooldown that ends with the wait: every
breach of a target sends its messages. The audience is an attribute of each message, by which
[subscribers filter](architecture.md#subscribers).

## Rules of a shop's own

A shop without rules of its own has [the shipped ones](#the-shipped-rules). One that has some has these alone, from the
position of their record on its log on; a list without a rule is a shop without alerts. People write them in YAML,
[examples/rules.yaml](../examples/rules.yaml) is a file to begin with; what is put on the log is the same as JSON, of
at most 64 KB ([schema](rules.schema.json)).

```bash
.venv/bin/python -m infra.operations rules check FILE.yaml
.venv/bin/python -m infra.operations rules set --stack STACK --shop SHOP FILE.yaml
.venv/bin/python -m infra.operations rules show --stack STACK --shop SHOP
```

`check` calls nothing. It prints every mistake of the file, a line each, with the line of the file, what was found and
expected, and the known name that is nearest to an unknown one (exit code 2); or what the file declares. `set` checks in
the same way, signs the rules with the deployment's key, puts them on the shop's log and waits until the log has come to
them. `show` prints which revision is in force, since which position of the log, and its rules.

- The file names in `follows` the present revision of the shop, and nothing where the shop has the shipped rules. The
  log rejects one that follows another revision (`other_revision`, exit code 3).
- A file that is rejected leaves the rules in force as they are, whether the command or the log rejects it.
- `set` may be run again: rules that are in force already are not put a second time.
- A rule keeps its open alerts while its `name` and `subject` stay. Raise its `version` when you change what it asks.
- The open alerts of a rule that is withdrawn end at the next event of their subject, with a message that says why
  (`ended_by`: `rule_withdrawn`); [why not at once](adr/0042-rules-are-data.md).
- A turn that waits when rules are set keeps the timer that it has; one without a timer gets that of the new rules with
  the next event of its conversation.
- `backtest_rules --events EVENTS.jsonl --rules FILE.yaml` prints each message of a small log ([a dry run](dry_run.md)).

## What they would do

```bash
.venv/bin/python -m spark_jobs backtest_rules FILE.yaml --lake LAKE --from 2026-11-01 --to 2026-11-08
```

folds the log that `fold_archive` has brought into the lake (or an archive named behind the file) once with these rules
and once with those in force, and prints a line a rule. `--shop` chooses shops, `--json FILE` writes the figures.

| column | says |
|---|---|
| `a day`, `now` | alerts a day, and those of the rule in force under the same name |
| `info`, `warning`, `critical` | alerts by the gravest severity that they reached |
| `right` | of the conversations that were rated later, those whose next rating was a dissatisfied one |
| `found` | of the conversations with a dissatisfied rating, those that were alerted before it |
| `before answer`, `min ahead` | alerts that came before the first answer, and by how many minutes in the middle |
| `known` | alerts about somebody or something that the rules in force had alerted by then, under any name |

- Time reaches the stages of waits between the records. Scores are those that were served; a stage that no deployment
  reached has none, so a rule over the score says nothing there.
- The past that an import brought is not on the log: rules over long windows see it fill from the log's beginning on.
- A shop's log is folded in one task ([why](adr/0045-rules-are-tried-by-the-commit-itself.md)).

"""
_TABLES = """## Keys

| key | says |
|---|---|
{document}

| key of a rule | says |
|---|---|
{rule}

All keys of a rule are required. `evidence` of an alert about anything but a conversation names values of histories
alone: such an alert shows nothing of a single conversation. Each rule has at least one example in which it calls and
one in which it is silent. Texts are in {languages}; audiences are {audiences}. An audience is one word, or one for each
severity that has a tier (`audience: {{info: operations, warning: team}}`): an alert that becomes graver calls the
further one, too, and who was called hears of its end. Nothing is delivered to one person yet: a notice that is for the
agent goes to the audience operations.

## Conditions

A condition is an object of one key, its kind. A value that is missing satisfies no condition, and `not` says nothing of
it either; only `missing` does. What a rule asks `for` has held since the first time at which the rule was asked and
found it so, if it was found so each time since; the rule of a conversation is asked again when the time is over.
`for` is not asked within another `for`. An example says in `held` how long its values have been so. Durations are
written as `PT30M`, `PT4H` or `P7D`, money in minor units of its currency. [What each value can be](#values) is below.

A condition over `waiting_ms` or `waited_share` is looked at when time reaches the limit at which it may begin to hold,
wherever it is written: `not` below ten minutes begins where ten minutes at least do. So neither is compared with
another value, of which no timer knows when it is reached. `waiting_days` has no such stage: it is looked at with events
and with the stages of other values.

| condition | holds where | keys |
|---|---|---|
{conditions}

Intervals are score intervals (Wilson), compared by squares, so that every engine decides alike. `above_parent` reads
the rate as it is served, shrunk towards its parent, and asks about the raw one. It takes {rates}. `above_past` takes
{pasts}.

A rule about anything but a conversation calls on a rate, or on a share of a window, only beyond chance: a tier that
reads one has `above_parent` or `above_past` beside it in `all_of`, and so has each branch of an `any_of` that reads
one. Such a condition has a least number of cases and an interval. Counts and times may be compared with a limit alone,
which is their least number.

## Values

Conditions read the values of the conversation, the score, and [every feature](feature_dictionary.md). A limit that a
value can never meet is refused, and so is an example with a number that its value cannot be. A limit of `below`, and of
`between` under that key, is more than the least number, and for whole numbers at most one more than the greatest.

| value of the conversation | is | can be |
|---|---|---|
{values}

| value of histories | can be |
|---|---|
{histories}

## The shipped rules
"""
_HOLDS = {
    "at_least": "a value is at least a limit, or at least `times` another value",
    "below": "a value is below a limit, or below `times` another value",
    "between": "a value is at least `from` and below `below`",
    "one_of": "a value is one of some numbers",
    "for": "a condition has held for a while, whenever the rule was asked",
    "above_parent": "an entity's rate is above its parent's, beyond chance",
    "above_past": "an entity's count is above what its own past lets expect, beyond chance",
    "missing": "a value is not known",
    "not": "a condition is known not to hold",
    **forms.COMBINED,
}
_SECTION = """
### `{name}`: {title} / {title_zh}

| | |
|---|---|
| about | {subject} |
| version | {version} |
| asked at | {kinds} |
{tiers}| ends | {resolved} |
| cooldown | {cooldown} |
| evidence | {evidence} |
| calls | {audience}; {owner} answers for it |
| known false alarms | {false_alarms} |
"""


def render_page() -> str:
    """The whole page."""
    vocabulary = Vocabulary(FEATURES)
    tables = _TABLES.format(
        document=_rows(forms.DOCUMENT_KEYS),
        rule=_rows(forms.RULE_KEYS),
        conditions="\n".join(f"| `{kind}` | {_HOLDS[kind]} | {_keys(kind)} |" for kind in forms.ALGEBRA),
        languages=" and ".join(f"`{language}`" for language in forms.TEXT_KEYS),
        audiences=", ".join(f"`{one}`" for one in AUDIENCES),
        values="\n".join(map(partial(_value_row, vocabulary), (*EVENT_VALUES, SCORE))),
        histories=_ranges_of_histories(vocabulary),
        rates=_named(vocabulary.rates, "rates with their parent and their number of trials"),
        pasts=_named(vocabulary.pasts, "counts of one fact in two windows"),
    )
    return _HEAD + tables + "".join(map(_section, declared_rules()))


def declared_rules() -> tuple[Rule, ...]:
    """The rules of shipped_rules.yaml; RejectedRulesError for a file with mistakes."""
    text = read_yaml(SOURCE.read_bytes())
    if text.problems:
        raise RejectedRulesError([f"line {one.line}: found {one.found}" for one in text.problems])
    return parse_rules(json.dumps(text.value).encode(), FEATURES).rules


def render_shipped() -> str:
    """The shipped rules as functions read them."""
    return json.dumps(store_rules(declared_rules()), indent=1, ensure_ascii=False) + "\n"


def _value_row(vocabulary: Vocabulary, name: str) -> str:
    return f"| `{name}` | {name_in_words(name, 'en')} | {vocabulary.ranges[name].in_words} |"


def _ranges_of_histories(vocabulary: Vocabulary) -> str:
    """A row for each range, with the values of histories that have it."""
    names: dict[str, list[str]] = {}
    for name in vocabulary.values:
        if name not in vocabulary.of_conversation:
            names.setdefault(vocabulary.ranges[name].in_words, []).append(f"`{name}`")
    return "\n".join(f"| {', '.join(of_range)} | {in_words} |" for in_words, of_range in names.items())


def _rows(keys: dict[str, str]) -> str:
    return "\n".join(f"| `{name}` | {says} |" for name, says in keys.items())


def _keys(kind: str) -> str:
    if kind in forms.CONDITION_KEYS:
        return "; ".join(f"`{key}`: {says}" for key, says in forms.CONDITION_KEYS[kind].items())
    return {"missing": "the name of a value", "not": "a condition"}.get(kind, "a list of conditions")


def _named(names: object, what: str) -> str:
    listed = [f"`{name}`" for name in names] if isinstance(names, tuple | dict) else []
    return ", ".join(listed) if listed else f"{what}, of which this release serves none"


def _section(rule: Rule) -> str:
    return _SECTION.format(
        name=rule.name,
        title=rule.title.en,
        title_zh=rule.title.zh,
        subject=rule.subject,
        version=rule.version,
        kinds=", ".join(f"`{kind}`" for kind in sorted(rule.kinds)),
        tiers="".join(f"| {severity} | {condition_in_words(condition)} |\n" for severity, condition in rule.tiers),
        resolved=condition_in_words(rule.resolved_when),
        cooldown=value_in_words("waiting_ms", rule.cooldown_ms, "en"),
        evidence=", ".join(f"{name_in_words(name, 'en')} (`{name}`)" for name in rule.evidence),
        audience=audiences_in_words(rule),
        owner=rule.owner,
        false_alarms=rule.known_false_alarms.en,
    )


def audiences_in_words(rule: Rule) -> str:
    """Whom a rule calls, by severity where that differs."""
    called = dict(rule.audiences)
    if len({*called.values()}) == 1:
        return next(iter(called.values()))
    return ", ".join(f"{audience} ({severity})" for severity, audience in called.items())


def main() -> int:
    """Write the files, or say what is wrong with the rules."""
    try:
        SHIPPED.write_text(render_shipped(), "utf-8")
    except RejectedRulesError as error:
        print(f"{SOURCE.relative_to(ROOT)}:\n{error}", file=sys.stderr)
        return 1
    SCHEMA.write_text(render_schema(Vocabulary(FEATURES)), "utf-8")
    PAGE.write_text(render_page(), "utf-8")
    print(SHIPPED.relative_to(ROOT), SCHEMA.relative_to(ROOT), PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
