"""A batch of the stream: every shop in it is advanced, and the trouble of one holds up no other."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.failures import FOLD, Failure
from service_quality.commit.online_commit import OnlineCommit
from service_quality.errors import (
    DeploymentError,
    FoldFailedError,
    OwnCodeError,
    ServiceQualityError,
    ShopTroubleError,
)
from service_quality.events.log_records import LogRecord

#: Attempts for a shop whose transaction a table refuses, before the shop is parked.
TRIES = 3

Logs = Mapping[str, list[LogRecord]]
_OWN_TROUBLE = (FoldFailedError, OwnCodeError, ShopTroubleError)


class BatchOutcome(NamedTuple):
    """The counts of a batch, and the error for which it must be retried; None for a batch that is done."""

    stats: CommitStats
    error: ServiceQualityError | None = None


@dataclass(slots=True, eq=False, repr=False)
class BatchCommit:
    """Advances the shops of a batch, several at once with a pool of threads.

    A failing fold is blamed on the record if it is the only one, on the shop if more of its records fail, and on the
    release if records of several shops fail. The record is rejected, the shop is parked, the release is sent back.
    """

    commit: OnlineCommit
    pool: Executor | None = None

    def advance(self, logs: Logs) -> BatchOutcome:
        """Advance every shop; an error that is no shop's own is the outcome's error.

        The unreadable records of names that are no shops are stored together, however many names there are.
        """
        outcome = self._advance_all(logs)
        unfounded = sorted(outcome.stats.unfounded, key=lambda one: one.record.position)
        if not unfounded:
            return outcome
        try:
            self.commit.store.store_rejected(unfounded)
        except ServiceQualityError as error:
            return outcome if outcome.error is not None else BatchOutcome(outcome.stats, error)
        return outcome

    def _advance_all(self, logs: Logs) -> BatchOutcome:
        run = map if self.pool is None else self.pool.map
        advanced = dict(zip(logs, run(self._advance, logs, logs.values()), strict=True))
        stats = CommitStats()
        for one in advanced.values():
            if isinstance(one, CommitStats):
                stats.add(one)
        failed = {shop: one for shop, one in advanced.items() if not isinstance(one, CommitStats)}
        own = {shop: error for shop, error in failed.items() if isinstance(error, _OWN_TROUBLE)}
        others = [error for shop, error in failed.items() if shop not in own]
        stats.failures += [_failure_of(error) for error in own.values()]
        if len(own) > 1:
            return BatchOutcome(stats, _bad_release(own))
        for shop, error in own.items():
            settled = self._settle(shop, logs[shop], error, alone=len(logs) == 1)
            if isinstance(settled, CommitStats):
                stats.add(settled)
            else:
                others.append(settled)
        return BatchOutcome(stats, others[0] if others else None)

    def _advance(self, shop_id: str, records: list[LogRecord]) -> "_Advanced":
        return _result_of(shop_id, lambda: self.commit.advance_shop(shop_id, records))

    def _settle(
        self, shop_id: str, records: list[LogRecord], error: ServiceQualityError, *, alone: bool
    ) -> "_Advanced":
        """Go on with a shop whose trouble is its own; alone in a batch, it may be the release's trouble instead."""
        if alone and isinstance(error, OwnCodeError):
            return error
        return _result_of(shop_id, lambda: self._go_on(shop_id, records, error))

    def _go_on(self, shop_id: str, records: list[LogRecord], error: ServiceQualityError) -> CommitStats:
        """Advance the shop without its one bad record, or park it."""
        if isinstance(error, FoldFailedError):
            return self._advance_without(shop_id, records, error)
        if isinstance(error, ShopTroubleError):
            return self._try_again(shop_id, records)
        return self.commit.park_shop(shop_id, records)

    def _advance_without(self, shop_id: str, records: list[LogRecord], error: FoldFailedError) -> CommitStats:
        try:
            return self.commit.advance_shop(shop_id, records, rejecting=frozenset({error.position}))
        except FoldFailedError as second:
            stats = CommitStats(failures=[_failure_of(second)])
            stats.add(self.commit.park_shop(shop_id, records))
            return stats

    def _try_again(self, shop_id: str, records: list[LogRecord]) -> CommitStats:
        for _ in range(TRIES - 1):
            try:
                return self.commit.advance_shop(shop_id, records)
            except ShopTroubleError:
                continue
        return self.commit.park_shop(shop_id, records)


_Advanced = CommitStats | ServiceQualityError


def _result_of(shop_id: str, step: Callable[[], CommitStats]) -> _Advanced:
    """The counts of a step, or its error; an error that is not ours is a fault of our own code."""
    try:
        return step()
    except ServiceQualityError as error:
        return error
    except Exception as error:
        return OwnCodeError(shop_id, error)


def _failure_of(error: ServiceQualityError) -> Failure:
    if isinstance(error, FoldFailedError):
        return Failure(FOLD, error.position, error.failure)
    if isinstance(error, OwnCodeError):
        return Failure(FOLD, "", error.failure)
    return Failure(FOLD, "", error)


def _bad_release(own: Mapping[str, ServiceQualityError]) -> DeploymentError:
    kinds = ", ".join(sorted({type(error).__name__ for error in own.values()}))
    return DeploymentError(
        f"found {len(own)} shops of one batch in trouble ({kinds}), expected at most one: the release is at fault, "
        "nothing of them is rejected or parked, and the batch comes again"
    )
