"""The Spark reader: the declared features of a whole shop at once, as columns equal bit for bit to those served."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service_quality.features.declarations import Feature, FeatureSet, compute_features
from service_quality.histories.windows import WINDOWS
from spark_jobs.logs.folding import event_value_names
from spark_jobs.reader.attribute_sets import AttributeSets
from spark_jobs.reader.window_sums import EntityFacts, Floats, Integers, ReadPoints, SortedFacts

Column = NDArray[np.int64] | Floats


class ShopColumns:
    """Reads features over one shop's folded log (a table of folding.LIVE_SCHEMA), at every scored event."""

    def __init__(self, folded: pa.Table, features: FeatureSet) -> None:
        self._features = features
        self.scored = folded.filter(folded.column("scored"))
        self._log_index = _integers(self.scored, "log_index")
        self._clock = _integers(self.scored, "clock")
        self._values = self._event_values()
        self._facts = _flatten_facts(folded)
        self._known: dict[int, Column] = {}
        self._sorted: dict[tuple[str, str], SortedFacts] = {}

    def vectors(self) -> NDArray[np.float32]:
        """float32 vectors, scored events × features in declared order."""
        columns: Sequence[Column] = compute_features(self._features.features, self)
        if not columns:
            return np.empty((len(self._log_index), 0), dtype=np.float32)
        return np.column_stack([column.astype(np.float64).astype(np.float32) for column in columns])

    def total(self, entity: str, window: str, fact: str) -> Column:
        # Never below zero, as online (features/feature_context.py).
        return np.maximum(self._facts_of(entity, fact).over(WINDOWS[window]).totals(fact), 0)

    def time_since(self, entity: str, window: str, fact: str) -> Column:
        return self._facts_of(entity, fact).over(WINDOWS[window]).time_since(fact)

    def ratio(self, numerator: Column, denominator: Column) -> Column:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(denominator == 0, np.nan, numerator / denominator)

    def shrink(self, hits: Column, trials: Column, parent: Column | float, prior_weight: float) -> Column:
        shrunk: Floats = (hits + prior_weight * parent) / (trials + prior_weight)
        return shrunk

    def event(self, name: str) -> Column:
        return self._values[name]

    def memoized(self, feature: Feature) -> Column:
        known = id(feature)
        if known not in self._known:
            self._known[known] = feature.compute(self)
        return self._known[known]

    def _facts_of(self, entity: str, fact: str) -> SortedFacts:
        """One kind of fact of one kind of entity, sorted once for all windows."""
        if (entity, fact) not in self._sorted:
            of_fact, at_read_point = self._entity_codes(entity)
            chosen = (self._fact_names == fact) & (of_fact >= 0)
            names = ("log_index", "clock", "at", "value")
            log_index, clock, at, value = (_integers(self._facts, name)[chosen] for name in names)
            facts = EntityFacts(of_fact[chosen], log_index, clock, at, {fact: value})
            self._sorted[entity, fact] = SortedFacts(facts, ReadPoints(at_read_point, self._log_index, self._clock))
        return self._sorted[entity, fact]

    def _entity_codes(self, entity: str) -> tuple[Integers, Integers]:
        """The number of the entity at each fact and at each read point; −1 where no entity is named."""
        _, codes = self._attributes.entities(entity)
        return codes[: self._facts.num_rows], codes[self._facts.num_rows :]

    @cached_property
    def _attributes(self) -> AttributeSets:
        both = self._facts.column("attributes").chunks + self.scored.column("attributes").chunks
        return AttributeSets(pa.chunked_array(both, type=pa.string()))

    @cached_property
    def _fact_names(self) -> NDArray[np.str_]:
        return np.asarray(self._facts.column("name").to_pylist(), dtype=np.str_)

    def _event_values(self) -> dict[str, Floats]:
        names = event_value_names(self._features)
        flat = self.scored.column("values").combine_chunks().flatten()
        grid = flat.to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, max(1, len(names)))
        return {name: grid[:, index] for index, name in enumerate(names)}


def _flatten_facts(folded: pa.Table) -> pa.Table:
    """One row a fact: its own columns, and log index and clock of the event that brought it."""
    lists = folded.column("facts").combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], type=lists.type)
    facts = lists.flatten()
    parents = pa.compute.list_parent_indices(lists)
    fields = {name: facts.field(name) for name in ("attributes", "at", "name", "value")}
    fields |= {name: folded.column(name).combine_chunks().take(parents) for name in ("log_index", "clock")}
    return pa.table(fields)


def _integers(table: pa.Table, name: str) -> Integers:
    return table.column(name).to_numpy().astype(np.int64)
