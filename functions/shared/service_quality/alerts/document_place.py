"""A place in a document of rules, where values are read and mistakes are entered with their path."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from service_quality.alerts.rule_forms import DURATION, LIMIT, NUMBER, Form
from service_quality.alerts.rule_problems import Problems
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.alerts.value_ranges import ANY_NUMBER, ValueRange
from service_quality.policies.document_values import joined, nearest, shown

Read = TypeVar("Read")
Fallback = TypeVar("Fallback")


class Place(NamedTuple):
    """The path of a value, and what reading it needs."""

    problems: Problems
    vocabulary: Vocabulary
    path: str = ""
    depth: int = 0

    def at(self, key: str) -> "Place":
        """The place of a key within the object here."""
        return self._replace(path=joined(self.path, key))

    def entry(self, number: int) -> "Place":
        """The place of an entry of the list here."""
        return self._replace(path=f"{self.path}[{number}]")

    def read(self, value: object, form: Form[Read], fallback: Fallback) -> Read | Fallback:
        """A value of a form; the fallback, and a problem, for any other."""
        try:
            return form.by(value)
        except ValueError:
            meant = nearest(value, form.words) if isinstance(value, str) else None
            self.problems.add(self.path, shown(value), form.expected, meant)
            return fallback

    def read_name(self, value: object, known: tuple[str, ...], what: str) -> str:
        """A known name; a problem for any other value."""
        if not isinstance(value, str):
            self.add(shown(value), f"the name of one of the {what}")
            return ""
        if value not in known:
            self.problems.add_unknown(self.path, value, known, what)
        return value

    def read_possible(self, value: object, name: str) -> float:
        """A number that a value can be: a duration where the value is one."""
        number, known = self._read_in_unit(value, name), self._range(name)
        return self._accept(value, number, name, is_met=known.holds, expected=known.in_words)

    def read_end(self, value: object, name: str) -> float:
        """A limit below which a value can be: a duration where the value is one."""
        number, known = self._read_in_unit(value, name), self._range(name)
        return self._accept(value, number, name, is_met=known.can_end_at, expected=known.ends_in_words)

    def read_number(self, value: object, name: str) -> float:
        """A number that a value can be: milliseconds where the value is a duration."""
        number, known = self.read(value, NUMBER, None), self._range(name)
        return self._accept(value, number, name, is_met=known.holds, expected=known.in_words)

    def _range(self, name: str) -> ValueRange:
        """The range of a value; that of any number for a name that is not known."""
        return self.vocabulary.ranges.get(name, ANY_NUMBER)

    def _accept(
        self, value: object, number: float | None, name: str, *, is_met: Callable[[float], bool], expected: str
    ) -> float:
        """A number that was read, and a problem where the value can never meet it."""
        if number is not None and not is_met(number):
            self.add(shown(value), f"{expected}, as {name} can be")
        return number or 0

    def _read_in_unit(self, value: object, name: str) -> float | None:
        """A duration where the value is one, a number else; None, and a problem, for anything else."""
        if name in self.vocabulary.values and isinstance(value, str) != (name in self.vocabulary.durations):
            is_duration = name in self.vocabulary.durations
            expected = DURATION.expected if is_duration else "a number"
            self.add(shown(value), f"{expected}, as {name} is {'a' if is_duration else 'no'} duration")
            return None
        is_duration = isinstance(value, str) and name in self.vocabulary.durations
        return self.read(value, DURATION if is_duration else LIMIT, None)

    def add(self, found: str, expected: str) -> None:
        """Enter a mistake here."""
        self.problems.add(self.path, found, expected)
