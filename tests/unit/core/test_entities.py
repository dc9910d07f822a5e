"""The entities that an event's attributes name, and the item in which a history is stored."""

import pytest

from service_quality.commit.state_items import entity_name
from service_quality.facts.entities import AGENT_CATEGORY, ENTITIES, SHOP, SUBCATEGORY_PRODUCT, item_key_of

ATTRIBUTES = {"agent_id": "ann", "category": "returns", "subcategory": "broken", "supervisor_id": "sue"}


def test_composite_entity_is_named_by_all_its_parts():
    assert AGENT_CATEGORY.key(ATTRIBUTES) == "agent_category\x1fann\x1freturns"


def test_missing_part_means_no_such_entity():
    assert AGENT_CATEGORY.key({"agent_id": "ann", "category": None}) is None


def test_missing_is_a_level_of_its_own_where_the_entity_says_so():
    assert SUBCATEGORY_PRODUCT.key({}) == "subcategory_product\x1f\x1f\x1f"


def test_no_history_has_the_key_of_the_shops_item():
    assert SHOP.key({}) not in (None, "shop")
    assert item_key_of(SHOP.key({}) or "") == SHOP.key({})


def test_history_lies_in_the_item_of_the_entity_that_it_is_stored_with():
    assert item_key_of(SUBCATEGORY_PRODUCT.key(ATTRIBUTES) or "") == "subcategory\x1freturns\x1fbroken"


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_parts_of_an_item_lead_those_of_what_is_stored_with_it(entity):
    if entity.stored_with:
        owner = ENTITIES[entity.stored_with]
        assert entity.parts[: len(owner.parts)] == owner.parts
        assert not owner.stored_with


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_key_tells_its_entity(entity):
    assert entity_name(entity.key(dict.fromkeys(entity.parts, "x")) or "") == entity.name
