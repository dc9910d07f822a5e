"""Stored results: results.json for machines, RESULTS.md for people; a section measured again replaces itself alone."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.claims import CLAIMS, readable
from benchmarks.measurement import Row, Section
from cli.atomic_write import atomic_file
from cli.paths import ROOT

FOLDER = ROOT / "benchmarks"
#: What a machine has measured itself.
MEASURED = ROOT / "build" / "benchmarks"
JSON, PAGE = "results.json", "RESULTS.md"

HEAD = """# Results

Written by `make bench ARGS=--publish`, which prints the same tables; nothing here is typed by hand. A section that \
was not measured again is unchanged, with its own date. Times are of a machine that does other things too: read them \
as ratios, and the spread beside them. The figures as data are in `results.json`.
"""


@dataclass(frozen=True)
class Measured:
    """The date and the machine of a section's measurement."""

    date: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass
class Results:
    """Every section as it was last measured."""

    sections: dict[str, Section] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)

    def put(self, section: Section, *, date: str, machine: Mapping[str, str]) -> None:
        """Replace a section's results; ValueError when its figures are not those of its claims."""
        expected = set(CLAIMS[section.name])
        if set(section.figures) != expected:
            raise ValueError(f"section {section.name}: found figures {sorted(section.figures)}, expected {expected}")
        self.sections[section.name] = section
        self.measured[section.name] = Measured(date, machine, section.versions)

    def figures(self) -> dict[str, dict[str, float]]:
        """Figures by section, in the order of the claims; one that is younger than its section has no figure yet."""
        return {
            name: {figure: _rounded(found[figure]) for figure in claims if figure in found}
            for name, claims in CLAIMS.items()
            if name in self.sections
            for found in [self.sections[name].figures]
        }


def read_results(folder: Path = FOLDER) -> Results:
    """The results of earlier runs; empty before the first."""
    path = folder / JSON
    if not path.exists():
        return Results()
    document = json.loads(path.read_text("utf-8"))
    results = Results()
    for name, measured in document["measured"].items():
        rows = tuple(Row(**{**row, "values": tuple(row["values"])}) for row in document["rows"][name])
        results.measured[name] = Measured(**measured)
        results.sections[name] = Section(name, rows, document[name], measured["versions"])
    return results


def write_results(results: Results, folder: Path = FOLDER) -> None:
    """Write both files, or neither where one fails; equal results give equal bytes."""
    with atomic_file(folder / JSON) as figures, atomic_file(folder / PAGE) as page:
        figures.write_text(json.dumps(to_document(results), indent=2, ensure_ascii=False) + "\n", "utf-8")
        page.write_text(render_page(results), "utf-8")


def to_document(results: Results) -> dict[str, Any]:
    """The content of results.json: figures by section, then dates and machines, then every row."""
    figures = results.figures()
    rows = {
        name: [
            {**asdict(row), "values": [_rounded(value) for value in row.values]} for row in results.sections[name].rows
        ]
        for name in figures
    }
    return {**figures, "measured": {name: asdict(results.measured[name]) for name in figures}, "rows": rows}


def render_page(results: Results) -> str:
    """RESULTS.md."""
    sections = [results.sections[name] for name in results.figures()]
    parts = [HEAD, "## Claims\n", render_claims(sections)]
    for section in sections:
        parts += [f"## {section.name}\n", _measured_words(results.measured[section.name]), render_rows(section)]
    return "\n".join(parts)


def render_claims(sections: list[Section]) -> str:
    """A table of figures beside their targets."""
    lines = ["| figure | means | found | expected | |", "|---|---|---|---|---|"]
    for section in sections:
        for name, claim in CLAIMS[section.name].items():
            if name not in section.figures:
                lines.append(f"| {section.name}.{name} | {claim.means} | | {claim.expected} | not measured yet |")
                continue
            found = section.figures[name]
            verdict = claim.verdict(found) or ("met" if claim.expected else "")
            lines.append(
                f"| {section.name}.{name} | {claim.means} | {readable(found)} | {claim.expected} | {verdict} |"
            )
    return "\n".join(lines) + "\n"


def render_rows(section: Section) -> str:
    """A table of a section's rows."""
    lines = ["| what | median | least–most | runs | unit | note |", "|---|---|---|---|---|---|"]
    for row in section.rows:
        least, median, most = (readable(one, row.digits) for one in (min(row.values), row.median, max(row.values)))
        spread = f"{least}–{most}" if len(row.values) > 1 else ""
        cells = (row.what, median, spread, str(len(row.values)), row.unit, row.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _measured_words(measured: Measured) -> str:
    machine = measured.machine
    packages = ", ".join(f"{name} {version}" for name, version in sorted(measured.versions.items()))
    return (
        f"{measured.date}, {machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, "
        f"Python {machine['python']}{'; ' if packages else ''}{packages}.\n"
    )


def _rounded(value: float) -> float:
    """A number of six digits: further ones are noise."""
    return float(f"{value:.6g}")
