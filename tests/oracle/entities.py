"""The entities that group history, as the events of a contact name them. Events in reading order."""

from collections.abc import Mapping, Sequence

from tests.oracle.story import Placed, Story

Attributes = Mapping[str, str | None]

#: Entity → the attributes that together name one.
PARTS: dict[str, tuple[str, ...]] = {
    "shop": (),
    "manager": ("manager_id",),
    "supervisor": ("supervisor_id",),
    "agent": ("agent_id",),
    "agent_category": ("agent_id", "category"),
    "tenure": ("agent_tenure",),
    "shift": ("agent_shift",),
    "channel": ("channel",),
    "category": ("category",),
    "subcategory": ("category", "subcategory"),
    "subcategory_product": ("category", "subcategory", "product"),
    "customer": ("customer_id",),
    "customer_currency": ("customer_id", "currency"),
    "sku": ("sku",),
    "shop_currency": ("currency",),
    "category_currency": ("category", "currency"),
    "sku_currency": ("sku", "currency"),
}
#: Entities of which a missing part is a level of its own; of the others it means that there is no such entity.
MISSING_IS_A_LEVEL = ("subcategory_product",)
#: What the events of a contact say of it.
OF_CONTACTS = (
    "customer_id", "category", "subcategory", "product", "sku", "channel", "priority", "customer_tier",
)  # fmt: skip
#: Entities of agents, whose times of waits are the agents' shares.
OF_AGENTS = ("agent", "agent_category", "tenure", "shift", "supervisor", "manager")


def entity_key(entity: str, attributes: Attributes) -> str | None:
    """The key under which the entity's history is stored; None where there is no such entity."""
    parts = [attributes.get(name) for name in PARTS[entity]]
    if None in parts and entity not in MISSING_IS_A_LEVEL:
        return None
    return "\x1f".join([entity, *(part or "" for part in parts)] if parts else [entity, ""])


def contact_attributes(story: Story, agent_id: str | None) -> Attributes:
    """The attributes of the contact and of one of its agents: of each the last that was named."""
    events = story.events
    about = {name: _last_named(events, name) for name in OF_CONTACTS}
    of_agent = [one for one in events if agent_id is not None and one.event.agent_id == agent_id]
    profile = {
        name: _last_named(of_agent, name) for name in ("supervisor_id", "manager_id", "agent_tenure", "agent_shift")
    }
    return {**about, **profile, "agent_id": agent_id, "currency": currency_of(story)}


def visit_attributes(story: Story, place: int) -> Attributes:
    """The customer and article that a behaviour event names itself, and its currency."""
    names = ("customer_id", "sku", "category", "subcategory", "channel")
    event = story.event(place)
    return {**{name: getattr(event, name) for name in names}, "currency": currency_of(story.until(place))}


def currency_of(story: Story) -> str | None:
    """The currency that was named last; without one that of the policy at the last event, which may name none."""
    if not len(story):
        return None
    return _last_named(story.events, "currency") or story.policy_at(len(story) - 1).currency


def _last_named(events: Sequence[Placed], name: str) -> str | None:
    named = (getattr(one.event, name) for one in reversed(events))
    return next((value for value in named if value is not None), None)
