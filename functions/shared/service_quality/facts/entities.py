"""Entities, by which history is grouped, and the attributes of an event that name them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from service_quality.events.identifiers import SEPARATOR


class Entity(NamedTuple):
    """One kind of thing with a history.

    `parts` are the attributes that together name it. Where one is missing there is no such entity, unless
    `keeps_missing`: then "missing" is a level of its own, as informative as the others. Its histories are stored
    in the item of the entity `stored_with`, by default itself, whose parts must lead its own.
    """

    name: str
    parts: tuple[str, ...]
    keeps_missing: bool = False
    stored_with: str = ""

    def key(self, attributes: Mapping[str, str | None]) -> str | None:
        """The key of this entity's history; None where the attributes name no such entity.

        A separator always follows the entity's name, so that no history has the key of the shop's item.

        >>> Entity("agent", ("agent_id",)).key({"agent_id": "ann"})
        'agent\\x1fann'
        """
        return _key_of(self.name, self.keeps_missing, *map(attributes.get, self.parts))


@lru_cache(maxsize=4_096)
def _key_of(name: str, keeps_missing: bool, *values: str | None) -> str | None:  # cached by place
    parts = [name, *values] if values else [name, ""]
    if None not in parts:
        return SEPARATOR.join(parts)  # type: ignore[arg-type]  # no None among them
    return SEPARATOR.join(part or "" for part in parts) if keeps_missing else None


SHOP = Entity("shop", ())
MANAGER = Entity("manager", ("manager_id",))
SUPERVISOR = Entity("supervisor", ("supervisor_id",))
AGENT = Entity("agent", ("agent_id",))
AGENT_CATEGORY = Entity("agent_category", ("agent_id", "category"), stored_with="agent")
TENURE = Entity("tenure", ("agent_tenure",))
SHIFT = Entity("shift", ("agent_shift",))
CHANNEL = Entity("channel", ("channel",))
CATEGORY = Entity("category", ("category",))
SUBCATEGORY = Entity("subcategory", ("category", "subcategory"))
SUBCATEGORY_PRODUCT = Entity(
    "subcategory_product", ("category", "subcategory", "product"), keeps_missing=True, stored_with="subcategory"
)
CUSTOMER = Entity("customer", ("customer_id",))
CUSTOMER_CURRENCY = Entity("customer_currency", ("customer_id", "currency"), stored_with="customer")
SKU = Entity("sku", ("sku",))
SHOP_CURRENCY = Entity("shop_currency", ("currency",), stored_with="shop")
CATEGORY_CURRENCY = Entity("category_currency", ("category", "currency"), stored_with="category")
SKU_CURRENCY = Entity("sku_currency", ("sku", "currency"), stored_with="sku")

ENTITIES = {
    entity.name: entity
    for entity in (
        SHOP, MANAGER, SUPERVISOR, AGENT, AGENT_CATEGORY, TENURE, SHIFT, CHANNEL, CATEGORY, SUBCATEGORY,
        SUBCATEGORY_PRODUCT, CUSTOMER, CUSTOMER_CURRENCY, SKU, SHOP_CURRENCY, CATEGORY_CURRENCY, SKU_CURRENCY,
    )
}  # fmt: skip

#: Every attribute that names an entity or a part of one.
ATTRIBUTES = tuple(dict.fromkeys(part for entity in ENTITIES.values() for part in entity.parts))


def keys_of(attributes: Mapping[str, str | None]) -> Mapping[str, str]:
    """The keys of the histories of all entities that attributes name, by entity name.

    >>> keys_of({"agent_id": "ann"})["agent"]
    'agent\\x1fann'
    """
    return _keys_of(tuple(map(attributes.get, ATTRIBUTES)))


@lru_cache(maxsize=2_048)
def _keys_of(values: tuple[str | None, ...]) -> Mapping[str, str]:
    attributes = dict(zip(ATTRIBUTES, values, strict=True))
    keys = {name: entity.key(attributes) for name, entity in ENTITIES.items()}
    return {name: key for name, key in keys.items() if key is not None}


@lru_cache(maxsize=65_536)
def item_key_of(key: str) -> str:
    """The key of the item in which an entity's history is stored.

    >>> item_key_of("agent_category\\x1fann\\x1freturns")
    'agent\\x1fann'
    >>> item_key_of("shop_currency\\x1fEUR") == SHOP.key({})
    True
    """
    name, *values = key.split(SEPARATOR)
    entity = ENTITIES[name]
    if not entity.stored_with:
        return key
    owner = ENTITIES[entity.stored_with]
    key_of_owner = owner.key(dict(zip(owner.parts, values, strict=False)))
    assert key_of_owner is not None  # the parts of the owner lead
    return key_of_owner
