"""The Spark reader: the declared features of a whole shop at once, as columns equal bit for bit to those served."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service_quality.features.declarations import Feature, FeatureSet, compute_features
from service_quality.histories.history import Column
from service_quality.histories.windows import WINDOWS
from spark_jobs.logs.folding import event_value_names
from spark_jobs.reader.attribute_sets import AttributeSets
from spark_jobs.reader.counted_spans import EVERYTHING, CountedSpans
from spark_jobs.reader.window_sums import EntityFacts, Floats, Integers, ReadPoints, SortedFacts, WindowReader

Values = NDArray[np.int64] | Floats


class ShopColumns:
    """Reads features over one shop's folded log (a table of folding.LIVE_SCHEMA), at every scored event.

    `spans` are those of the columns that did not count from the shop's first record on; before it began, such a column
    is read as if it had.
    """

    def __init__(self, folded: pa.Table, features: FeatureSet, spans: CountedSpans | None = None) -> None:
        self._features = features
        self._spans = spans or {}
        self.scored = folded.filter(folded.column("scored"))
        self._log_index = _integers(self.scored, "log_index")
        self._clock = _integers(self.scored, "clock")
        self._values = self._event_values()
        self._facts = _flatten_facts(folded)
        self._known: dict[int, Values] = {}
        self._sorted: dict[tuple[str, str, int], SortedFacts] = {}

    def vectors(self) -> NDArray[np.float32]:
        """float32 vectors, scored events × features in declared order."""
        columns: Sequence[Values] = compute_features(self._features.features, self)
        if not columns:
            return np.empty((len(self._log_index), 0), dtype=np.float32)
        return np.column_stack([column.astype(np.float64).astype(np.float32) for column in columns])

    def total(self, entity: str, window: str, fact: str) -> Values:
        # Never below zero, as online (features/feature_context.py).
        return self._by_spans(entity, window, fact, lambda reader: np.maximum(reader.totals(fact), 0))

    def time_since(self, entity: str, window: str, fact: str) -> Values:
        return self._by_spans(entity, window, fact, lambda reader: reader.time_since(fact))

    def _by_spans(self, entity: str, window: str, fact: str, read: Callable[[WindowReader], Values]) -> Values:
        """What a window says at each read point of the facts that its column holds there; NaN where incomplete."""
        spans = self._spans.get(Column(entity, window, fact), EVERYTHING)
        if spans == EVERYTHING:
            return read(self._facts_of(entity, fact).over(WINDOWS[window]))
        found = np.full(len(self._log_index), np.nan)
        for span in (*EVERYTHING, *spans):
            inside = self._log_index > span.behind
            reader = self._facts_of(entity, fact, behind=span.counts_behind).over(WINDOWS[window])
            found = np.where(inside, read(reader), found)
            if span.since is not None:
                found[inside & (reader.starts(self._clock) <= WINDOWS[window].tile(span.since))] = np.nan
        return found

    def ratio(self, numerator: Values, denominator: Values) -> Values:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(denominator == 0, np.nan, numerator / denominator)

    def shrink(self, hits: Values, trials: Values, parent: Values | float, prior_weight: float) -> Values:
        shrunk: Floats = (hits + prior_weight * parent) / (trials + prior_weight)
        return shrunk

    def event(self, name: str) -> Values:
        return self._values[name]

    def memoized(self, feature: Feature) -> Values:
        known = id(feature)
        if known not in self._known:
            self._known[known] = feature.compute(self)
        return self._known[known]

    def _facts_of(self, entity: str, fact: str, *, behind: int = -1) -> SortedFacts:
        """One kind of fact of one kind of entity behind a log index, sorted once for all windows."""
        if (entity, fact, behind) not in self._sorted:
            of_fact, at_read_point = self._entity_codes(entity)
            chosen = (self._fact_names == fact) & (of_fact >= 0) & (_integers(self._facts, "log_index") > behind)
            names = ("log_index", "clock", "at", "value")
            log_index, clock, at, value = (_integers(self._facts, name)[chosen] for name in names)
            facts = EntityFacts(of_fact[chosen], log_index, clock, at, {fact: value})
            self._sorted[entity, fact, behind] = SortedFacts(
                facts, ReadPoints(at_read_point, self._log_index, self._clock)
            )
        return self._sorted[entity, fact, behind]

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
