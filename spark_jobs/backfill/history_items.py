"""An import's changes as items that the functions absorb: histories by item key, parts of conversations by key."""

import pandas as pd
import pyarrow as pa

from service_quality.commit.state_items import HistoryItem, encode_histories, entity_name
from service_quality.facts.entities import item_key_of
from service_quality.histories.history import History, HistoryPlan
from service_quality.histories.windows import WINDOWS
from spark_jobs.reader.attribute_sets import AttributeSets

ITEM_DDL = "shop_id string, key string, data binary"
_ITEM_SCHEMA = pa.schema([("shop_id", pa.string()), ("key", pa.string()), ("data", pa.binary())])


def build_history_items(facts: pa.Table, plan: HistoryPlan) -> pa.Table:
    """One shop's facts (shop_id, attributes, at, name, value, clock of the shop) → encoded items by key (ITEM_DDL).

    A fact that has left every window by that clock, or is cancelled by another fact, is in no item.
    """
    if not facts.num_rows:
        return _ITEM_SCHEMA.empty_table()
    shop_id, clock = facts.column("shop_id")[0].as_py(), facts.column("clock")[0].as_py()
    sets = AttributeSets(facts.column("attributes"))
    frame = facts.select(["at", "name", "value"]).to_pandas()
    items: dict[str, HistoryItem] = {}
    for entity in plan.windows:
        for key, history in _histories_of(entity, frame, sets, plan, clock).items():
            if not history.empty:
                items.setdefault(item_key_of(key), HistoryItem()).histories[key] = history
    keys = sorted(items)
    return pa.table(
        {"shop_id": [shop_id] * len(keys), "key": keys, "data": [encode_histories(items[key], plan) for key in keys]},
        schema=_ITEM_SCHEMA,
    )


def _histories_of(
    entity: str, frame: pd.DataFrame, sets: AttributeSets, plan: HistoryPlan, clock: int
) -> dict[str, History]:
    keys, codes = sets.entities(entity)
    histories: dict[str, History] = {}
    for name, facts in plan.windows[entity].items():
        window = WINDOWS[name]
        tile = frame["at"].to_numpy() // window.hop * window.hop
        chosen = (codes >= 0) & frame["name"].isin(facts).to_numpy() & (tile >= window.start(clock))
        columns = {"code": codes[chosen], "tile": tile[chosen], "name": frame["name"].to_numpy()[chosen]}
        values = pd.DataFrame({**columns, "value": frame["value"].to_numpy()[chosen]})
        totals = values.groupby(["code", "tile", "name"], sort=True, as_index=False)["value"].sum()
        for code, start, fact, value in zip(*(totals[column].tolist() for column in totals.columns), strict=True):
            key = keys[code]
            if key not in histories:
                histories[key] = History(plan.windows[entity_name(key)])
            if value:
                histories[key].windows[name].add(start, facts.index(fact), value, clock=clock)
    return histories
