"""Documents of rules: JSON of at most 64 KB, taken whole or rejected with every mistake at once."""

from collections.abc import Sequence
from typing import NamedTuple

from service_quality.alerts import rule_forms as forms
from service_quality.alerts.chance import rate_by_chance
from service_quality.alerts.condition_document import read_condition, require
from service_quality.alerts.conditions import Condition, Values
from service_quality.alerts.document_place import Place, Read
from service_quality.alerts.rule_forms import NONE, RESOLVED, Form
from service_quality.alerts.rule_problems import Problems
from service_quality.alerts.rule_vocabulary import KIND_NAMES, Vocabulary
from service_quality.alerts.rules import AUDIENCES, CONVERSATION, SEVERITIES, Rule
from service_quality.errors import RejectedRulesError
from service_quality.events.kinds import GROUPS
from service_quality.features.declarations import FeatureSet
from service_quality.message import Message
from service_quality.policies.document_values import JsonObject, Problem, shown
from service_quality.policies.json_documents import read_json_object


class RulesDocument(NamedTuple):
    """The rules of a shop as a revision says them; an empty sequence is a shop without alerts."""

    revision: str
    follows: str | None
    rules: tuple[Rule, ...]


class Example(NamedTuple):
    """Values by name, what is expected of them, and for how long they have been so, in milliseconds."""

    values: dict[str, float | None]
    expect: str
    held_ms: int = 0


def parse_rules(document: bytes, features: FeatureSet) -> RulesDocument:
    """The rules of a document, each with its examples met; RejectedRulesError names every mistake in it."""
    found, problems = find_problems(document, features)
    if problems:
        raise RejectedRulesError([str(one) for one in problems])
    return found


def find_problems(document: bytes, features: FeatureSet) -> tuple[RulesDocument, Sequence[Problem]]:
    """What a document says, and its mistakes; only a document without mistakes says what it means."""
    problems = Problems()
    place = Place(problems, Vocabulary(features))
    given = read_json_object(document, problems.add)
    fields = problems.object_at("", given, known=(*forms.DOCUMENT_KEYS,)) if given is not None else {}
    if given is None:
        return RulesDocument("", None, ()), problems.found
    require(place, fields, ("revision", "rules"))
    revision = place.at("revision").read(fields.get("revision", "?"), forms.REVISION, "")
    follows = place.at("follows").read(fields["follows"], forms.REVISION, "") if "follows" in fields else None
    if follows is not None and follows == revision:
        place.at("follows").add("the document's own revision", "the revision before it")
    return RulesDocument(revision, follows, _read_rules(place.at("rules"), fields.get("rules", []))), problems.found


def _read_rules(place: Place, value: object) -> tuple[Rule, ...]:
    if not isinstance(value, list) or len(value) > forms.MOST_RULES:
        found = f"{len(value)} rules" if isinstance(value, list) else shown(value)
        place.add(found, f"a list of at most {forms.MOST_RULES} rules")
        return ()
    rules = tuple(
        rule for number, one in enumerate(value) if (rule := _read_rule(place.entry(number), one)) is not None
    )
    names = [rule.name for rule in rules]
    for number, name in enumerate(names):
        if name and name in names[:number]:
            place.entry(number).at("name").add(f"the name {name} again", "a name of its own for each rule")
    return rules


def _read_rule(place: Place, value: object) -> Rule | None:
    """The rule at a place, which names every key; None for what is no object."""
    before = len(place.problems.found)
    fields = place.problems.object_at(place.path, value, known=(*forms.RULE_KEYS,))
    if not isinstance(value, dict):
        return None
    require(place, fields, (*forms.RULE_KEYS,))
    reader = _RuleReader(place, fields)
    subject = reader.subject()
    rule = Rule(
        name=reader.read("name", forms.NAME, ""),
        version=reader.read("version", forms.VERSION, 1),
        subject=subject,
        kinds=reader.kinds(),
        tiers=reader.tiers(subject),
        resolved_when=reader.condition("resolved_when"),
        cooldown_ms=reader.read("cooldown", forms.COOLDOWN, 0),
        title=reader.message("title"),
        advice=reader.message("advice"),
        owner=reader.read("owner", forms.OWNER, ""),
        audiences=reader.audiences(),
        known_false_alarms=reader.message("known_false_alarms"),
        evidence=reader.evidence(subject),
    )
    examples = reader.examples()
    if len(place.problems.found) == before:
        _run_examples(place.at("examples"), rule, examples)
    return rule


