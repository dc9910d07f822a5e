"""Transactions: the part of a shop's log that is committed at once, and the row that archives it."""

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from service_quality.commit.archived_ranges import LEDGER, NOTHING_ARCHIVED, row_key
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import ShopItem
from service_quality.events.event_forms import event_to_dict
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet
from service_quality.features.vectors import vector_bytes
from service_quality.scoring.scored_event import ScoredEvent

if TYPE_CHECKING:
    from service_quality.commit.event_fold import Outcome
    from service_quality.events.control_records import ControlRecord

MAX_ITEMS = 99  # of 100; a shop's first transaction also opens the shop's ledger of the archive
MAX_ARCHIVE_BYTES = 350_000  # before compression, so the row always stays under DynamoDB's 400 KB
#: Of the 400 KB of an item and the 4 MB of a transaction; the rest is for keys and the names of attributes.
MAX_ITEM_BYTES = 390_000
MAX_ROW_BYTES = 390_000
MAX_TRANSACTION_BYTES = 3_900_000
ITEM_OVERHEAD = 700


class Commit(NamedTuple):
    """One transaction: the shop's item on the condition of its version, changed items, rows that must leave."""

    shop_id: str
    shop: ShopItem
    expected_version: int
    items: dict[str, bytes]
    rows: tuple[OutboxRow, ...]


@dataclass(slots=True, eq=False, repr=False)
class Transaction:
    """The rows and entries since the last commit, from the position that it follows."""

    shop_id: str
    follows: str
    rows: dict[tuple[str, str], OutboxRow] = field(default_factory=dict)
    entries: list[dict[str, object]] = field(default_factory=list)
    archive_bytes: int = 0
    row_bytes: int = 0

    def has_room(self, *, items: int, item_bytes: int, rows: int, size: int) -> bool:
        """Whether a number of changed items, their bytes, further rows and archived bytes fit into the transaction."""
        items += len(self.rows) + rows + 2
        archive_bytes = self.archive_bytes + size
        transaction_bytes = item_bytes + archive_bytes + self.row_bytes
        return (
            items <= MAX_ITEMS
            and archive_bytes <= MAX_ARCHIVE_BYTES
            and transaction_bytes + items * ITEM_OVERHEAD <= MAX_TRANSACTION_BYTES
        )

    def add_rows(self, rows: list[OutboxRow]) -> None:
        """Put rows; a transaction holds one row of a key, so a later one replaces it."""
        for row in rows:
            key = (row.stream_key, row.sequence)
            before = self.rows.get(key)
            self.row_bytes += len(row.body) - (len(before.body) if before is not None else 0)
            self.rows[key] = row

    def add_entry(self, entry: dict[str, object], size: int) -> None:
        self.entries.append(entry)
        self.archive_bytes += size

    def archive_row(
        self, *, last: str, fold_version: str, fingerprint: str, declared: Mapping[str, object] | None
    ) -> OutboxRow:
        """The link of the shop's chain, with every entry since the position that it follows.

        `declared` is the declaration of the features where the row before was of others.
        """
        body: dict[str, object] = {
            "shop_id": self.shop_id,
            "follows": self.follows,
            "last": last,
            "fold_version": fold_version,
            "fingerprint": fingerprint,
            "entries": self.entries,
        }
        if declared is not None:
            body["declared"] = declared
        data = zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
        return OutboxRow(archive_key(self.shop_id), row_key(self.follows), "archive", data, self.shop_id)

    def first_rows(self) -> tuple[OutboxRow, ...]:
        """The further row of a shop's first transaction: its ledger of the archive; empty for a later one."""
        opened = OutboxRow(LEDGER, self.shop_id, LEDGER, NOTHING_ARCHIVED, self.shop_id)
        return () if self.follows else (opened,)


def declaration(features: FeatureSet) -> dict[str, object]:
    """What a served vector means: each feature with its meaning, and the columns of histories behind them."""
    return {"features": list(features.meanings.items()), "columns": list(features.plan.columns)}


def archive_key(shop_id: str) -> str:
    """The stream key of a shop's archive rows; each is sorted by the position that it follows."""
    return f"{shop_id}\x1farchive"


def positions_in(archive_row: bytes) -> frozenset[str]:
    """The positions of the records that an archive row holds."""
    return frozenset(entry["position"] for entry in json.loads(zlib.decompress(archive_row))["entries"])


def event_entry(position: str, step: ConversationStep, outcome: "Outcome") -> dict[str, object]:
    """An accepted event as archived, with its round, a rating's label, the features served and the scores.

    `score_failed` is the type of the error where the event should have a score and has no score.
    """
    event, scored, failed = step.event, outcome.scored, outcome.score_failure
    form = _control_form(event) if isinstance(event, TimeReached) else event_to_dict(event)
    entry: dict[str, object] = {"position": position, "event": form, "clock": outcome.clock}
    if step.round:
        entry["round"] = step.round
    if step.label is not None:
        entry["label"] = step.label
    if scored is not None:
        entry |= _served(scored)
    if failed is not None:
        entry["score_failed"] = type(failed.error).__name__
    if outcome.entities:
        entry["tasks"] = {
            name: {"features": one.features.fingerprint, **_served(one)}
            for name, one in outcome.entities.items()
            if one.features is not None
        }
    return entry


def _served(scored: ScoredEvent) -> dict[str, object]:
    """The features served, and the score that a model gave for them."""
    served: dict[str, object] = {"vector": b64encode(vector_bytes(scored.vector)).decode()}
    if scored.score is not None:
        served |= {"score": scored.score.probability, "model": scored.score.model_version}
    return served


def control_entry(position: str, record: "ControlRecord", *, clock: int) -> dict[str, object]:
    """A control record that was applied, as archived."""
    return {"position": position, "event": _control_form(record), "clock": clock}


def _control_form(record: "ControlRecord") -> Mapping[str, object]:
    from service_quality.events.control_records import control_to_dict  # noqa: PLC0415  # few batches hold one

    return control_to_dict(record)


def duplicate_entry(position: str) -> dict[str, object]:
    """A record whose event was folded before."""
    return {"position": position, "duplicate": True}


def silent_entry(position: str) -> dict[str, object]:
    """A reached deadline from which nothing follows: the wait is over, or it has been reached before."""
    return {"position": position, "silent": True}


def rejected_entry(position: str, reason: str, field_name: str) -> dict[str, object]:
    """A record that was rejected or parked; its bytes are stored under the same position."""
    return {"position": position, "rejected": reason, "field": field_name}
