"""The mistakes of a document of rules, all at once: where, what was found, what is expected, and what may be meant."""

from collections.abc import Collection

from service_quality.policies.document_values import Problem, joined, nearest, shown

_MOST_NAMED = 30


class Problems:
    """The mistakes in the order in which they are found."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: str, found: str, expected: str, meant: str | None = None) -> None:
        """Enter a mistake, and what may be meant."""
        self.found.append(Problem(path, found, expected, meant))

    def add_unknown(self, path: str, name: str, known: Collection[str], what: str) -> None:
        """Enter a name that is not known, with the nearest that is."""
        self.found.append(Problem(path, shown(name), _any_of(known, what), nearest(name, known)))

    def object_at(self, path: str, value: object, *, known: Collection[str]) -> dict[str, object]:
        """An object of known keys; each other key, and each other value than an object, is a problem."""
        if not isinstance(value, dict):
            self.add(path, shown(value), f"an object with {_any_of(known, 'keys')}")
            return {}
        for key in (key for key in value if key not in known):
            expected = _any_of(known, "keys")
            self.found.append(Problem(joined(path, key), "an unknown key", expected, nearest(key, known)))
        return {key: one for key, one in value.items() if key in known}

    def list_at(self, path: str, value: object, *, of: str, most: int) -> list[object]:
        """A list of one to `most` entries; any other value is a problem."""
        if isinstance(value, list) and 0 < len(value) <= most:
            return value
        found = f"{len(value)} entries" if isinstance(value, list) else shown(value)
        self.add(path, found, f"a list of 1 to {most} {of}")
        return []


def _any_of(known: Collection[str], what: str) -> str:
    """Known names in words: all of a few, the number of many."""
    if not known:
        return f"none: this release has no {what}"
    return f"one of {', '.join(known)}" if len(known) <= _MOST_NAMED else f"one of the {len(known)} {what}"
