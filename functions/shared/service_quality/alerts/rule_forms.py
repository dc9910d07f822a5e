"""The keys of a document of rules: how each is read, what is expected in words, and its JSON schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Generic, TypeVar

from service_quality.alerts.conditions import SQUARED_QUANTILES
from service_quality.alerts.rules import AUDIENCES, SEVERITIES
from service_quality.instants import DAY, SECOND
from service_quality.message import LANGUAGES
from service_quality.policies import document_values as values
from service_quality.policies.document_values import JsonObject
from service_quality.policies.local_days import format_duration

Read_co = TypeVar("Read_co", covariant=True)

#: Each rule may write four rows at an event, two of them where an alert ends with its round; a transaction holds 100
#: items and rows.
MOST_RULES = 20
MOST_EXAMPLES, MOST_EVIDENCE, MOST_CONDITIONS, MOST_NUMBERS = 50, 12, 20, 50
DEEPEST = 6
LONGEST_TITLE, LONGEST_TEXT = 90, 600
_LONGEST_NAME = 64
_LARGEST = 10**15
_LONGEST = 366 * DAY
_DURATION = "^P(?=.)([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"

NONE, RESOLVED = "none", "resolved"


@dataclass(frozen=True)
class Form(Generic[Read_co]):
    """The form of a value: `by` returns what it means, or raises ValueError. `words` are those that it may be."""

    by: Callable[[object], Read_co]
    expected: str
    schema: JsonObject
    words: tuple[str, ...] = ()


def _whole(lowest: int, highest: int) -> Form[int]:
    schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return Form(values.integer(lowest, highest), f"a whole number from {lowest} to {highest}", schema)


def _word(words: tuple[str, ...]) -> Form[str]:
    return Form(values.one_of(*words), f"one of {', '.join(words)}", {"enum": list(words)}, words)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or abs(value) > _LARGEST:
        raise ValueError("no number")
    return value


def _above_zero(value: object) -> float:
    number = _number(value)
    if not 0 < number <= 1000:
        raise ValueError("out of bounds")
    return number


def _confidence(value: object) -> float:
    confidence = _number(value)
    if confidence not in SQUARED_QUANTILES:
        raise ValueError("another confidence")
    return confidence


def _rule_name(value: object) -> str:
    name = values.string(value)
    is_plain = name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and name[:1].isalpha()
    if not is_plain or len(name) > _LONGEST_NAME:
        raise ValueError("no name")
    return name


def _limit(value: object) -> float:
    """A number, or the milliseconds of a duration."""
    return values.duration(0, _LONGEST)(value) if isinstance(value, str) else _number(value)


def _text_up_to(longest: int) -> Form[str]:
    def read(value: object) -> str:
        text = " ".join(values.string(value).split())
        if not 0 < len(text) <= longest or not text.isprintable():
            raise ValueError("empty, too long or not printable")
        return text

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return Form(read, f"a text of 1 to {longest} printable characters", schema)


NAME: Form[str] = Form(
    _rule_name,
    f"small letters, digits and _, a letter first, at most {_LONGEST_NAME} characters",
    {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": _LONGEST_NAME},
)
REVISION = Form(
    values.text,
    f"a text of 1 to {values.LONGEST_TEXT} characters",
    {"type": "string", "minLength": 1, "maxLength": values.LONGEST_TEXT},
)
OWNER = _text_up_to(100)
VERSION, AT_LEAST = _whole(1, 1_000_000), _whole(1, 1_000_000)
AUDIENCE = _word(AUDIENCES)
EXPECT = _word((*SEVERITIES, RESOLVED, NONE))
TIMES = Form(_above_zero, "a number above 0, at most 1000", {"type": "number", "exclusiveMinimum": 0, "maximum": 1000})
CONFIDENCE = Form(_confidence, f"one of {', '.join(map(str, SQUARED_QUANTILES))}", {"enum": [*SQUARED_QUANTILES]})
NUMBER = Form(_number, "a number", {"type": "number"})
COOLDOWN = Form(
    values.duration(SECOND, _LONGEST), values.durations(SECOND, _LONGEST), {"type": "string", "pattern": _DURATION}
)
HELD_FOR = COOLDOWN
DURATION = Form(
    values.duration(0, _LONGEST),
    f"an ISO 8601 duration such as PT30M, at most {format_duration(_LONGEST)}",
    {"type": "string", "pattern": _DURATION},
)
LIMIT = Form(_limit, f"a number, or {DURATION.expected}", {"anyOf": [NUMBER.schema, DURATION.schema]})

#: The keys of a document, with what each says; `follows` alone may be left out.
DOCUMENT_KEYS = {
    "revision": "the name of this revision of the shop's rules",
    "follows": "the revision before it; absent in the first",
    "rules": "all rules of the shop, in the order in which they are asked; none other is asked",
}
#: The keys of a rule, with what each says; all are required.
RULE_KEYS = {
    "name": "the name of the rule: its alerts keep it as their kind",
    "version": "raised with every change of what the rule asks",
    "subject": "whom or what its alerts are about",
    "kinds": "when it is asked: kinds, groups (service, feedback, behaviour), time_reached (a stage of a wait), or "
    "finding_reported (a job says what it found about the subject)",
    "tiers": "a condition for each severity; the gravest that holds decides",
    "resolved_when": "the condition that ends an open alert; it comes before any tier",
    "cooldown": "for so long after a message what holds or comes back is counted and not sent, unless it is graver",
    "title": "what the alert says, in each language",
    "advice": "what to do, in each language",
    "owner": "who answers for the rule",
    "audience": "who is called; or by severity, where a graver alert calls others, too",
    "known_false_alarms": "when the rule is known to call in vain, in each language",
    "evidence": "the values that the alert shows",
    "examples": "values, and what the rule decides of them: run before the file is taken",
}
TEXTS = {"title": _text_up_to(LONGEST_TITLE), "advice": _text_up_to(LONGEST_TEXT)} | {
    "known_false_alarms": _text_up_to(LONGEST_TEXT)
}
TEXT_KEYS = LANGUAGES
EXAMPLE_KEYS = {
    "values": "values by name; one that is left out, or null, is missing",
    "held": "for how long these values have been so, which `for` asks; may be left out",
    "expect": "the severity, resolved where resolved_when holds, or none",
}
#: The kind of a condition that another one has held for a while.
FOR = "for"
#: The kinds of conditions that hold an object, and its keys with what each says.
CONDITION_KEYS: Mapping[str, Mapping[str, str]] = {
    "at_least": {
        "value": "the value that is compared",
        "limit": "the value is at least this number or duration",
        "times": "with `of`: the value is at least so many times another one",
        "of": "the other value",
    },
    "below": {
        "value": "the value that is compared",
        "limit": "the value is below this number or duration",
        "times": "with `of`: the value is below so many times another one",
        "of": "the other value",
    },
    "between": {
        "value": "the value that is compared",
        "from": "the value is at least this number or duration",
        "below": "and below this one",
    },
    "one_of": {"value": "the value that is compared", "numbers": "the value is one of these"},
    FOR: {"duration": "for so long, without a look in between at which it did not", "condition": "this one holds"},
    "above_parent": {
        "rate": "a rate whose interval excludes that of its parent, and that is above it",
        "at_least": "the rate counts at least so many",
        "confidence": "of the interval",
    },
    "above_past": {
        "recent": "a count in a short window",
        "past": "the same count in a longer window",
        "at_least": "the recent count is at least this",
        "past_at_least": "the longer window holds at least so many older ones",
        "times": "the recent count is at least so many times what the longer window lets expect",
        "confidence": "of the interval of the recent share, which excludes an even spread",
    },
}
#: The keys of a kind of which some may be left out: a comparison has either a limit or another value.
OPTIONAL = dict.fromkeys(("at_least", "below"), ("limit", "times", "of"))
#: The kinds of conditions that are made of others, and the one that holds a name, with what each says.
COMBINED = {"all_of": "every condition holds", "any_of": "at least one condition holds"}
NOT, MISSING = "not", "missing"
ALGEBRA = (*CONDITION_KEYS, MISSING, NOT, *COMBINED)
#: The forms of the keys of conditions that hold no name of a value.
CONDITION_FORMS: Mapping[str, Form[float]] = {
    **dict.fromkeys(("limit", "from", "below"), LIMIT),
    **dict.fromkeys(("at_least", "past_at_least"), AT_LEAST),
    "times": TIMES,
    "confidence": CONFIDENCE,
}
