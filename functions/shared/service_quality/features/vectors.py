"""Feature vectors: float32 in declared order. Missing becomes NaN here, and float32 happens only here."""

from array import array
from collections.abc import Iterable
from typing import TypeAlias

Vector: TypeAlias = "array[float]"

_NAN = float("nan")


def to_vector(values: Iterable[float | None]) -> Vector:
    """The float32 vector of computed values; missing is NaN."""
    return array("f", [_NAN if value is None else value for value in values])


def vector_bytes(vector: Vector) -> bytes:
    """Little-endian float32 bytes: how a served vector is archived and compared."""
    return vector.tobytes()


def vector_from_bytes(data: bytes) -> Vector:
    """The vector that `vector_bytes` wrote."""
    vector = array("f")
    vector.frombytes(data)
    return vector
