"""What is wrong with a mapping: what its schema forbids, and what its names do not name; everything at once."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service_quality.events.interaction_event import DERIVED_FIELDS, INPUT_FIELDS, OPTIONAL_FIELDS
from service_quality.events.kinds import KINDS
from service_quality.events.optional_values import read_optional_values
from service_quality.policies.document_values import Problem, nearest, shown
from spark_jobs.sources.mapping import INSTANT_TYPES, ROW, header_name
from spark_jobs.sources.mapping_schema import UNKNOWN, schema_problems, without_forbidden

DURATION_FORMATS = ("h", "min", "s", "clock")
_PART = re.compile("%(.?)")
#: The parts of a pattern, after Python's strptime; a zone is named by %z, or by %Z at the end.
_PARTS = frozenset("aAbBdHIjmMpSfyYzZ%")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

Declared = Mapping[str, object]


def find_problems(document: object) -> list[Problem]:
    """Everything that is wrong with a mapping: what its schema forbids, and what its names do not name.

    Where the schema forbids something, names are judged without it, if the rest has the form of a mapping.
    """
    problems = schema_problems(document)
    if not problems:
        return list(_of_names(document))
    rest = without_forbidden(document)
    others = [] if rest is None else [one for one in _of_names(rest.document) if not rest.stands_in(one.path)]
    return sorted([*problems, *others], key=lambda one: one.path)


def _of_names(document: object) -> Iterator[Problem]:
    """What a mapping of the right form names that there is not."""
    assert isinstance(document, dict)
    resources = document["resources"]
    names = [one["name"] for one in resources]
    given = document.get("given", {})
    if "zone" in document and not _is_zone(document["zone"]):
        yield Problem("zone", str(document["zone"]), "a time zone such as Asia/Shanghai")
    if not any(one.get("events") for one in resources):
        yield Problem("resources", "no event in any of them", "at least one")
    for number, one in enumerate(resources):
        path = f"resources[{number}]"
        if names.index(one["name"]) != number:
            yield Problem(f"{path}.name", f"{one['name']} again", "each name once")
        yield from _of_resource(path, one, resources[:number] + resources[number + 1 :], given)


def _of_resource(
    path: str, one: Mapping[str, object], others: list[Mapping[str, object]], given: Mapping[str, str]
) -> Iterator[Problem]:
    schema = one["schema"]
    assert isinstance(schema, dict)
    fields = {field["name"]: field for field in schema["fields"]}
    columns = dict(fields)
    seen: set[str] = set()
    for number, field in enumerate(schema["fields"]):
        where = f"{path}.schema.fields[{number}]"
        for name in (field["name"], *field.get("alternatives", ())):
            if header_name(name) in seen:
                yield Problem(where, f"{name} again", "each column once")
            seen.add(header_name(name))
        yield from _of_field(where, field, fields)
    for number, key in enumerate(schema.get("foreignKeys", ())):
        where = f"{path}.schema.foreignKeys[{number}]"
        yield from _unknown(f"{where}.fields", key["fields"], columns)
        other = next((each for each in others if each["name"] == key["reference"]["resource"]), None)
        if other is None:
            known = ", ".join(str(each["name"]) for each in others) or "no other resource"
            yield Problem(f"{where}.reference.resource", key["reference"]["resource"], known)
            continue
        their = other["schema"]
        assert isinstance(their, dict)
        if their.get("primaryKey") != [key["reference"]["fields"]]:
            expected = f"the primary key of {other['name']}: {', '.join(their.get('primaryKey', ['it has none']))}"
            yield Problem(f"{where}.reference.fields", key["reference"]["fields"], expected)
        columns |= {f"{other['name']}.{field['name']}": field for field in their["fields"]}
    if isinstance(one.get("of"), dict):
        yield from _of_part(path, one["of"], others)  # type: ignore[arg-type]  # as tested
    for name in schema.get("primaryKey", ()):
        yield from _unknown(f"{path}.schema.primaryKey", name, fields)
    if "latestBy" in one:
        yield from _unknown(f"{path}.latestBy", one["latestBy"], fields)
        if "primaryKey" not in schema:
            yield Problem(f"{path}.latestBy", str(one["latestBy"]), "a primary key beside it")
    for number, left_out in enumerate(_list(one.get("leaveOut"))):
        yield from _of_conditions(f"{path}.leaveOut[{number}].when", left_out["when"], columns)
    for number, event in enumerate(_list(one.get("events"))):
        yield from _of_event(f"{path}.events[{number}]", event, columns, given)


def _of_part(path: str, part: Mapping[str, str], others: list[Mapping[str, object]]) -> Iterator[Problem]:
    whole = next((each for each in others if each["name"] == part["resource"]), None)
    if whole is None:
        yield Problem(f"{path}.of.resource", part["resource"], ", ".join(str(each["name"]) for each in others))
        return
    schema = whole["schema"]
    assert isinstance(schema, dict)
    yield from _unknown(f"{path}.of.column", part["column"], {field["name"]: field for field in schema["fields"]})
    yield from _of_pattern(f"{path}.of.pattern", part["pattern"])


def _list(value: object) -> list[dict[str, Any]]:  # JSON of the right form
    return value if isinstance(value, list) else []


def _of_field(path: str, field: Mapping[str, object], fields: Mapping[str, object]) -> Iterator[Problem]:
    formats = formats_of(field)
    if field["type"] == "duration":
        for word in formats:
            if word not in DURATION_FORMATS:
                yield Problem(f"{path}.format", word, f"one of {', '.join(DURATION_FORMATS)}")
        if not formats:
            yield Problem(path, "no format", f"one of {', '.join(DURATION_FORMATS)}")
    elif field["type"] in INSTANT_TYPES:
        for word in formats:
            if word not in ("default", "epoch_s", "epoch_ms") and not _is_pattern(word):
                yield Problem(f"{path}.format", word, "default, epoch_s, epoch_ms, or a pattern such as %d/%m/%Y %H:%M")
    elif formats:
        yield Problem(f"{path}.format", ", ".join(formats), "none for this type")
    zone = field.get("zone")
    if zone is not None and not _is_zone(str(zone)):
        yield Problem(f"{path}.zone", str(zone), "a time zone such as Asia/Shanghai")
    midnight = field.get("midnight")
    if isinstance(midnight, dict):
        yield from _unknown(f"{path}.midnight.after", midnight["after"], fields)
    if field.get("groupChar") is not None and field.get("groupChar") == field.get("decimalChar", "."):
        yield Problem(f"{path}.groupChar", repr(field["groupChar"]), "another character than decimalChar")


def _is_pattern(form: str) -> bool:
    """Whether the parts of a pattern are all ones of a day or a time."""
    parts = _PART.findall(form)
    return len(parts) > 0 and all(part in _PARTS for part in parts)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return False
    return True


def _of_conditions(
    path: str, conditions: Iterable[Mapping[str, object]], columns: Mapping[str, object]
) -> Iterator[Problem]:
    for number, one in enumerate(conditions):
        yield from _unknown(f"{path}[{number}].column", one["column"], columns)
        tests = [test for test in one if test not in ("column", "json")]
        if len(tests) != 1:
            found = " and ".join(tests) or "no test"
            yield Problem(f"{path}[{number}]", found, "one of is, isNot, matches, matchesNot, sameAs, blank")
        for test in ("matches", "matchesNot"):
            if test in one:
                yield from _of_pattern(f"{path}[{number}].{test}", one[test])
        if "sameAs" in one:
            yield from _unknown(f"{path}[{number}].sameAs", one["sameAs"], columns)


def _of_pattern(path: str, pattern: object, *, groups: int | None = None) -> Iterator[Problem]:
    try:
        found = re.compile(str(pattern)).groups
    except re.error as error:
        yield Problem(path, shown(pattern), f"a regular expression ({error})")
        return
    if groups is not None and found != groups:
        yield Problem(path, f"{found} groups", f"{groups}: the part that is the value")


def _of_event(
    path: str, event: Mapping[str, object], columns: Mapping[str, Mapping[str, object]], given: Mapping[str, str]
) -> Iterator[Problem]:
    kind = str(event["kind"])
    if kind not in KINDS:
        yield Problem(f"{path}.kind", kind, "a kind of docs/events.md", nearest(kind, tuple(KINDS)))
    places = _PLACEHOLDER.findall(str(event["id"]))
    if not places:
        yield Problem(f"{path}.id", shown(event["id"]), "a {column} or {row}, else all events have one id")
    for name in places:
        if name != ROW:
            yield from _unknown(f"{path}.id", name, columns)
    for number, instant in enumerate(instants_of(event["at"])):
        yield from _of_instant(
            f"{path}.at[{number}]" if isinstance(event["at"], list) else f"{path}.at", instant, columns, given
        )
    if "notBefore" in event:
        yield from _of_type(f"{path}.notBefore", event["notBefore"], columns, INSTANT_TYPES)
    yield from _of_conditions(f"{path}.when", _list(event.get("when")), columns)
    fields = event["fields"]
    assert isinstance(fields, dict)
    if kind in KINDS:
        for needed in KINDS[kind].needs:
            if needed not in fields:
                yield Problem(f"{path}.fields", f"no {needed}", f"a value for {kind}")
    yield from _of_fields(f"{path}.fields", fields, columns, given)


def _of_fields(
    path: str,
    fields: Mapping[str, object],
    columns: Mapping[str, Mapping[str, object]],
    given: Mapping[str, str],
) -> Iterator[Problem]:
    known = tuple(name for name in INPUT_FIELDS if name in OPTIONAL_FIELDS and name not in DERIVED_FIELDS)
    for name, value in fields.items():
        where = f"{path}.{name}"
        if name not in known:
            yield Problem(where, name, "a field of docs/events.md", nearest(name, known))
        yield from _of_value(where, value, columns, given)
        if name in known and name != "rating":  # its words may be of a scale of the source's own
            for place, literal in _literals(where, value):
                if literal is not None and read_optional_values({name: literal}).odd:
                    yield Problem(place, shown(literal), f"a value that {name} can hold (docs/events.md)")


def _literals(path: str, value: object) -> Iterator[tuple[str, object]]:
    """The values that stand in a mapping itself, each with its place."""
    match value:
        case {"constant": constant}:
            yield f"{path}.constant", constant
        case {"values": dict() as values}:
            yield from ((f"{path}.values.{word}", meaning) for word, meaning in values.items())
        case {"first": list() as values}:
            for number, other in enumerate(values):
                yield from _literals(f"{path}.first[{number}]", other)


def _of_value(
    path: str, value: object, columns: Mapping[str, Mapping[str, object]], given: Mapping[str, str]
) -> Iterator[Problem]:
    match value:
        case str():
            yield from _unknown(path, value, columns)
        case {"column": column, **rest}:
            yield from _unknown(f"{path}.column", column, columns)
            if "pattern" in rest:
                yield from _of_pattern(f"{path}.pattern", rest["pattern"], groups=1)
        case {"columns": named, "join": _}:
            yield from (one for column in named for one in _unknown(f"{path}.columns", column, columns))
        case {"product": named}:
            numbers = ("integer", "number")
            yield from (one for column in named for one in _of_type(f"{path}.product", column, columns, numbers))
        case {"given": name} if name not in given:
            yield Problem(f"{path}.given", str(name), ", ".join(given) or "a name that `given` declares")
        case {"first": values}:
            for number, other in enumerate(values):
                yield from _of_value(f"{path}.first[{number}]", other, columns, given)
        case {"template": template}:
            places = [column for column in _PLACEHOLDER.findall(template) if column != ROW]
            yield from (one for column in places for one in _unknown(f"{path}.template", column, columns))


def _of_instant(
    path: str, instant: object, columns: Mapping[str, Mapping[str, object]], given: Mapping[str, str]
) -> Iterator[Problem]:
    match instant:
        case str():
            yield from _of_type(path, instant, columns, INSTANT_TYPES)
        case {"after": after, "add": add}:
            yield from _of_type(f"{path}.after", after, columns, INSTANT_TYPES)
            yield from _of_type(f"{path}.add", add, columns, ("duration",))
        case {"dayOf": column}:
            yield from _of_type(f"{path}.dayOf", column, columns, INSTANT_TYPES)
        case {"given": name} if name not in given:
            yield Problem(f"{path}.given", str(name), ", ".join(given) or "a name that `given` declares")


def _of_type(
    path: str, name: object, columns: Mapping[str, Mapping[str, object]], types: tuple[str, ...]
) -> Iterator[Problem]:
    yield from _unknown(path, name, columns)
    if str(name) in columns and columns[str(name)]["type"] not in (*types, UNKNOWN):
        yield Problem(
            path, f"{name}, a column of type {columns[str(name)]['type']}", f"one of type {' or '.join(types)}"
        )


def _unknown(path: str, name: object, columns: Mapping[str, object]) -> Iterator[Problem]:
    if name not in columns:
        yield Problem(path, f"the column {name}", "one that `fields` declares", nearest(str(name), tuple(columns)))


def formats_of(field: Mapping[str, object]) -> tuple[str, ...]:
    """The formats that a column declares, in order."""
    value = field.get("format", ())
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]  # the schema says so


def instants_of(at: object) -> tuple[object, ...]:
    """The instants that an event declares, in order."""
    return tuple(at) if isinstance(at, list) else (at,)
