"""An archive as the archiver would have written it, in a local folder."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from service_quality.commit.archive_objects import object_folder
from service_quality.commit.shop_buckets import shop_bucket

ROWS_OF_AN_OBJECT = 3


def write_archive(folder: Path, links: Sequence[dict]) -> Path:
    """Archive rows as objects of some rows each; the first row comes a second time, as it may."""
    folder.mkdir(parents=True)
    buckets: dict[int, list[dict]] = {}
    for link in [*links, links[0]]:
        buckets.setdefault(shop_bucket(link["shop_id"]), []).append(link)
    for rows in buckets.values():
        for first in range(0, len(rows), ROWS_OF_AN_OBJECT):
            date = f"2025-03-{first % 2 + 1:02d}"
            write_object(folder, f"{first:04d}", rows[first : first + ROWS_OF_AN_OBJECT], date=date)
    return folder


def write_object(folder: Path, name: str, links: Sequence[dict], *, date: str = "2025-03-01") -> Path:
    """One object with rows of one bucket; returns its path."""
    lines = "".join(json.dumps(link, ensure_ascii=False, separators=(",", ":")) + "\n" for link in links)
    key = f"{object_folder(date, shop_bucket(links[0]['shop_id']))}/{name}.jsonl.gz"
    path = folder / key.removeprefix("archive/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(lines.encode()))
    return path
