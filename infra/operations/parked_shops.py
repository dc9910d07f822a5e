"""Parked shops: one serial writer puts their records back in order, until the shop's item says that it goes on."""

from dataclasses import dataclass, field
from datetime import datetime

from cli.progress import Signs, say
from infra.operations.errors import NotYetThroughError, StillInTroubleError
from infra.operations.lease import Lease
from infra.operations.rejected_objects import RejectedObject, RejectedObjects, in_order
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from infra.operations.ways_back import renewed, signed_control
from service_quality.adapters.buckets.rejected_store import PARKED_FOLDER, folder_of
from service_quality.commit.put_back import put_back_parked
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import ShopUnparked
from service_quality.events.positions import START

_MOST_ROUNDS = 50


@dataclass(slots=True)
class ParkedShop:
    """One run for one shop.

    A round puts the parked records in order of their first positions, and then their end. Newer records are parked
    meanwhile, so rounds go on until the shop is parked no more and no record is left. Only then are the objects
    deleted, and only those that were not written again.
    """

    run: str
    objects: RejectedObjects
    writer: StreamWriter
    log: ShopLog
    lease: Lease
    put: int = 0
    rounds: int = 0
    is_done: bool = False
    _until: str = START
    _done: dict[str, datetime] = field(default_factory=dict)

    def put_back(self) -> None:
        """Put all records back; `put` counts them, `is_done` says whether the run came to its end.

        StillInTroubleError when they fail again, NotYetThroughError when the log does not come to them, OtherRunError
        when another run puts them back: then every object stays, and a later run begins again.
        """
        with self.lease.held(waiting=lambda left: say(f"  waiting {left:.0f} s for another run's lease to end")):
            self._wait_for(self.writer.latest.get(self.log.shop_id, -1))
            for _ in range(_MOST_ROUNDS):
                shop = self._read()  # before the list, so that the list holds every record that it calls parked
                fresh = [one for one in self._parked_objects() if self._done.get(one.key) != one.modified]
                if not fresh and shop.parked is None:
                    break
                self._round(fresh, parked_until=shop.parked.until if shop.parked and not fresh else START)
            else:
                raise NotYetThroughError(f"found more parked records after {_MOST_ROUNDS} rounds: run again")
            self.objects.delete(self._done)
            self.is_done = True

    def _parked_objects(self) -> list[RejectedObject]:
        return list(self.objects.below(folder_of(self.log.shop_id, PARKED_FOLDER)))

    def _round(self, fresh: list[RejectedObject], *, parked_until: str) -> None:
        """Put these objects' records and their end, and wait until the shop's log has come to it."""
        self.rounds += 1
        signs, before = Signs("parked records"), self.put
        for record in in_order(self.objects, fresh):
            if self.lease.renew():
                self._read()
            self._until = max(self._until, record.position)
            if isinstance(signed_control(record, self.writer.key), ShopUnparked):
                continue  # the end of a failed run: this run has an end of its own
            now = self.writer.now()
            back, _ = put_back_parked([renewed(record, key=self.writer.key, now=now)], run=self.run, now=now)
            self.writer.put_control(back)
            self.put += 1
            signs.show(f"{self.put - before} of a shop are on the stream")
        self._until = max(self._until, parked_until)
        end = ShopUnparked(shop_id=self.log.shop_id, run=self.run, until=self._until)
        self._wait_for(self.writer.put_control(end))
        self._done |= {one.key: one.modified for one in fresh}

    def _read(self) -> ShopItem:
        """The shop's item; StillInTroubleError once it names this run as one that failed."""
        shop = self.log.read()
        if shop.parked is not None and shop.parked.failed_run == self.run:
            raise StillInTroubleError(
                "found records that fail as before, expected the trouble mended; the shop stays parked and everything "
                "stays stored, see step_failed in the log of score_interactions"
            )
        return shop

    def _wait_for(self, number: int) -> None:
        self.log.wait_for(number, meanwhile=self.lease.renew)
        self._read()
