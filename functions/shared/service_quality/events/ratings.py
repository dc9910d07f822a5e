"""Ratings as sources give them: whole numbers from 1 to 5, or words and numbers of a scale of the source's own."""

import re
from typing import NamedTuple

from service_quality.events.identifiers import one_spelling

_STARS = re.compile(r"([1-5])(?:\.0+)?")
_EXACT = 2**53  # whole floats below it are exact


class GivenRating(NamedTuple):
    """A rating from 1 to 5; or None and the source's own words, None where they cannot be kept."""

    rating: int | None
    given: str | None = None


def read_rating(value: object) -> GivenRating:
    """What a value rates: a whole number from 1 to 5, as a number or in digits; else it is kept as it was given.

    >>> read_rating(4.0), read_rating("4"), read_rating(" Good "), read_rating(10), read_rating(True)
    (GivenRating(rating=4, given=None), GivenRating(rating=4, given=None), GivenRating(rating=None, given='Good'), \
GivenRating(rating=None, given='10'), GivenRating(rating=None, given=None))
    """
    text = value if isinstance(value, str) else _digits(value)
    spelt = one_spelling(text) if text is not None else None
    if not spelt:
        return GivenRating(None)
    stars = _STARS.fullmatch(spelt)
    return GivenRating(int(stars[1])) if stars is not None else GivenRating(None, spelt)


def _digits(value: object) -> str | None:
    """A number in digits; None for any other value, one beyond all scales too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _EXACT:
        return None
    return str(int(value)) if value == int(value) else str(value)
