"""Changes of facts as items that the functions absorb: histories by item key.

Facts are summed by tile first, where they are; then the tiles of an item come together. No task holds a shop's facts.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from service_quality.commit.state_items import HistoryItem, encode_histories, entity_name
from service_quality.facts.entities import item_key_of
from service_quality.histories.history import History, HistoryPlan
from service_quality.histories.windows import WINDOWS
from spark_jobs.reader.attribute_sets import AttributeSets
from spark_jobs.reader.block_rows import gathered
from spark_jobs.reader.window_sums import starts

Row = dict[str, Any]
#: The plan of the items of each import, by its id.
Plans = Mapping[str, HistoryPlan]

ITEM_DDL = "shop_id string, import_id string, key string, data binary"
ITEM_SCHEMA = pa.schema([*((name, pa.string()) for name in ("shop_id", "import_id", "key")), ("data", pa.binary())])
#: An item's rows are together in this order.
ITEM_KEY = ("shop_id", "import_id", "item_key")
TILE_DDL = (
    "shop_id string, import_id string, item_key string, key string, window string, name string, tile bigint, "
    "value bigint, clock bigint"
)
TILE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (*ITEM_KEY, "key", "window", "name")),
        *((name, pa.int64()) for name in ("tile", "value", "clock")),
    ]
)
_SUMMED_AT_ONCE, _ITEMS_AT_ONCE = 100_000, 1_000


def build_history_items(facts: DataFrame, plans: Plans) -> DataFrame:
    """Facts of shops (shop_id, import_id, attributes, at, name, value, clock of the shop) → encoded items (ITEM_DDL).

    A fact that has left every window by that clock, or is cancelled by another fact, is in no item.
    """

    def summed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in gathered(batches, _SUMMED_AT_ONCE):
            yield from sum_tiles(table, plans).to_batches()

    tiles = facts.mapInArrow(summed, TILE_DDL).repartition(*ITEM_KEY).sortWithinPartitions(*ITEM_KEY)
    return tiles.mapInArrow(lambda batches: encode_items(batches, plans), ITEM_DDL)


def sum_tiles(facts: pa.Table, plans: Plans) -> pa.Table:
    """Facts summed by the tiles of the windows that still hold them (TILE_SCHEMA), without sums of 0."""
    sets = AttributeSets(facts.column("attributes"))
    frame = facts.drop_columns(["attributes"]).to_pandas()
    tables = []
    for import_id in frame["import_id"].unique().tolist():
        of_import = (frame["import_id"] == import_id).to_numpy()
        for entity, windows in plans[import_id].windows.items():
            keys, codes = sets.entities(entity)
            for window, names in windows.items():
                chosen = of_import & (codes >= 0) & frame["name"].isin(names).to_numpy()
                tables.append(_tiles(frame[chosen], keys, codes[chosen], window))
    return pa.concat_tables(tables) if tables else TILE_SCHEMA.empty_table()


def _tiles(facts: pd.DataFrame, keys: list[str], codes: NDArray[np.int64], name: str) -> pa.Table:
    """The tiles of one window of one kind of entity."""
    window = WINDOWS[name]
    tile = facts["at"].to_numpy() // window.hop * window.hop
    held = tile >= starts(window, facts["clock"].to_numpy())
    own = facts[held].assign(code=codes[held], tile=tile[held])
    totals = own.groupby(["shop_id", "import_id", "clock", "code", "tile", "name"], sort=False, as_index=False)["value"]
    sums = totals.sum().query("value != 0")
    named = [keys[code] for code in sums["code"].tolist()]
    columns = {one: sums[one].to_numpy() for one in ("shop_id", "import_id", "name", "tile", "value", "clock")}
    columns |= {"key": named, "item_key": list(map(item_key_of, named)), "window": [name] * len(named)}
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in TILE_SCHEMA}, TILE_SCHEMA)


def encode_items(tiles: Iterable[pa.RecordBatch], plans: Plans) -> Iterator[pa.RecordBatch]:
    """Tiles (TILE_SCHEMA), those of an item together → items (ITEM_SCHEMA)."""
    rows = (row for batch in tiles for row in batch.to_pylist())
    held: list[Row] = []
    for (shop_id, import_id, key), own in groupby(rows, key=itemgetter(*ITEM_KEY)):
        item = _item_of(own, plans[import_id])
        if item.histories:
            data = encode_histories(item, plans[import_id])
            held.append({"shop_id": shop_id, "import_id": import_id, "key": key, "data": data})
        if len(held) >= _ITEMS_AT_ONCE:
            yield pa.RecordBatch.from_pylist(held, ITEM_SCHEMA)
            held = []
    if held:
        yield pa.RecordBatch.from_pylist(held, ITEM_SCHEMA)


def _item_of(tiles: Iterable[Row], plan: HistoryPlan) -> HistoryItem:
    histories: dict[str, History] = {}
    for tile in tiles:
        windows = plan.windows[entity_name(tile["key"])]
        history = histories.setdefault(tile["key"], History(windows))
        index = windows[tile["window"]].index(tile["name"])
        history.windows[tile["window"]].add(tile["tile"], index, tile["value"], clock=tile["clock"])
    return HistoryItem({key: history for key, history in histories.items() if not history.empty})
