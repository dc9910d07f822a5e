"""The put-back of everything that was set aside: given-up batches, unsent rows, rejected records, parked shops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cli.progress import Signs, say
from infra.operations.errors import OperationsError, StillInTroubleError, UnreadableObjectError
from infra.operations.given_up import FOLDER as GIVEN_UP_FOLDER
from infra.operations.given_up import GivenUpBatch, outbox_rows, read_given_up, read_unsent
from infra.operations.outbox_batches import UNSENT_FOLDERS, OutboxBatches
from infra.operations.outcome import Outcome
from infra.operations.parked_shops import ParkedShop
from infra.operations.rejected_again import count_rejected_again
from infra.operations.rejected_objects import Held, RejectedLine, RejectedObject, RejectedObjects, read_lines
from infra.operations.selection import GIVEN_UP, UNSENT, Selection
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from infra.operations.ways_back import PlainRecord, WayBack, shop_of, way_of_given_up, way_of_rejected
from service_quality.adapters.buckets.rejected_store import PARKED_FOLDER, REJECTED_FOLDER, folder_of
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.log_records import PARKED


class _Put(NamedTuple):
    """A record on the stream: its shop and its sequence number."""

    shop_id: str
    number: int


@dataclass(slots=True)
class PutBack:
    """One run of the command. A dry one counts and changes nothing.

    Given-up batches and rejected records go first: those of a parked shop are parked in their order, and come back with
    its other records.
    """

    selection: Selection
    objects: RejectedObjects
    writer: StreamWriter
    outbox: OutboxBatches
    open_log: Callable[[str], ShopLog]
    open_shop: Callable[[ShopLog], ParkedShop]
    generation: int
    is_dry: bool
    outcome: Outcome = field(default_factory=Outcome)

    def go(self) -> Outcome:
        """Put the selected records back; a failing step is named in the outcome and stops no other."""
        if self.selection.has_given_up:
            self._attempt("given-up batches", self._put_back_batches)
        if self.selection.has_unsent:
            self._attempt("unsent rows", self._resend_unsent)
        if self.selection.rejected_reasons:
            self._attempt("rejected records", self._put_back_rejected)
        if self.selection.has_parked:
            for folder in self._folders(PARKED_FOLDER):
                self._put_back_parked(folder)
        self.outcome.skipped = self.selection.skipped
        self._name_left()
        return self.outcome

    def _name_left(self) -> None:
        """Make a trouble of records that are left although they were named, or that failed again.

        Without a name the command looks for records that can go back: those that cannot yet are only counted.
        """
        asked_for = self.selection.reasons | {UNSENT}
        left = sum(count for (reason, _), count in self.outcome.left.items() if reason in asked_for)
        if left:
            error = StillInTroubleError(f"found {left} records still rejected, expected 0: they stay stored")
            self.outcome.troubles.append(("left records", error))
        if again := self.outcome.rejected_again.total():
            error = StillInTroubleError(f"found {again} records rejected again, expected 0: they are stored again")
            self.outcome.troubles.append(("records put back", error))

    def _attempt(self, subject: str, step: Callable[[], None]) -> None:
        try:
            step()
        except OperationsError as error:
            self._name(subject, error)

    def _name(self, subject: str, error: OperationsError) -> None:
        say(f"  {subject}: {error}")
        self.outcome.troubles.append((subject, error))

    def _readable(self, one: RejectedObject, read: Callable[[str, bytes], Held]) -> Iterator[Held]:
        """The content of an object; an unreadable one is named in the outcome and left."""
        return self.objects.readable(one.key, read, lambda error: self._name("unreadable object", error))

    def _put_back_batches(self) -> None:
        signs = Signs("given-up batches")
        for one in self.objects.below(GIVEN_UP_FOLDER):
            for batch in self._readable(one, read_given_up):
                self._put_back_given_up(one, batch)
            signs.show(f"{self.outcome.put.total()} records are on the stream")

    def _put_back_given_up(self, one: RejectedObject, batch: GivenUpBatch) -> None:
        if batch.is_of_stream:
            self._put_back_batch(one, batch)
        elif self.selection.shop_id is None and not self.selection.has_span:
            self.outcome.resent_batches += 1
            if not self.is_dry:
                self.outbox.resend(one, batch.function, batch.event)

    def _put_back_batch(self, one: RejectedObject, batch: GivenUpBatch) -> None:
        """Put the selected records of a batch; its object goes once all of them are back."""
        is_whole = True
        for record in batch.records(self.generation):
            shop_id = shop_of(record)
            if not self.selection.takes(shop_id, record.arrived_at):
                is_whole = False
                continue
            way = way_of_given_up(record, key=self.writer.key, now=self.writer.now())
            if way is not None:
                self._put_on_stream(way)
                self.outcome.put[GIVEN_UP, shop_id] += 1
        if is_whole and not self.is_dry:
            self.objects.delete([one.key])

    def _resend_unsent(self) -> None:
        """Give each row of the outbox that its function set aside to it again; a row set aside again is left."""
        for folder in UNSENT_FOLDERS:
            for one in list(self.objects.below(folder)):
                for event in self._readable(one, read_unsent):
                    is_sent = self.is_dry or self.outbox.resend(one, self.outbox.function_of(folder), event)
                    counts = self.outcome.put if is_sent else self.outcome.left
                    counts.update((UNSENT, row.shop_id) for row in outbox_rows(event, UNSENT))

    def _put_back_rejected(self) -> None:
        """Put rejected records back, one shop after the other.

        Records of several shops that fail in one batch stop the whole shard, as a bad release does: so each shop's log
        has come to its records before the next shop's are put.
        """
        signs = Signs("rejected records")
        for folder in self._folders(REJECTED_FOLDER):
            put: dict[str, _Put] = {}
            # The whole list before the first put: a record that is rejected again meanwhile is not put again.
            listed = list(self.objects.below(folder))
            for one in listed:
                for lines in self._readable(one, read_lines):
                    left = [line for line in lines if not self._put_back_line(line, put)]
                    if len(left) < len(lines) and not self.is_dry:
                        self.objects.leave_only(one.key, left)
                signs.show(f"{self.outcome.put.total()} records are on the stream")
            for shop_id in {} if self.is_dry else sorted({one.shop_id for one in put.values()}):
                self.open_log(shop_id).wait_for(self.writer.latest.get(shop_id, -1))
                numbers = {one.number for one in put.values() if one.shop_id == shop_id}
                self.outcome.rejected_again += count_rejected_again(
                    self.objects, shop_id, numbers=numbers, before={one.key for one in listed}
                )

    def _put_back_line(self, line: RejectedLine, put: dict[str, _Put]) -> bool:
        """Put a rejected record back if it is selected and can be read now; whether it is on the stream.

        `put` holds those that are, by position: an overtaken worker may have stored a record once more.
        """
        record, shop_id = line.record, shop_of(line.record)
        if not self.selection.takes(shop_id, record.arrived_at):
            return False
        if record.reason not in self.selection.rejected_reasons:
            if not self.selection.reasons:
                self.outcome.not_looked_at[record.reason, shop_id] += 1
            return False
        if record.position in put:
            return True
        way = way_of_rejected(record, key=self.writer.key, now=self.writer.now())
        if way is None:
            self.outcome.left[record.reason, shop_id] += 1
            return False
        put[record.position] = _Put(shop_id, self._put_on_stream(way))
        self.outcome.put[record.reason, shop_id] += 1
        return True

    def _put_on_stream(self, way: WayBack) -> int:
        """Put it on the stream; its sequence number, -1 in a dry run."""
        if self.is_dry:
            return -1
        if isinstance(way, PlainRecord):
            return self.writer.put(way.partition_key, way.data)
        return self.writer.put_control(way)

    def _put_back_parked(self, folder: str) -> None:
        shop_id = self.selection.shop_id or self._shop_in(folder)
        if shop_id is None:
            return
        if self.is_dry:
            self._attempt(f"shop {shop_id}", lambda: self._count_parked(folder, shop_id))
            return
        shop = self.open_shop(self.open_log(shop_id))
        self._attempt(f"shop {shop_id}", shop.put_back)
        if shop.is_done and shop.rounds:
            self.outcome.unparked.append(shop_id)
        if shop.put:
            self.outcome.put[PARKED, shop_id] += shop.put

    def _count_parked(self, folder: str, shop_id: str) -> None:
        parked = {line.record.position for one in self.objects.below(folder) for line in self.objects.lines(one.key)}
        if parked:
            self.outcome.put[PARKED, shop_id] += len(parked)
            self.outcome.unparked.append(shop_id)

    def _shop_in(self, folder: str) -> str | None:
        """The shop that the records in a folder name.

        None for a folder that another run has emptied, and for one without a readable object: then those are named in
        the outcome.
        """
        unreadable: list[UnreadableObjectError] = []
        for one in self.objects.below(folder):
            try:
                for line in self.objects.lines(one.key):
                    return line.record.shop_id  # an unreadable object is named when the shop is put back
            except UnreadableObjectError as error:
                unreadable.append(error)
        self.outcome.troubles.extend(("unreadable object", error) for error in unreadable)
        return None

    def _folders(self, top: str) -> Iterator[str]:
        """The folders to look into: the selected shop's and, among rejected ones, that of records without a shop."""
        if self.selection.shop_id is None:
            yield from self.objects.folders(f"{top}/")
            return
        yield folder_of(self.selection.shop_id, top)
        if top == REJECTED_FOLDER:
            yield folder_of(NO_SHOP, top)
