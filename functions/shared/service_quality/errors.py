"""Every error of the core and its adapters, under one root.

ServiceQualityError
├── RejectedEventError      a bad event: kept, counted, never blocks its shard
├── ConflictError           somebody else moved the shop: forget it and begin again
├── SurroundingsError       throttled, timed out, unreachable: the batch comes again
├── DeploymentError         a missing table, bucket, permission or setting: fail at cold start
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


class ConflictError(ServiceQualityError):
    """The shop's item no longer has the version that was read."""


class SurroundingsError(ServiceQualityError):
    """A call failed for reasons outside the event; trying again costs time, never truth."""


class DeploymentError(ServiceQualityError):
    """Something that the function needs is missing or forbidden; the message names it."""


class StateVersionError(DeploymentError):
    """The stored state was folded by another version of the code."""


class ModelError(ServiceQualityError):
    """A model whose fingerprint, shape or file is not what the functions serve."""


class DeclarationError(ServiceQualityError):
    """A declaration that cannot hold; found while declaring, not while serving."""
