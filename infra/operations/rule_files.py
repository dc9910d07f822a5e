"""Rule files: YAML that people write, as the document that a shop's log takes; every mistake is found here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cli.yaml_files import read_yaml
from infra.operations.errors import ArgumentsError, NotThereError
from infra.operations.mistakes import Mistake
from service_quality.alerts.rule_document import RulesDocument, find_problems
from service_quality.alerts.rules import SEVERITIES, Rule
from service_quality.features.feature_set import FEATURES


class RuleFile(NamedTuple):
    """A file's document, and what it says where it has no mistakes."""

    document: bytes
    found: RulesDocument
    mistakes: Sequence[Mistake]


def read_rule_file(path: Path) -> RuleFile:
    """The document of a file; NotThereError without the file, ArgumentsError for one that cannot be read."""
    try:
        text = read_yaml(path.read_bytes())
    except FileNotFoundError:
        raise NotThereError(f"found no file {path}, expected rules in YAML") from None
    except OSError as error:
        raise ArgumentsError(f"{path}: {error.strerror}, expected a file that can be read") from None
    document = json.dumps(text.value, ensure_ascii=False, separators=(",", ":")).encode()
    mistakes = [Mistake(one.line, "", one.found, one.expected) for one in text.problems]
    if text.value is None and mistakes:
        return RuleFile(document, RulesDocument("", None, ()), mistakes)
    found, problems = find_problems(document, FEATURES)
    mistakes += [Mistake(text.line_of(one.path), *one) for one in problems]
    return RuleFile(document, found, sorted(mistakes, key=lambda one: one.line or 0))


def rules_line(found: RulesDocument) -> str:
    """A revision in a few words: its name, how many rules it has, and what it follows."""
    count = len(found.rules)
    follows = f"follows {found.follows}" if found.follows else "the first"
    return f"revision {found.revision}, {count} {'rule' if count == 1 else 'rules'}, {follows}"


def rule_line(rule: Rule) -> str:
    """A rule in a few words: its name and version, about what, whom it calls, and its title."""
    tiers = ", ".join(severity for severity, _ in rule.tiers)
    called = " and ".join(rule.audiences_up_to(SEVERITIES[-1]))
    return f"{rule.name} {rule.version}: about {rule.subject}, {tiers}, for {called}: {rule.title.en}"
