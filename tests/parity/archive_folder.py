"""An archive as the archiver would have written it, in a local folder."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

ROWS_OF_AN_OBJECT = 3


def write_archive(folder: Path, links: Sequence[dict]) -> Path:
    """Archive rows as objects of some rows each; the first row comes a second time, as it may."""
    folder.mkdir(parents=True)
    written = [*links, links[0]]
    for first in range(0, len(written), ROWS_OF_AN_OBJECT):
        rows = written[first : first + ROWS_OF_AN_OBJECT]
        lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
        day = folder / f"date=2025-03-{first % 2 + 1:02d}"
        day.mkdir(exist_ok=True)
        (day / f"{first:04d}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder
