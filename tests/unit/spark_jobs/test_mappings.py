"""Mappings: those that come along are sound, and everything that is wrong with one is said at once."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from service_quality.events.kinds import KINDS
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.sources.mapping_file import SHIPPED, load_mapping, parse_mapping, shipped_mappings
from spark_jobs.sources.mapping_schema import SCHEMA_FILE


def small():
    """A mapping of one resource that has everything it needs."""
    return {
        "name": "small",
        "title": {"en": "small", "zh": "小"},
        "resources": [
            {
                "name": "rows",
                "row": "a contact",
                "schema": {
                    "fields": [
                        {"name": "id", "type": "string", "constraints": {"required": True}},
                        {"name": "at", "type": "datetime", "format": "%d/%m/%Y %H:%M"},
                        {"name": "price", "type": "number"},
                    ]
                },
                "events": [
                    {
                        "kind": "conversation_opened",
                        "id": "{id}:opened",
                        "at": "at",
                        "fields": {"conversation_id": "id"},
                    }
                ],
            }
        ],
    }


def mistakes_in(mapping):
    """The lines that refuse a mapping."""
    with pytest.raises(InputError) as refused:
        parse_mapping(yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True).encode(), "small.yaml")
    return refused.value.details


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text("utf-8")))


@pytest.mark.parametrize("name", shipped_mappings())
def test_mapping_that_comes_along_is_sound_and_named_in_both_languages(name):
    source = load_mapping(name)

    assert source.name == name
    assert all(source.title[language] and source.description[language] for language in ("en", "zh"))
    assert {event.kind for one in source.resources for event in one.events} <= KINDS.keys()


def test_small_mapping_is_taken():
    assert parse_mapping(yaml.safe_dump(small()).encode(), "small.yaml").resources[0].required == ("id",)


def test_mapping_that_is_wrong_in_ten_places_is_refused_with_ten_messages():
    mapping = small()
    (resource,) = mapping["resources"]
    resource["schema"]["fields"] += [
        {"name": "took", "type": "duration", "format": "weeks"},
        {"name": "Id", "type": "string"},
        {"name": "day", "type": "date", "zone": "Mars/Base"},
    ]
    resource["schema"]["primaryKey"] = ["ids"]
    resource["latestBy"] = "updated"
    resource["events"] += [
        {"kind": "resolvd", "id": "{id}", "at": "at", "fields": {"conversation_id": "id"}},
        {"kind": "rated", "id": "same", "at": "at", "fields": {"conversation_id": "id", "ratng": "id"}},
        {"kind": "order_placed", "id": "{id}", "at": "price", "fields": {"sku": "id"}},
    ]

    mistakes = mistakes_in(mapping)

    assert len(mistakes) == 10
    assert [one for one in mistakes if not one.startswith("line ")] == []
    assert any(one.endswith("did you mean resolved?") for one in mistakes)
    assert any(one.endswith("did you mean rating?") for one in mistakes)


def test_what_the_schema_forbids_hides_no_other_mistake():
    mapping = small()
    (resource,) = mapping["resources"]
    mapping["zones"] = "UTC"
    resource["encoding"] = "gbk"
    resource["leaveOut"] = [{"when": [{"column": "id"}], "why": "nothing"}]
    resource["schema"]["fields"] += [
        {"name": "stamp", "type": "timestamp"},
        {"name": "day", "type": "date", "format": "%d/%m/%Q"},
        {"name": "took", "type": "duration", "format": "weeks"},
    ]
    resource["events"] += [
        {"kind": "resolved", "id": "{id}:r", "when": [], "at": "at", "fields": {"conversation_id": "id"}},
        {"kind": "resolvd", "id": "{id}:s", "at": "stamp", "fields": {"conversation_id": "id"}},
        {"kind": "customer_message", "id": "{id}:m", "at": "at", "fields": {"conversation_id": "nr"}},
        {
            "kind": "order_placed",
            "id": "{id}:o",
            "at": "at",
            "fields": {"customer_id": "id", "amount_minor": {"constant": "x"}},
        },
    ]

    mistakes = mistakes_in(mapping)

    said = ("zones", "gbk", "blank", "timestamp", "%Q", "weeks", "when", "resolvd", "column nr", "amount_minor")
    assert [word for word in said if not any(word in one for one in mistakes)] == []
    assert len(mistakes) == len(said)
    assert any("one of 'utf-8', 'utf-16', 'gb18030'" in one for one in mistakes)


def test_keys_that_the_schema_does_not_have_are_named_together():
    mapping = small()
    mapping["titel"] = mapping.pop("title")
    mapping["resources"][0]["enconding"] = "utf-8"
    mapping["resources"][0]["schema"]["fields"][1]["type"] = "timestamp"

    mistakes = " ".join(mistakes_in(mapping))

    assert "titel: found an unknown key" in mistakes
    assert "did you mean encoding?" in mistakes
    assert "found \"timestamp\", expected one of 'string'" in mistakes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"when": [{"column": "id", "is": ["a"], "matches": "b"}]}, "is and matches"),
        ({"when": [{"column": "id", "matches": "("}]}, "a regular expression"),
        ({"at": {"given": "day"}}, "found day"),
        ({"at": {"after": "at", "add": "price"}}, "expected one of type duration"),
        ({"fields": {"conversation_id": "id", "category": {"column": "id", "pattern": "a"}}}, "found 0 groups"),
        ({"fields": {"conversation_id": "id", "amount_minor": {"product": ["id", "price"]}}}, "type string"),
        ({"fields": {"conversation_id": "id", "courtesy": "id"}}, "a field of docs/events.md"),
        ({"id": "{id}:{nr}"}, "the column nr"),
    ],
)
def test_event_that_names_what_there_is_not_is_refused(change, said):
    mapping = small()
    mapping["resources"][0]["events"][0] |= change

    (mistake,) = mistakes_in(mapping)

    assert said in mistake


def test_foreign_key_must_lead_to_the_primary_key_of_another_resource():
    mapping = small()
    schema = mapping["resources"][0]["schema"]
    schema["foreignKeys"] = [{"fields": "id", "reference": {"resource": "users", "fields": "id"}}]

    assert "found users, expected no other resource" in mistakes_in(mapping)[0]

    mapping["resources"].append(
        {"name": "users", "row": "a user", "schema": {"fields": [{"name": "id", "type": "string"}]}}
    )
    assert "expected the primary key of users: it has none" in mistakes_in(mapping)[0]


def test_unknown_mapping_is_named_with_the_one_that_may_be_meant():
    with pytest.raises(MissingSourceError, match=r"found no mapping contact, expected .*; did you mean contacts\?"):
        load_mapping("contact")


def test_mapping_that_comes_along_is_no_yaml_of_two_meanings():
    for name in shipped_mappings():
        assert yaml.safe_load((SHIPPED / f"{name}.yaml").read_text("utf-8"))["name"] == name
