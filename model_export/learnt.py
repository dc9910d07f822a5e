"""The learnt ranges of features and the support of terms, as the artefact holds them."""

from dataclasses import dataclass

from model_export.documents import Document

Range = tuple[float, float]

#: The range of a feature that was never learnt: every value is read as the same.
NEVER_LEARNT: Range = (0.0, 0.0)


@dataclass(frozen=True)
class Support:
    """The support of a training set, in weight (1 a conversation): its total, and the least that a term needs.

    `known` is one number a feature: where it is not missing. `active` and `inactive` are one a term: where it is above
    its lowest value, and below its highest.
    """

    total: float
    least: float
    known: tuple[float, ...]
    active: tuple[float, ...]
    inactive: tuple[float, ...]

    def of(self, term: int) -> float:
        """The support of a term: the smaller of the weights with it and without it."""
        return min(self.active[term], self.inactive[term])


def is_learnt(learnt: Range | None) -> bool:
    """Whether a range holds more than one value."""
    return learnt is not None and learnt[0] < learnt[1]


def read_ranges(document: Document, features: int) -> tuple[Range | None, ...]:
    """The key "ranges": one pair of numbers a feature, or null."""
    found = document.items("ranges")
    if len(found) != features:
        raise document.wrong("ranges", len(found), f"{features} ranges, one a feature")
    return tuple(_read_range(document, at, value) for at, value in enumerate(found))


def read_support(document: Document, *, features: int, terms: int) -> Support:
    """The keys "support", "known", "active" and "inactive"."""
    part = document.part("support")
    counts = {key: document.numbers(key) for key in ("known", "active", "inactive")}
    for key, expected in (("known", features), ("active", terms), ("inactive", terms)):
        if len(counts[key]) != expected:
            raise document.wrong(key, len(counts[key]), f"{expected} weights")
    least = part.number("least")
    if least <= 0:
        raise part.wrong("least", least, "more than 0")
    return Support(part.number("total"), least, counts["known"], counts["active"], counts["inactive"])


def _read_range(document: Document, at: int, value: object) -> Range | None:
    if value is None:
        return None
    pair = Document(f"{document.name}: ranges", {str(at): value}).numbers(str(at))
    if len(pair) != 2 or pair[0] > pair[1]:
        raise document.wrong(f"ranges[{at}]", pair, "a low and a high end, or null")
    return pair[0], pair[1]
