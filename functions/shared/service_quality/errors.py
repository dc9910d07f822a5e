"""Every error of the core and its adapters, under one root.

ServiceQualityError
├── RejectedEventError      a bad event: stored, counted, never blocks its shard
├── UnreadableRowError      a bad row of the outbox: stored, counted, never blocks the others
├── ConflictError           another worker moved the shop: drop it and begin again
├── DependencyError         throttled, timed out, unreachable: the batch is retried
├── OverfullError           a transaction larger than a table takes: commit fewer events at once
├── FoldFailedError         our own code fails on a record
├── ShopTroubleError        a table always refuses one shop's transaction: the shop is parked
├── OwnCodeError            our own code fails on a shop outside of any record: the shop is parked, or its batch waits
├── DeploymentError         a missing table, bucket, permission or setting, or a release that fails on several shops
│   ├── StateVersionError   state left by another version of the fold
│   └── NothingPromotedError  a task of which no model is promoted
├── ModelError              a model that must not score
├── DeclarationError        a feature, entity, window or rule that contradicts another
├── RejectedPolicyError     a policy document with mistakes, all of which it names
└── RejectedRulesError      a document of rules with mistakes, all of which it names
"""

from collections.abc import Sequence


class ServiceQualityError(Exception):
    """Root of all errors of this system."""


class RejectedEventError(ServiceQualityError):
    """An event that cannot be taken; the message says found and expected, never the customer's words.

    `reason` is a stable code for counting, `field` the offending field or "".
    """

    def __init__(self, reason: str, *, field: str = "", found: str, expected: str) -> None:
        where = f"{field}: " if field else ""
        super().__init__(f"{where}found {found}, expected {expected}")
        self.reason = reason
        self.field = field


class UnreadableRowError(ServiceQualityError):
    """A row of the outbox that cannot be sent or archived; `reason` is a stable code for counting."""

    def __init__(self, reason: str, *, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.reason = reason


class ConflictError(ServiceQualityError):
    """The shop's item no longer has the version that was read."""


class DependencyError(ServiceQualityError):
    """A call failed for reasons outside the event; a retry delays results and cannot change them."""


class OverfullError(ServiceQualityError):
    """A transaction that a table would refuse for its size; the last of its `events` is at `position`.

    `version` is that of the shop on which they were folded.
    """

    def __init__(self, *, events: int, position: str, version: int, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.events = events
        self.position = position
        self.version = version
        self.found = found
        self.expected = expected


class FoldFailedError(ServiceQualityError):
    """Our own code failed on a record: once may be a torn read, twice at one version of the shop is the record."""

    def __init__(self, position: str, version: int, cause: Exception) -> None:
        super().__init__(f"the fold raised {type(cause).__name__} at position {position}")
        self.position = position
        self.version = version
        self.failure = cause


class ShopTroubleError(ServiceQualityError):
    """A transaction that a table will always refuse: the trouble is in the items of one shop."""


class OwnCodeError(ServiceQualityError):
    """Our own code failed on a shop outside of any record, as on a stored item."""

    def __init__(self, shop_id: str, cause: Exception) -> None:
        super().__init__(
            f"shop {shop_id}: found {type(cause).__name__} outside of any of its records, expected no error"
        )
        self.failure = cause


class DeploymentError(ServiceQualityError):
    """A resource or setting that the function needs is missing or forbidden; the message names it."""


class StateVersionError(DeploymentError):
    """The stored state of a shop was folded by another version of the code."""


class NothingPromotedError(DeploymentError):
    """No model of a task is promoted: it cannot score."""


class ModelError(ServiceQualityError):
    """A model of another fingerprint, shape or file than the functions serve."""


class DeclarationError(ServiceQualityError):
    """A contradictory declaration, found while declaring and not while serving."""


class RejectedPolicyError(ServiceQualityError):
    """A policy document that cannot be taken; `problems` has a sentence for each mistake, found and expected."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RejectedRulesError(ServiceQualityError):
    """A document of rules that cannot be taken; `problems` has a sentence for each mistake, found and expected."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
