"""From the attributes of facts and events to the entities that they name, by columns."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service_quality.events.identifiers import SEPARATOR
from service_quality.facts.entities import ATTRIBUTES, ENTITIES


class AttributeSets:
    """A column of joined attributes (folding's `attributes`) with few different values."""

    def __init__(self, texts: pa.ChunkedArray) -> None:
        encoded = pa.chunked_array(texts.chunks, type=pa.string()).combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        self._sets = [
            dict(zip(ATTRIBUTES, (value or None for value in text.split(SEPARATOR)[1:]), strict=True))
            for text in encoded.dictionary.to_pylist()
        ]
        self._set_of_row: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self._entities: dict[str, tuple[list[str], NDArray[np.int64]]] = {}

    def entities(self, name: str) -> tuple[list[str], NDArray[np.int64]]:
        """The keys of one kind of entity, and for each row the number of its key; −1 for no such entity."""
        if name not in self._entities:
            numbers: dict[str, int] = {}
            keys = [ENTITIES[name].key(attributes) for attributes in self._sets]
            of_set = [-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys]
            self._entities[name] = list(numbers), np.array(of_set, dtype=np.int64)[self._set_of_row]
        return self._entities[name]
