"""Mappings as files: those that come with the product, and others."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from cli.yaml_files import YamlText, read_yaml
from service_quality.policies.document_values import Problem, nearest
from spark_jobs.errors import InputError, MissingSourceError, mistakes_in_words
from spark_jobs.sources.mapping import (
    INSTANT_TYPES,
    REPORT,
    Condition,
    EventOf,
    Field,
    Join,
    LeftOut,
    Midnight,
    Part,
    Resource,
    Source,
    header_name,
)
from spark_jobs.sources.mapping_problems import find_problems, formats_of, instants_of

SHIPPED = files("spark_jobs.sources") / "mappings"
_DURATION = re.compile(r"PT(\d+)([HM])")


def shipped_mappings() -> tuple[str, ...]:
    """The names of the mappings that come with the product."""
    return tuple(sorted(one.name.removesuffix(".yaml") for one in SHIPPED.iterdir() if one.name.endswith(".yaml")))


def load_mapping(name: str) -> Source:
    """The mapping of this name or in this file; InputError names everything that is wrong with it."""
    path = SHIPPED / f"{name}.yaml" if name in shipped_mappings() else Path(name)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        meant = nearest(name, shipped_mappings())
        hint = f"; did you mean {meant}?" if meant else ""
        known = ", ".join(shipped_mappings())
        raise MissingSourceError(f"found no mapping {name}, expected a file or one of {known}{hint}") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}, expected a mapping that can be read") from None
    return parse_mapping(text, name)


def parse_mapping(text: bytes, name: str) -> Source:
    """The mapping in a text; InputError names everything that is wrong with it, each with its line."""
    document = read_yaml(text)
    mistakes = [f"line {one.line}: found {one.found}, expected {one.expected}" for one in document.problems]
    if document.value is not None or not mistakes:
        mistakes += [_with_line(problem, document) for problem in find_problems(document.value)]
    if mistakes:
        found = f"{name}: found {mistakes_in_words(len(mistakes))} in the mapping, expected none"
        raise InputError(found, mistakes)
    return _source(document.value)


def _with_line(problem: Problem, document: YamlText) -> str:
    return f"line {document.line_of(problem.path) or 1}: {problem}"


def _source(document: object) -> Source:
    assert isinstance(document, dict)
    nothing = {"en": "", "zh": ""}
    return Source(
        document["name"],
        document["title"],
        document.get("description", nothing),
        document.get("given", {}),
        document.get("zone"),
        document.get("currency"),
        document.get("rejectedAtMost", 0.5),
        document.get("laterExport", REPORT),
        tuple(map(_resource, document["resources"])),
    )


def _resource(one: dict) -> Resource:  # type: ignore[type-arg]
    schema, dialect, encoding = one["schema"], one.get("dialect", {}), one.get("encoding", "utf-8")
    missing = schema.get("missingValues", [""])
    fields = {field["name"]: _field(field, missing) for field in schema["fields"]}
    return Resource(
        one["name"],
        one["row"],
        one.get("format", "csv"),
        tuple([encoding] if isinstance(encoding, str) else encoding),
        dialect.get("delimiter", ","),
        dialect.get("quoteChar", '"'),
        dialect.get("headerRows", [1])[0],
        dialect.get("lineTerminator", "\n"),
        fields,
        tuple(schema.get("primaryKey", ())),
        one.get("latestBy"),
        tuple(
            Join(key["fields"], key["reference"]["resource"], key.get("required", False))
            for key in schema.get("foreignKeys", ())
        ),
        tuple(LeftOut(_conditions(each["when"]), each["why"]) for each in one.get("leaveOut", ())),
        tuple(map(_event, one.get("events", ()))),
        Part(**one["of"]) if "of" in one else None,
    )


def _field(one: dict, missing: list[str]) -> Field:  # type: ignore[type-arg]
    midnight = one.get("midnight")
    formats = formats_of(one) or (("default",) if one["type"] in INSTANT_TYPES else ())
    return Field(
        one["name"],
        one["type"],
        tuple(map(header_name, (one["name"], *one.get("alternatives", ())))),
        formats,
        one.get("zone"),
        None if midnight is None else Midnight(_milliseconds(midnight["lostUnlessWithin"]), midnight["after"]),
        frozenset(one.get("missingValues", missing)) | {""},
        one.get("decimalChar", "."),
        one.get("groupChar"),
        one.get("bareNumber", True),
        one.get("constraints", {}).get("required", False),
        one.get("zeroDecimals") == "dropped",
    )


def _milliseconds(duration: str) -> int:
    number, unit = _DURATION.fullmatch(duration).groups()  # type: ignore[union-attr]  # the schema says so
    return int(number) * {"H": 3_600_000, "M": 60_000}[unit]


def _conditions(conditions: Iterable[Mapping[str, object]]) -> tuple[Condition, ...]:
    return tuple(
        Condition(str(one["column"]), test, expected, one.get("json"))  # type: ignore[arg-type]  # a text, by the schema
        for one in conditions
        for test, expected in one.items()
        if test not in ("column", "json")
    )


def _event(one: dict) -> EventOf:  # type: ignore[type-arg]
    return EventOf(
        one["kind"],
        one["id"],
        instants_of(one["at"]),
        one["fields"],
        one.get("notBefore"),
        _conditions(one.get("when", ())),
    )
