"""Conditions as a document of rules says them."""

from collections.abc import Callable

from service_quality.alerts.conditions import (
    AbovePast,
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    Condition,
    Missing,
    Not,
    OneOf,
    held_in,
)
from service_quality.alerts.document_place import Place
from service_quality.alerts.rule_forms import (
    ALGEBRA,
    COMBINED,
    CONDITION_FORMS,
    CONDITION_KEYS,
    DEEPEST,
    FOR,
    HELD_FOR,
    MISSING,
    MOST_CONDITIONS,
    MOST_NUMBERS,
    NOT,
    OPTIONAL,
    TIMES,
)
from service_quality.alerts.stored_rules import above_parent, above_past, held_for
from service_quality.conversations.wait_stages import WAITED_VALUES
from service_quality.policies.document_values import JsonObject, shown

#: What a condition with a mistake is read as; the document is rejected all the same.
_NOTHING = AnyOf(())

#: Reads a limit of a value at a place.
LimitReader = Callable[[Place, object, str], float]


def read_condition(place: Place, value: object) -> Condition:
    """The condition at a place: an object of one key, its kind."""
    if place.depth >= DEEPEST:
        place.add(f"conditions within {DEEPEST} others", f"at most {DEEPEST} levels")
        return _NOTHING
    if not isinstance(value, dict) or len(value) != 1:
        found = f"an object with {len(value)} keys" if isinstance(value, dict) else shown(value)
        place.add(found, f"an object of one key, the kind of the condition: one of {', '.join(ALGEBRA)}")
        return _NOTHING
    ((kind, held),) = value.items()
    if kind not in ALGEBRA:
        place.problems.add_unknown(place.path, kind, ALGEBRA, "kinds of conditions")
        return _NOTHING
    within = place.at(kind)._replace(depth=place.depth + 1)
    if kind == MISSING:
        return Missing(_value_name(within, held))
    if kind == NOT:
        return Not(read_condition(within, held))
    if kind in COMBINED:
        given = within.problems.list_at(within.path, held, of="conditions", most=MOST_CONDITIONS)
        conditions = tuple(read_condition(within.entry(number), one) for number, one in enumerate(given))
        return AllOf(conditions) if kind == "all_of" else AnyOf(conditions)
    before = len(place.problems.found)
    fields = within.problems.object_at(within.path, held, known=(*CONDITION_KEYS[kind],))
    if not isinstance(held, dict):
        return _NOTHING
    require(within, fields, tuple(key for key in CONDITION_KEYS[kind] if key not in OPTIONAL.get(kind, ())))
    return _READERS[kind](within, fields) if len(place.problems.found) == before else _read_on(within, fields, kind)


def require(place: Place, fields: JsonObject, keys: tuple[str, ...]) -> None:
    """A problem for each of these keys that an object lacks."""
    for key in keys:
        if key not in fields:
            place.at(key).add("nothing", "a value")


def _read_on(place: Place, fields: JsonObject, kind: str) -> Condition:
    """Find the mistakes in what an object with a missing or unknown key holds."""
    if kind == FOR:
        for key, reader in (("duration", _duration), ("condition", _held_condition)):
            if key in fields:
                reader(place, fields)
        return _NOTHING
    present = {key: one for key, one in fields.items() if key in CONDITION_FORMS or key in ("value", "of")}
    for key, one in present.items():
        if key in ("value", "of"):
            _value_name(place.at(key), one)
        else:
            place.at(key).read(one, CONDITION_FORMS[key], 0)
    return _NOTHING


def _value_name(place: Place, value: object) -> str:
    return place.read_name(value, place.vocabulary.values, "values")


def _number(place: Place, fields: JsonObject, key: str) -> float:
    return place.at(key).read(fields[key], CONDITION_FORMS[key], 0)


def _compared(place: Place, fields: JsonObject, read_limit: LimitReader) -> tuple[str, float | str, float]:
    """A value, its limit or another value, and how many times that."""
    name = _value_name(place.at("value"), fields["value"])
    if ("limit" in fields) == ("of" in fields) or ("times" in fields and "of" not in fields):
        place.add(
            f"the keys {', '.join(fields)}", "a limit, or the name of another value in `of`, which may have `times`"
        )
        return name, 0, 1
    if "limit" in fields:
        return name, read_limit(place.at("limit"), fields["limit"], name), 1.0
    other = _value_name(place.at("of"), fields["of"])
    if waited := next((one for one in (name, other) if one in WAITED_VALUES), None):
        place.at("of").add(f"{name} beside {other}", f"a limit: time does not say when {waited} reaches another value")
    return name, other, place.at("times").read(fields.get("times", 1.0), TIMES, 1.0)


def _at_least(place: Place, fields: JsonObject) -> Condition:
    return AtLeast(*_compared(place, fields, Place.read_possible))


def _below(place: Place, fields: JsonObject) -> Condition:
    return Below(*_compared(place, fields, Place.read_end))


def _between(place: Place, fields: JsonObject) -> Condition:
    name = _value_name(place.at("value"), fields["value"])
    before = len(place.problems.found)
    lowest = place.at("from").read_possible(fields["from"], name)
    below = place.at("below").read_end(fields["below"], name)
    if len(place.problems.found) == before and lowest >= below:
        place.at("below").add(shown(fields["below"]), f"more than {shown(fields['from'])}")
    return Between(name, lowest, below)


def _one_of(place: Place, fields: JsonObject) -> Condition:
    name = _value_name(place.at("value"), fields["value"])
    numbers = place.at("numbers")
    given = place.problems.list_at(numbers.path, fields["numbers"], of="numbers", most=MOST_NUMBERS)
    return OneOf(name, tuple(numbers.entry(number).read_number(one, name) for number, one in enumerate(given)))


def _held_for(place: Place, fields: JsonObject) -> Condition:
    condition, duration = _held_condition(place, fields), _duration(place, fields)
    return held_for(condition, duration)


def _held_condition(place: Place, fields: JsonObject) -> Condition:
    within = place.at("condition")
    condition = read_condition(within, fields["condition"])
    if any(held_in(condition)):
        within.add("a condition with `for` in it", "one without: what has held for a while is asked once")
    return condition


def _duration(place: Place, fields: JsonObject) -> int:
    return place.at("duration").read(fields["duration"], HELD_FOR, 0)


def _above_parent(place: Place, fields: JsonObject) -> Condition:
    known = "rates that are served with their parent and their number of trials"
    rate = place.at("rate").read_name(fields["rate"], place.vocabulary.rates, known)
    at_least, confidence = (_number(place, fields, key) for key in ("at_least", "confidence"))
    return above_parent(place.vocabulary.features, rate, int(at_least), confidence) or _NOTHING


def _above_past(place: Place, fields: JsonObject) -> Condition:
    pasts = place.vocabulary.pasts
    recent = place.at("recent").read_name(fields["recent"], (*pasts,), "counts that are served in two windows")
    past = place.at("past").read_name(fields["past"], pasts.get(recent, ()), f"longer windows of {recent}")
    at_least, older, times, confidence = (
        _number(place, fields, key) for key in ("at_least", "past_at_least", "times", "confidence")
    )
    asked = AbovePast(recent, past, 0, int(at_least), int(older), times, confidence)
    return above_past(place.vocabulary.features, asked) or _NOTHING


_READERS: dict[str, Callable[[Place, JsonObject], Condition]] = {
    "at_least": _at_least,
    "below": _below,
    "between": _between,
    "one_of": _one_of,
    FOR: _held_for,
    "above_parent": _above_parent,
    "above_past": _above_past,
}
