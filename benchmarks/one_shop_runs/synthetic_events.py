"""Synthetic events of one shop, with the fields of interaction events, as Parquet; one agent has a quarter of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from service_quality.events.declared_fields import INSTANT, INTEGER
from service_quality.events.interaction_event import DECLARED, FIELDS
from service_quality.instants import DAY, HOUR, MINUTE

BUSIEST = 0.25  # the busiest agent's share of the contacts
DAYS = 120
CONTACTS_A_CUSTOMER = 2.5
AGENTS, CATEGORIES, SUBCATEGORIES, PRODUCTS, CHANNELS = 200, 12, 5, 20, 4
_START = 1_767_600_000_000
_CONTACTS_A_PIECE = 50_000
#: The events of a contact, and the visit that belongs to it; what comes last but one is a rating or a further message.
_KINDS = (
    "page_viewed", "order_placed", "conversation_opened", "customer_message", "agent_message", "customer_message",
    "agent_message", "resolved", "rated", "reopened",
)  # fmt: skip
EVENTS_A_CONTACT = len(_KINDS)
_OF_VISIT, _OF_AGENT = 2, ("agent_message",)
_LATE = 0.02  # the share of events that arrive hours after they occurred
_INTEGERS = [name for name in FIELDS if DECLARED[name].form in (INSTANT, INTEGER)]
_SCHEMA = pa.schema([(name, pa.int64() if name in _INTEGERS else pa.string()) for name in FIELDS])

Integers = NDArray[np.int64]


def write_events(file: Path, *, events: int, seed: int = 1) -> None:
    """Write about so many events of one shop, instants in epoch milliseconds, in order of contacts."""
    chance = np.random.default_rng(seed)
    contacts = max(1, events // EVENTS_A_CONTACT)
    opened = _START + np.sort(chance.integers(0, DAYS * DAY, contacts))
    with parquet.ParquetWriter(file, _SCHEMA, compression="snappy") as writer:
        for first in range(0, contacts, _CONTACTS_A_PIECE):
            numbers = np.arange(first, min(contacts, first + _CONTACTS_A_PIECE))
            writer.write_table(_contacts(numbers, opened[numbers], contacts, chance))


def _contacts(numbers: Integers, opened: Integers, contacts: int, chance: np.random.Generator) -> pa.Table:
    """The events of some contacts."""
    count = len(numbers)
    agent = np.where(chance.random(count) < BUSIEST, 0, chance.integers(1, AGENTS, count))
    category = chance.integers(0, CATEGORIES, count)
    subcategory = chance.integers(0, SUBCATEGORIES, count)
    product = chance.integers(0, PRODUCTS, count)
    whole = {
        "customer_id": _texts("u", chance.integers(0, max(1, int(contacts / CONTACTS_A_CUSTOMER)), count)),
        "category": _texts("category ", category),
        "subcategory": _texts("subcategory ", category * SUBCATEGORIES + subcategory),
        "sku": _texts("sku ", (category * SUBCATEGORIES + subcategory) * PRODUCTS + product),
        "channel": _texts("channel ", chance.integers(0, CHANNELS, count)),
    }
    of_contact = {
        "conversation_id": _texts("c", numbers),
        "supervisor_id": _texts("s", agent // 10),
        "manager_id": _texts("m", agent // 50),
        "product": _texts("product ", product),
    }
    waits = chance.exponential(4 * MINUTE, (EVENTS_A_CONTACT, count)).astype(np.int64)
    at = opened + np.cumsum(waits, axis=0)
    tables = []
    for place, kind in enumerate(_KINDS):
        late = chance.integers(0, 3 * HOUR, count) * (chance.random(count) < _LATE)
        fields = whole | (of_contact if place >= _OF_VISIT else {})
        if kind in _OF_AGENT:
            fields = fields | {"agent_id": _texts("a", agent)}
        fields |= {"occurred_at": at[place], "received_at": at[place] + late}
        fields |= {"event_id": compute.binary_join_element_wise(_texts("e", numbers), str(place), "-")}
        fields |= _of_kind(kind, numbers, chance)
        tables.append(_table(fields, kind, count))
    return pa.concat_tables(tables)


def _of_kind(kind: str, numbers: Integers, chance: np.random.Generator) -> dict[str, pa.Array]:
    count = len(numbers)
    match kind:
        case "page_viewed":
            return {"duration_ms": chance.integers(0, 10 * MINUTE, count)}
        case "order_placed":
            return {"order_id": _texts("o", numbers), "amount_minor": chance.integers(100, 100_000, count)}
        case "rated":
            return {"rating": chance.integers(1, 6, count)}
    return {}


def _table(fields: dict[str, pa.Array], kind: str, count: int) -> pa.Table:
    constant = {"shop_id": "shop", "kind": kind, "precision": "ms", "currency": "EUR"}
    columns = [
        pa.array([constant[field.name]] * count, field.type)
        if field.name in constant
        else pa.array(fields[field.name], field.type)
        if field.name in fields
        else pa.nulls(count, field.type)
        for field in _SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def _texts(prefix: str, numbers: Integers) -> pa.Array:
    return compute.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
