"""The part of docs/sources.md that follows from the mappings and their schema: printed here, compared by a test."""

import json
from collections.abc import Iterator, Mapping

from spark_jobs.sources.mapping_file import load_mapping, shipped_mappings
from spark_jobs.sources.mapping_schema import SCHEMA_FILE

BEGINNING, END = "<!-- from the mappings and their schema -->", "<!-- end -->"
_SHOWN = ("resource", "field", "event", "instant", "value", "condition", "foreignKey")


def page() -> str:
    """The mappings that come along, and the keys of a mapping."""
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    lines = ["| mapping | what | files |", "|---|---|---|", *_mappings(), "", "## Keys of a mapping", ""]
    lines += _table("mapping", schema)
    for name in _SHOWN:
        lines += ["", *_table(name, schema["$defs"][name])]
    return "\n".join(lines)


def _mappings() -> Iterator[str]:
    for name in shipped_mappings():
        source = load_mapping(name)
        files = ", ".join(one.name for one in source.with_files)
        given = "".join(f"; asks for `--given {key}=…` ({says})" for key, says in source.given.items())
        yield f"| `{name}` | {source.title['en']}{given} | {files} |"


def _table(name: str, schema: Mapping[str, object]) -> list[str]:
    """The keys of an object, or of each of its forms, with what they say."""
    rows = [f"| {name} | says |", "|---|---|"]
    for form in _forms(schema):
        required = form.get("required", ())
        properties = form.get("properties", {})
        assert isinstance(properties, dict)
        assert isinstance(required, list | tuple)
        for key, says in properties.items():
            mark = " (required)" if key in required and len(properties) > 1 else ""
            rows.append(f"| `{key}`{mark} | {_says(says)} |")
    return rows


def _forms(schema: Mapping[str, object]) -> list[Mapping[str, object]]:
    forms = schema.get("anyOf")
    return [form for form in forms if "properties" in form] if isinstance(forms, list) else [schema]


def _says(schema: Mapping[str, object]) -> str:
    """What a key says: its description, the words that it may be, and what counts without it."""
    words = schema.get("enum")
    shown = [json.dumps(word, ensure_ascii=False) for word in words] if isinstance(words, list) else []
    parts = [str(schema.get("description", ""))]
    parts += [f"one of {', '.join(shown)}"] if shown else []
    parts += [f"without it {json.dumps(schema['default'], ensure_ascii=False)}"] if "default" in schema else []
    return "; ".join(part for part in parts if part).replace("|", "\\|")


if __name__ == "__main__":
    print(page())
