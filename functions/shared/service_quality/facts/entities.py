"""Entities: what history is grouped by, and how an event's attributes name one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

SEPARATOR = "\x1f"  # ids are printable, so no id holds it


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of thing with a history.

    `parts` are the attributes that together name it. Where one is missing there is no such entity, unless
    `keeps_missing`: then "missing" is a level of its own, as informative as the others. Its histories are stored
    in the item of `home`, itself by default; the home's parts must lead its own.
    """

    name: str
    parts: tuple[str, ...]
    keeps_missing: bool = False
    home: str = ""

    def key(self, attributes: Mapping[str, str | None]) -> str | None:
        """The name under which this entity's history is kept, or None where there is none.

        A separator always follows the entity's name, so that no history is kept under the key of the shop's item.

        >>> Entity("agent", ("agent_id",)).key({"agent_id": "ann"})
        'agent\\x1fann'
        """
        values = [self.name, *map(attributes.get, self.parts)] if self.parts else [self.name, ""]
        if None not in values:
            return SEPARATOR.join(values)  # type: ignore[arg-type]  # no None among them
        return SEPARATOR.join(value or "" for value in values) if self.keeps_missing else None


SHOP = Entity("shop", ())
MANAGER = Entity("manager", ("manager_id",))
SUPERVISOR = Entity("supervisor", ("supervisor_id",))
AGENT = Entity("agent", ("agent_id",))
AGENT_CATEGORY = Entity("agent_category", ("agent_id", "category"), home="agent")
TENURE = Entity("tenure", ("agent_tenure",))
SHIFT = Entity("shift", ("agent_shift",))
CHANNEL = Entity("channel", ("channel",))
CATEGORY = Entity("category", ("category",))
SUBCATEGORY = Entity("subcategory", ("category", "subcategory"))
SUBCATEGORY_PRODUCT = Entity(
    "subcategory_product", ("category", "subcategory", "product"), keeps_missing=True, home="subcategory"
)
CUSTOMER = Entity("customer", ("customer_id",))
SKU = Entity("sku", ("sku",))

ENTITIES = {
    entity.name: entity
    for entity in (
        SHOP, MANAGER, SUPERVISOR, AGENT, AGENT_CATEGORY, TENURE, SHIFT, CHANNEL, CATEGORY, SUBCATEGORY,
        SUBCATEGORY_PRODUCT, CUSTOMER, SKU,
    )
}  # fmt: skip

#: Every attribute that names an entity or a part of one.
ATTRIBUTES = tuple(dict.fromkeys(part for entity in ENTITIES.values() for part in entity.parts))


@lru_cache(maxsize=65_536)
def home_key(key: str) -> str:
    """The key of the item in which an entity's history is stored.

    >>> home_key("agent_category\\x1fann\\x1freturns")
    'agent\\x1fann'
    """
    name, *values = key.split(SEPARATOR)
    home = ENTITIES[ENTITIES[name].home] if ENTITIES[name].home else None
    return SEPARATOR.join([home.name, *values[: len(home.parts)]]) if home else key
