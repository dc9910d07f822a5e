"""The tree of errors at the top of its module, against the classes below it."""

import re

from service_quality import errors
from service_quality.errors import ServiceQualityError


def subclasses(of: type[Exception]) -> set[str]:
    return {of.__name__}.union(*map(subclasses, of.__subclasses__())) if of.__module__ == errors.__name__ else set()


def test_tree_draws_every_error():
    drawn = re.findall(r"^[│├└─ ]*(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)

    assert sorted(drawn) == sorted(subclasses(ServiceQualityError))
