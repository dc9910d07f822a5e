"""Write the calendar of China's holidays from two libraries that must agree (`python -m tools.make_holidays`).

Once a year, when the decree of the next year is out (in November, as a rule): raise the versions in
`requirements/calendars.in`, `make lock`, raise LAST_YEAR, run this, commit.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from cli.atomic_write import atomic_file
from cli.machine_errors import MachineError
from cli.paths import ROOT
from service_quality.policies import calendars
from tools.commands import run
from tools.environments import CACHE, REQUIREMENTS, Environment, make

FIRST_YEAR, LAST_YEAR = 2019, 2026
PROVISIONAL_YEARS = 4
FOLDER = ROOT / "functions" / "shared" / "service_quality" / "policies"
LIBRARIES = Environment("calendar libraries", CACHE / "calendars", REQUIREMENTS / "calendars.txt")


class DifferingDays(TypedDict):
    """The days of a year that differ from its weeks, as dates."""

    free_weekdays: list[str]
    make_up_days: list[str]


class Said(TypedDict):
    """What `tools/calendar_libraries.py` prints: by year, the last two as dates."""

    chinesecalendar: dict[str, DifferingDays]
    holidays: dict[str, DifferingDays]
    named: dict[str, list[str]]
    statutory: dict[str, list[str]]


class DisagreementError(MachineError):
    """The two libraries differ about a day."""


def differences(said: Said) -> list[str]:
    """Each day about which the libraries differ, or one contradicts itself, as a sentence."""
    found = []
    for year, first in said["chinesecalendar"].items():
        second = said["holidays"][year]
        days = {*first["free_weekdays"], *first["make_up_days"]} ^ {*second["free_weekdays"], *second["make_up_days"]}
        found += [f"{day}: found two answers, expected one" for day in sorted(days)]
        unnamed = {*first["free_weekdays"]} - {*said["named"][year]}
        found += [f"{day}: found a free weekday without a holiday's name, expected one" for day in sorted(unnamed)]
    return found


def render_calendar(said: Said) -> str:
    """The data file: a line for each year. DisagreementError where the libraries differ."""
    if found := differences(said):
        raise DisagreementError("\n".join(found))
    published = {
        year: {"holidays": said["named"][year], "make_up_days": days["make_up_days"]}
        for year, days in said["chinesecalendar"].items()
    }
    provisional = {year: {"holidays": days} for year, days in said["statutory"].items()}
    return (
        '{\n  "calendar": "CN",\n'
        '  "source": "decrees of the State Council by chinesecalendar and holidays, which agree on every day",\n'
        f'  "published": {_by_line(published)},\n  "provisional": {_by_line(provisional)}\n}}\n'
    )


def _by_line(years: Mapping[str, object]) -> str:
    """A JSON object with a line for each year."""
    return "{\n" + ",\n".join(f'    "{year}": {json.dumps(days)}' for year, days in years.items()) + "\n  }"


def main() -> int:
    """Ask the libraries, compare, write; the exit status."""
    try:
        make(LIBRARIES)
        years = [str(number) for number in (FIRST_YEAR, LAST_YEAR, PROVISIONAL_YEARS)]
        command: list[str | Path] = [LIBRARIES.python, ROOT / "tools" / "calendar_libraries.py", *years]
        printed = run("calendar libraries", command, environment=os.environ)
        text = render_calendar(json.loads(printed.splitlines()[-1]))
    except MachineError as error:
        print(f"make_holidays: {error}", file=sys.stderr)
        return 1
    with atomic_file(FOLDER / calendars.FILES["CN"]) as unfinished:
        unfinished.write_text(text, "utf-8")
    print((FOLDER / calendars.FILES["CN"]).relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
