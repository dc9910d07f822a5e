"""Figures on a page: each row that names a figure holds it as it was found."""

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.claims import readable
from cli.atomic_write import atomic_file

#: A row of README's table: (`section.figure`) | found |
_ROW = re.compile(r"\(`(?P<section>\w+)\.(?P<figure>\w+)`\) \| (?P<found>\S+) \|")


def publish(page: Path, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Replace the figures of a page by those that were found; a figure that was not found stays."""
    text = page.read_text("utf-8")

    def row(found: re.Match[str]) -> str:
        value = figures.get(found["section"], {}).get(found["figure"])
        return found[0] if value is None else found[0].replace(f"| {found['found']} |", f"| {readable(value)} |")

    with atomic_file(page) as written:
        written.write_text(_ROW.sub(row, text), "utf-8")
