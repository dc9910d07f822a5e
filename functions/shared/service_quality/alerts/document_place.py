"""A place in a document of rules, where values are read and mistakes are entered with their path."""

from typing import NamedTuple, TypeVar

from service_quality.alerts.rule_forms import DURATION, Form
from service_quality.alerts.rule_problems import Problems
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.policies.document_values import joined, nearest, shown

Read = TypeVar("Read")


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

    def read(self, value: object, form: Form[Read], fallback: Read) -> Read:
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

    def read_limit(self, value: object, name: str, form: Form[float]) -> float:
        """A limit of a value: a duration where the value is one, a number else."""
        if name in self.vocabulary.values and isinstance(value, str) != (name in self.vocabulary.durations):
            is_duration = name in self.vocabulary.durations
            expected = DURATION.expected if is_duration else "a number"
            self.add(shown(value), f"{expected}, as {name} is {'a duration' if is_duration else 'no duration'}")
            return 0
        is_duration = isinstance(value, str) and name in self.vocabulary.durations
        return self.read(value, DURATION if is_duration else form, 0)

    def add(self, found: str, expected: str) -> None:
        """Enter a mistake here."""
        self.problems.add(self.path, found, expected)
