"""Every error of the core and its adapters, under one root.

ServiceQualityError
├── RejectedEventError      a bad event: kept, counted, never blocks its shard
├── UnreadableRowError      a bad row of the outbox: kept, counted, never blocks the others
├── ConflictError           somebody else moved the shop: forget it and begin again
├── SurroundingsError       throttled, timed out, unreachable: the batch comes again
├── OverfullError           a transaction larger than a table takes: commit fewer events at once
├── FoldFailedError         our own code fails on a record
├── ShopTroubleError        what a table always refuses of one shop: the shop is parked
├── DeploymentError         a missing table, bucket, permission or setting, or a release that fails on several shops
│   └── StateVersionError   state left by another version of the fold
├── ModelError              a model that must not score
└── DeclarationError        a feature, entity, window or rule that contradicts another
"""


class ServiceQualityError(Exception):
    """Root of all errors of this system."""


class RejectedEventError(ServiceQualityError):
    """An event that cannot be taken; says what was found and what was expected, never the customer's words.

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


class SurroundingsError(ServiceQualityError):
    """A call failed for reasons outside the event; trying again costs time, never truth."""


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
    """Our own code failed on a record; once may be a torn read, twice at one version of the shop is the record."""

    def __init__(self, position: str, version: int, cause: Exception) -> None:
        super().__init__(f"the fold raised {type(cause).__name__} at position {position}")
        self.position = position
        self.version = version
        self.failure = cause


class ShopTroubleError(ServiceQualityError):
    """A call that a table refuses however often it comes: the trouble is in what one shop holds."""


class OwnCodeError(ServiceQualityError):
    """Our own code failed on a shop outside of any record: on what is stored of it, or anywhere else."""

    def __init__(self, shop_id: str, cause: Exception) -> None:
        super().__init__(
            f"{type(cause).__name__} while shop {shop_id} was advanced, outside of any of its records; expected none"
        )
        self.failure = cause


class DeploymentError(ServiceQualityError):
    """Something that the function needs is missing or forbidden; the message names it."""


class StateVersionError(DeploymentError):
    """The stored state was folded by another version of the code; `parked` says whether its shop is parked."""

    def __init__(self, message: str, *, parked: bool = False) -> None:
        super().__init__(message)
        self.parked = parked


class ModelError(ServiceQualityError):
    """A model whose fingerprint, shape or file is not what the functions serve."""


class DeclarationError(ServiceQualityError):
    """A declaration that cannot hold; found while declaring, not while serving."""
