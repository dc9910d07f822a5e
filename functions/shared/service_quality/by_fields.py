"""Dataclasses that are quick to define: equality, hash and text by the fields, written once.

A dataclass generates and compiles its own for each class, and two more methods that refuse a change, which costs a cold
start half a millisecond each (docs/adr/0014-a-cold-start-reads-only-what-it-calls.md). A class that every cold start
loads derives from `ByFields`; if it is frozen, it is declared by `value_class`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["ByFields", "value_class"]

Declared = TypeVar("Declared")

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:

    def value_class(*, frozen: bool, **options: Any) -> Callable[[type[Declared]], type[Declared]]:
        """A dataclass that the type checker alone keeps from changing; options as `dataclass`.

        Nothing refuses a change at run time, and its objects are built in three fifths of the time.
        """
        assert frozen
        return dataclass(eq=False, repr=False, **options)


class ByFields:
    """Equal to another of the same class with the same values of the fields that are compared.

    >>> @value_class(frozen=True)
    ... class Point(ByFields):
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), Point(1) == Point(2), len({Point(1), Point(1)})
    (Point(x=1, y=0), True, False, 1)
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByFields) and type(other) is type(self) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        declared = fields(self)  # type: ignore[arg-type]  # each deriving class is a dataclass
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in declared if one.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"


def _values(one: ByFields) -> tuple[object, ...]:
    return _compared(type(one))(one)  # type: ignore[arg-type]  # a class is hashable, whatever its objects are


@cache
def _compared(kind: type[ByFields]) -> Callable[[ByFields], tuple[object, ...]]:
    """A reader of the fields that are compared."""
    declared = fields(kind)  # type: ignore[arg-type]  # as in `__repr__`
    names = [field.name for field in declared if field.compare]
    if len(names) < 2:
        return lambda one: tuple(getattr(one, name) for name in names)
    return attrgetter(*names)
