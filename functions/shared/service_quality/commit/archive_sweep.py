"""The sweep: archive rows that the archiver missed, found by each shop's ledger and written to the archive."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from service_quality.commit.archive_objects import ArchiveObject, ArchiveRow, archive_objects, unpack_archive_row
from service_quality.commit.archived_ranges import Gap, Range, find_gaps, just_the_row
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.errors import UnreadableRowError


class ArchivedShop(NamedTuple):
    """A shop, and the archived ranges of its chain."""

    shop_id: str
    ranges: tuple[Range, ...]


class Ledger(Protocol):
    """Shops' ledgers and archive rows, and the last shop of the last sweep."""

    def read_shops(self, *, after: str) -> Iterator[ArchivedShop]:
        """Every shop with a commit, in order of their ids, from the one after `after` on."""

    def read_rows(self, shop_id: str, gap: Gap) -> Iterator[list[InsertedRow]]:
        """A shop's archive rows in a gap, page by page, in order of the chain."""

    def add(self, shop_id: str, ranges: Iterable[Range]) -> None:
        """Add archived ranges to a shop's ledger."""

    def read_progress(self) -> str:
        """The shop after which the next sweep begins; empty before the first."""

    def write_progress(self, shop_id: str) -> None:
        """Let the next sweep begin after a shop."""


@dataclass(slots=True)
class Swept:
    """The counts of one sweep. `unfilled` counts gaps without a row to fill them: those rows are gone."""

    shops: int = 0
    rows: int = 0
    unreadable: int = 0
    unfilled: int = 0
    finished: bool = False


@dataclass(slots=True, eq=False, repr=False)
class ArchiveSweep:
    """Goes through the shops while `has_time` is true, and continues there the next time; counts in `swept`.

    `write` puts an object into the archive, `set_aside` stores a row that cannot be read, with reason and message. A
    row is entered into the ledger after its object is written, so a sweep that dies writes at most one page twice.
    """

    ledger: Ledger
    write: Callable[[ArchiveObject], None]
    set_aside: Callable[[InsertedRow, str, str], None]
    has_time: Callable[[], bool]
    swept: Swept = field(default_factory=Swept)

    def run(self, *, written_before: int) -> None:
        """Archive every missed row that was written before an instant, in epoch milliseconds.

        The next sweep begins after a shop that fails, and comes to it a round later, so that it holds up no other.
        """
        after = self.ledger.read_progress()
        for shop in self.ledger.read_shops(after=after):
            if not self.has_time():
                break
            try:
                whole = all(self._fill(shop.shop_id, gap, written_before) for gap in find_gaps(shop.ranges))
            except Exception:
                self.ledger.write_progress(shop.shop_id)
                raise
            if not whole:
                break
            self.swept.shops += 1
            after = shop.shop_id
        else:
            self.swept.finished = True
        self.ledger.write_progress("" if self.swept.finished else after)

    def _fill(self, shop_id: str, gap: Gap, written_before: int) -> bool:
        """Archive the rows of a gap; False when time ran out before its end."""
        found = False
        for page in self.ledger.read_rows(shop_id, gap):
            old = [row for row in page if row.written_at < written_before]
            if old:
                self._archive(shop_id, old)
            found = found or bool(page)
            if len(old) < len(page):
                break  # the archiver may still archive these
            if not self.has_time():
                return False
        self.swept.unfilled += gap.before is not None and not found
        return True

    def _archive(self, shop_id: str, rows: list[InsertedRow]) -> None:
        """Write a page's rows, then enter them into the ledger."""
        links: list[ArchiveRow] = []
        ranges: list[Range] = []
        for row in rows:
            try:
                link = unpack_archive_row(row)
            except UnreadableRowError as error:
                self.set_aside(row, error.reason, str(error))
                ranges.append(just_the_row(row.sequence))
                self.swept.unreadable += 1
                continue
            links.append(link)
            ranges.append(link.range)
        for one in archive_objects(links):
            self.write(one)
        self.ledger.add(shop_id, ranges)
        self.swept.rows += len(links)