class _RuleReader(NamedTuple):
    """The keys of one rule; one that is absent is a problem already."""

    place: Place
    fields: JsonObject

    def read(self, key: str, form: Form[Read], fallback: Read) -> Read:
        return self.place.at(key).read(self.fields[key], form, fallback) if key in self.fields else fallback

    def subject(self) -> str:
        """A known subject; the conversation in the place of any other."""
        known = self.place.vocabulary.subjects
        if "subject" not in self.fields:
            return CONVERSATION
        name = self.place.at("subject").read_name(self.fields["subject"], known, "subjects")
        return name if name in known else CONVERSATION

    def kinds(self) -> frozenset[str]:
        """The kinds of events, those of groups included."""
        names = self._names("kinds", KIND_NAMES, "kinds and groups of events", len(KIND_NAMES))
        return frozenset(kind for name in names for kind in GROUPS.get(name, {name}))

    def tiers(self, subject: str) -> tuple[tuple[str, Condition], ...]:
        """The severities with their conditions, gravest first; rates of many conversations call beyond chance alone."""
        if "tiers" not in self.fields:
            return ()
        place, given = self.place.at("tiers"), self.fields["tiers"]
        held = place.problems.object_at(place.path, given, known=SEVERITIES)
        if given == {}:
            place.add("no severity", f"one or more of {', '.join(SEVERITIES)}")
        ordered = [severity for severity in reversed(SEVERITIES) if severity in held]
        tiers = tuple((severity, read_condition(place.at(severity), held[severity])) for severity in ordered)
        for severity, condition in tiers if subject != CONVERSATION else ():
            if rate := rate_by_chance(condition, self.place.vocabulary.of_trials):
                expected = "above_parent or above_past, which must hold with it: few cases move a rate by chance"
                place.at(severity).add(f"{rate} without an interval", expected)
        return tiers

    def condition(self, key: str) -> Condition:
        """A condition; one that says nothing where there is none."""
        return read_condition(self.place.at(key), self.fields.get(key, {"missing": "score"}))

    def message(self, key: str) -> Message:
        """A text in every language."""
        if key not in self.fields:
            return Message("", "")
        place, given = self.place.at(key), self.fields[key]
        texts = place.problems.object_at(place.path, given, known=forms.TEXT_KEYS)
        if isinstance(given, dict):
            require(place, texts, forms.TEXT_KEYS)
        read = {name: place.at(name).read(text, forms.TEXTS[key], "") for name, text in texts.items()}
        return Message(*(read.get(name, "") for name in forms.TEXT_KEYS))

    def audiences(self) -> tuple[tuple[str, str], ...]:
        """Whom each severity calls: one audience for all, or one for each severity of a tier."""
        given = self.fields.get("audience", AUDIENCES[0])
        if not isinstance(given, dict):
            audience = self.read("audience", forms.AUDIENCE, AUDIENCES[0])
            return tuple((severity, audience) for severity in SEVERITIES)
        place, tiers = self.place.at("audience"), self.fields.get("tiers")
        asked = tuple(one for one in SEVERITIES if isinstance(tiers, dict) and one in tiers)
        called = place.problems.object_at(place.path, given, known=asked or SEVERITIES)
        require(place, called, asked)
        named = [one for one in SEVERITIES if one in called]
        return tuple((one, place.at(one).read(called[one], forms.AUDIENCE, AUDIENCES[0])) for one in named)

    def evidence(self, subject: str) -> tuple[str, ...]:
        """Names of values; those of a conversation only where the alert is about it."""
        vocabulary = self.place.vocabulary
        names = self._names("evidence", vocabulary.values, "values", forms.MOST_EVIDENCE)
        for number, name in enumerate(names if subject != CONVERSATION else ()):
            if name in vocabulary.of_conversation:
                expected = f"a value of histories: an alert about {subject} shows nothing of a single conversation"
                self.place.at("evidence").entry(number).add(shown(name), expected)
        return names

    def examples(self) -> list[Example]:
        """The examples."""
        if "examples" not in self.fields:
            return []
        place = self.place.at("examples")
        given = place.problems.list_at(place.path, self.fields["examples"], of="examples", most=forms.MOST_EXAMPLES)
        return [_read_example(place.entry(number), one) for number, one in enumerate(given)]

    def _names(self, key: str, known: tuple[str, ...], what: str, most: int) -> tuple[str, ...]:
        if key not in self.fields:
            return ()
        place = self.place.at(key)
        given = place.problems.list_at(place.path, self.fields[key], of=what, most=most)
        names = tuple(place.entry(number).read_name(one, known, what) for number, one in enumerate(given))
        for number, name in enumerate(names):
            if name and name in names[:number]:
                place.entry(number).add(f"{shown(name)} again", "each name once")
        return names


def _read_example(place: Place, value: object) -> Example:
    fields = place.problems.object_at(place.path, value, known=(*forms.EXAMPLE_KEYS,))
    if not isinstance(value, dict):
        return Example({}, NONE)
    require(place, fields, ("values", "expect"))
    held_ms = place.at("held").read(fields["held"], forms.HELD_FOR, 0) if "held" in fields else 0
    expect = place.at("expect").read(fields.get("expect", NONE), forms.EXPECT, NONE)
    held, given = place.at("values"), fields.get("values", {})
    if not isinstance(given, dict):
        held.add(shown(given), "an object of values by name")
        return Example({}, expect)
    values: dict[str, float | None] = {}
    for name, one in given.items():
        at = held.at(name)
        if name not in place.vocabulary.values:
            place.problems.add_unknown(at.path, name, place.vocabulary.values, "values")
        else:
            values[name] = None if one is None else at.read_possible(one, name)
    return Example(values, expect, held_ms)


def _run_examples(place: Place, rule: Rule, examples: Sequence[Example]) -> None:
    """A problem for each example that the rule decides otherwise, and where no example is of one of both sorts."""
    for number, (values, expect, held_ms) in enumerate(examples):
        decided = decision_of(rule, values | {one.name: held_ms for one in rule.held_conditions})
        if decided != expect:
            place.entry(number).add(f"an example that expects {expect}", f"what the rule decides of it: {decided}")
    calls = {one.expect in SEVERITIES for one in examples}
    if calls == {True}:
        place.add("no example in which the rule is silent", "one that expects none or resolved")
    if calls == {False}:
        place.add("no example in which the rule calls", f"one that expects one of {', '.join(SEVERITIES)}")


def decision_of(rule: Rule, values: Values) -> str:
    """What a rule decides of values: a severity, resolved where an open alert would end, or none."""
    if rule.resolved_when.holds(values):
        return RESOLVED
    return rule.severity(values) or NONE
