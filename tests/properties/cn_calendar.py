"""The calendar of China in the oracle's words, read from the data file by itself."""

import json
from datetime import date
from functools import cache
from pathlib import Path

from tests.oracle.story import Calendar

_FILE = Path(__file__).parents[2] / "functions/shared/service_quality/policies/holidays_cn.json"


@cache
def cn_calendar(zone: str) -> Calendar:
    """The calendar of a shop in a zone that is always open but on holidays."""
    document = json.loads(_FILE.read_text("utf-8"))
    years = (*document["published"].values(), *document["provisional"].values())
    closed = frozenset(date.fromisoformat(day) for year in years for day in year["holidays"])
    return Calendar(zone, closed, frozenset(map(int, document["published"])))
