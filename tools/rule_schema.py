"""The JSON schema of a document of rules, from the declared keys and names."""

import json
from collections.abc import Iterable, Mapping

from service_quality.alerts import rule_forms as forms
from service_quality.alerts.rule_vocabulary import KIND_NAMES, Vocabulary
from service_quality.alerts.rules import SEVERITIES

Schema = dict[str, object]

_CONDITION: Schema = {"$ref": "#/$defs/condition"}
_AUDIENCE: Schema = {
    "oneOf": [
        dict(forms.AUDIENCE.schema),
        {
            "type": "object",
            "properties": {severity: dict(forms.AUDIENCE.schema) for severity in SEVERITIES},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}
_VALUE: Schema = {"$ref": "#/$defs/value"}
_FORMS: Mapping[str, forms.Form[object]] = {
    "name": forms.NAME,
    "version": forms.VERSION,
    "cooldown": forms.COOLDOWN,
    "owner": forms.OWNER,
}
_EITHER = [{"required": ["limit"], "not": {"anyOf": [{"required": ["of"]}, {"required": ["times"]}]}}] + [
    {"required": ["of"], "not": {"required": ["limit"]}}
]


def render_schema(vocabulary: Vocabulary) -> str:
    """The schema of documents over what a release serves; it accepts all that the reader takes."""
    document: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules",
        "description": "All rules of a shop, as a revision says them. The reader also refuses what a schema cannot "
        "say: a limit or an example in another unit or beyond the range of its value, an example that the rule decides "
        "otherwise, a name twice.",
        "type": "object",
        "properties": {
            "revision": _said(forms.REVISION.schema, forms.DOCUMENT_KEYS["revision"]),
            "follows": _said(forms.REVISION.schema, forms.DOCUMENT_KEYS["follows"]),
            "rules": _list_of({"$ref": "#/$defs/rule"}, forms.DOCUMENT_KEYS["rules"], least=0, most=forms.MOST_RULES),
        },
        "required": ["revision", "rules"],
        "additionalProperties": False,
        "$defs": {
            "rule": _rule(vocabulary),
            "condition": _condition(vocabulary),
            "value": {"enum": list(vocabulary.values)},
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(vocabulary: Vocabulary) -> Schema:
    keys = forms.RULE_KEYS
    properties: Schema = {
        **{name: _said(form.schema, keys[name]) for name, form in _FORMS.items()},
        "audience": _said(_AUDIENCE, keys["audience"]),
        "subject": {"description": _sentence(keys["subject"]), "enum": list(vocabulary.subjects)},
        "kinds": _list_of({"enum": list(KIND_NAMES)}, keys["kinds"], most=len(KIND_NAMES), unique=True),
        "tiers": {
            "description": _sentence(keys["tiers"]),
            **_object(dict.fromkeys(SEVERITIES, _CONDITION), required=()),
            "minProperties": 1,
        },
        "resolved_when": _said(_CONDITION, keys["resolved_when"]),
        "evidence": _list_of(_VALUE, keys["evidence"], most=forms.MOST_EVIDENCE, unique=True),
        "examples": _list_of(_example(vocabulary), keys["examples"], most=forms.MOST_EXAMPLES),
        **{name: _texts(name) for name in forms.TEXTS},
    }
    return _object({name: properties[name] for name in keys}, required=keys)


def _texts(name: str) -> Schema:
    text = dict(forms.TEXTS[name].schema)
    return {
        "description": _sentence(forms.RULE_KEYS[name]),
        **_object(dict.fromkeys(forms.TEXT_KEYS, text), required=forms.TEXT_KEYS),
    }


def _example(vocabulary: Vocabulary) -> Schema:
    values: Schema = {
        "description": _sentence(forms.EXAMPLE_KEYS["values"]),
        "type": "object",
        "propertyNames": _VALUE,
        "additionalProperties": {"anyOf": [{"type": "null"}, forms.LIMIT.schema]},
    }
    expect = _said(forms.EXPECT.schema, forms.EXAMPLE_KEYS["expect"])
    held = _said(forms.HELD_FOR.schema, forms.EXAMPLE_KEYS["held"])
    return _object({"values": values, "held": held, "expect": expect}, required=("values", "expect"))


def _condition(vocabulary: Vocabulary) -> Schema:
    kinds: Schema = {kind: _compared(kind, vocabulary) for kind in forms.CONDITION_KEYS}
    kinds[forms.MISSING] = _said(_VALUE, "the value is not known")
    kinds[forms.NOT] = _said(_CONDITION, "the condition is known not to hold")
    kinds |= {kind: _list_of(_CONDITION, says, most=forms.MOST_CONDITIONS) for kind, says in forms.COMBINED.items()}
    one = {"description": "One key, the kind of the condition.", "minProperties": 1, "maxProperties": 1}
    return {**one, **_object(kinds, required=())}


def _compared(kind: str, vocabulary: Vocabulary) -> Schema:
    says = forms.CONDITION_KEYS[kind]
    names: Mapping[str, Schema] = {
        "value": _VALUE,
        "of": _VALUE,
        "rate": {"enum": list(vocabulary.rates)} if vocabulary.rates else {"not": {}},
        "recent": {"enum": list(vocabulary.pasts)} if vocabulary.pasts else {"not": {}},
        "past": _VALUE,
        "condition": _CONDITION,
        "duration": dict(forms.HELD_FOR.schema),
        "numbers": {"type": "array", "items": forms.NUMBER.schema, "minItems": 1, "maxItems": forms.MOST_NUMBERS},
    }
    properties: Schema = {
        key: _said(names[key] if key in names else forms.CONDITION_FORMS[key].schema, text)
        for key, text in says.items()
    }
    optional = forms.OPTIONAL.get(kind, ())
    found = _object(properties, required=[key for key in says if key not in optional])
    return {**found, "oneOf": _EITHER} if optional else found


def _object(properties: Mapping[str, object], *, required: Iterable[str]) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _list_of(items: Mapping[str, object], says: str, *, most: int, least: int = 1, unique: bool = False) -> Schema:
    found: Schema = {"description": _sentence(says), "type": "array", "items": dict(items)}
    return {**found, "minItems": least, "maxItems": most, **({"uniqueItems": True} if unique else {})}


def _said(schema: Mapping[str, object], text: str) -> Schema:
    return {"description": _sentence(text), **schema}


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
