"""JSON documents read with their shape checked: every error names the file, the key, found and expected."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from model_export.errors import ArtefactError, NotThereError
from service_quality.tasks.declared_tasks import DISSATISFACTION, TASKS, Task

_MOST_NAMED = 8  # files beside a missing one


@dataclass(frozen=True)
class Document:
    """One JSON object and its path, so that an error can name it."""

    name: str
    fields: Mapping[str, object]

    def text(self, key: str) -> str:
        """A string."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self.wrong(key, value, "a string")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        return self._to_number(key, self.value(key))

    def count(self, key: str) -> int:
        """A whole number of at least 0."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(key, value, "a whole number of at least 0")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.value(key)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def items(self, key: str) -> Sequence[object]:
        """A list of anything."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        return value

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        return tuple(self._to_number(f"{key}[{at}]", value) for at, value in enumerate(self.items(key)))

    def part(self, key: str) -> "Document":
        """An object inside this one."""
        value = self.value(key)
        if not isinstance(value, dict):
            raise self.wrong(key, value, "an object")
        return Document(f"{self.name}: {key}", value)

    def value(self, key: str) -> object:
        """The value of a key; ArtefactError lists the keys where it is missing."""
        if key not in self.fields:
            raise ArtefactError(f"{self.name}: found no {key!r} among {', '.join(sorted(self.fields))}; expected it")
        return self.fields[key]

    def wrong(self, key: str, found: object, expected: str) -> ArtefactError:
        """The error to raise for a wrong value."""
        return ArtefactError(f"{self.name}: {key}: found {found!r:.80}, expected {expected}")

    def _to_number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, value, "a finite number")
        try:
            number = float(value)
        except OverflowError:  # a whole number beyond every float
            number = inf
        if not isfinite(number):
            raise self.wrong(key, value, "a finite number")
        return number


def read_document(path: Path) -> Document:
    """The JSON object in a file."""
    return parse_document(str(path), existing(path).read_bytes())


def parse_document(name: str, data: bytes) -> Document:
    """The JSON object in bytes that were read from `name`."""
    try:
        fields = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{name}: found no JSON ({error}), expected an object") from error
    if not isinstance(fields, dict):
        raise ArtefactError(f"{name}: found {type(fields).__name__}, expected a JSON object")
    return Document(name, fields)


def read_task(document: Document) -> Task:
    """The key "task"; a document that names none is of the time before there were several."""
    name = document.fields.get("task", DISSATISFACTION.name)
    if not isinstance(name, str) or name not in TASKS:
        raise document.wrong("task", name, f"one of {', '.join(TASKS)}")
    return TASKS[name]


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number that another program could read")


def existing(path: Path) -> Path:
    """The path itself; for a missing one NotThereError, with some of the files beside it."""
    if path.exists():
        return path
    beside = sorted(one.name for one in path.parent.iterdir() if one.is_file()) if path.parent.is_dir() else []
    said = f"; beside it: {', '.join(beside[:_MOST_NAMED])}{', …' * (len(beside) > _MOST_NAMED)}" if beside else ""
    raise NotThereError(f"found nothing at {path}, expected a file there{said}")


def to_json(fields: Mapping[str, object]) -> bytes:
    """A document as it is stored: readable, stable, strict JSON."""
    return (json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
