"""The declared features as columns, at the events of one piece of a shop's log, from what was read of its histories."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service_quality.features.declarations import LEAST, MINUS, MOST, PLUS, Feature, FeatureSet, compute_features
from service_quality.histories.history import Column
from service_quality.histories.windows import WINDOWS
from spark_jobs.reader.asked_sums import TIME_SINCE, TIME_SINCE_FIRST, TOTAL, Asked
from spark_jobs.reader.counted_spans import CountedSpans
from spark_jobs.reader.entity_blocks import integers
from spark_jobs.reader.entity_windows import EntityValues, Values
from spark_jobs.reader.window_sums import Floats, starts

_OPERATIONS = {PLUS: np.add, MINUS: np.subtract, LEAST: np.minimum, MOST: np.maximum}


class PieceColumns:
    """Reads features at scored events of a shop (columns of folding.LIVE_SCHEMA), in order of their log indexes.

    `found` is what was read of the histories of the entities that the events name: without an entity a sum is 0, and
    a time is missing. `spans` are those of the columns that did not count from the shop's first record on.
    """

    def __init__(
        self, events: pa.Table, features: FeatureSet, found: Iterable[EntityValues], spans: CountedSpans
    ) -> None:
        self._features = features
        self._spans = spans
        self._log_index = integers(events, "log_index")
        self._clock = integers(events, "clock")
        self._values = self._event_values(events)
        self._asked: dict[Asked, Values] = {}
        self._known: dict[int, Values] = {}
        for one in found:
            places = np.searchsorted(self._log_index, one.log_index)
            for asked, values in one.values.items():
                self._column(asked)[places] = values

    def vectors(self) -> NDArray[np.float32]:
        """float32 vectors, events × features in declared order."""
        columns: Sequence[Values] = compute_features(self._features.features, self)
        if not columns:
            return np.empty((len(self._log_index), 0), dtype=np.float32)
        return np.column_stack([column.astype(np.float64).astype(np.float32) for column in columns])

    def total(self, entity: str, window: str, fact: str) -> Values:
        return self._complete(Asked(Column(entity, window, fact), TOTAL))

    def time_since(self, entity: str, window: str, fact: str) -> Values:
        return self._complete(Asked(Column(entity, window, fact), TIME_SINCE))

    def time_since_first(self, entity: str, window: str, fact: str) -> Values:
        return self._complete(Asked(Column(entity, window, fact), TIME_SINCE_FIRST))

    def ratio(self, numerator: Values, denominator: Values) -> Values:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(denominator == 0, np.nan, numerator / denominator)

    def shrink(self, hits: Values, trials: Values, parent: Values | float, prior_weight: float) -> Values:
        shrunk: Floats = (hits + prior_weight * parent) / (trials + prior_weight)
        return shrunk

    def combine(self, operation: str, first: Values, second: Values) -> Values:
        combined: Values = _OPERATIONS[operation](first, second)
        return combined

    def count_positive(self, numbers: Sequence[Values]) -> Values:
        missing = np.isnan(np.asarray(numbers, dtype=np.float64)).any(axis=0)
        return np.where(missing, np.nan, np.sum([number > 0 for number in numbers], axis=0))

    def quantile(self, counts: Sequence[Values], bounds: Sequence[int], share: float) -> Values:
        rank, low = share * np.sum(np.asarray(counts, dtype=np.float64), axis=0), 0
        before, found = np.zeros(len(rank)), np.full(len(rank), np.nan)
        for count, bound in zip(counts, bounds, strict=True):
            here = np.isnan(found) & (count > 0) & (before + count >= rank)
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.where(here, low + (bound - low) * ((rank - before) / count), found)
            before, low = before + count, bound
        return found

    def event(self, name: str) -> Values:
        return self._values[name]

    def memoized(self, feature: Feature) -> Values:
        known = id(feature)
        if known not in self._known:
            self._known[known] = feature.compute(self)
        return self._known[known]

    def _column(self, asked: Asked) -> Values:
        if asked not in self._asked:
            count = len(self._log_index)
            column = np.zeros(count, dtype=np.int64) if asked.what == TOTAL else np.full(count, np.nan)
            self._asked[asked] = column
        return self._asked[asked]

    def _complete(self, asked: Asked) -> Values:
        """A column, NaN where its window still reaches behind the clock at which it began."""
        column, window = self._column(asked), WINDOWS[asked.column.window]
        missing = np.zeros(len(column), dtype=np.bool_)
        for span in self._spans.get(asked.column, ()):
            reaches = span.since is not None and starts(window, self._clock) <= window.tile(span.since)
            missing = np.where(self._log_index > span.behind, reaches, missing)
        return np.where(missing, np.nan, column) if missing.any() else column

    def _event_values(self, events: pa.Table) -> Mapping[str, Floats]:
        names = self._features.event_values
        flat = events.column("values").combine_chunks().flatten()
        grid = flat.to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, max(1, len(names)))
        return {name: grid[:, index] for index, name in enumerate(names)}
