"""A shop in the archive as its reader sees it: the chain of its rows, link by link."""

import json
import zlib
from collections.abc import Mapping

from service_quality.commit.archived_ranges import FIRST_ROW
from service_quality.commit.outbox_rows import OutboxRow


def archive_links(rows: Mapping[tuple[str, str], OutboxRow], shop_id: str) -> list[dict]:
    """The links in order, each following the one before; AssertionError for a gap or a second copy."""
    kept = {row.sequence: json.loads(zlib.decompress(row.body)) for row in rows.values() if _belongs(row, shop_id)}
    links, follows = [], FIRST_ROW
    while follows in kept:
        link = kept.pop(follows)
        assert (link["follows"] or FIRST_ROW) == follows
        links.append(link)
        follows = link["last"]
    assert not kept, f"links that follow nothing: {sorted(kept)}"
    return links


def archived_entries(rows: Mapping[tuple[str, str], OutboxRow], shop_id: str) -> list[dict]:
    """Every record of the shop's log as archived, in any transactions."""
    return [entry for link in archive_links(rows, shop_id) for entry in link["entries"]]


def _belongs(row: OutboxRow, shop_id: str) -> bool:
    return row.row_kind == "archive" and row.shop_id == shop_id
