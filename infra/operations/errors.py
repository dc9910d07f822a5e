"""Errors of the operator's commands, each one line for the person who ran it, with the exit code of the command.

OperationsError           1  anything else, such as AWS that does not answer
├── UnreadableObjectError 1  an object that holds no rejected records: it is named and left, and everything else goes on
├── ArgumentsError        2  wrong or missing arguments
├── StillInTroubleError   3  records failed or were rejected again, or are still rejected though named, or a policy
├── NotThereError         4  a stack, bucket, table, stream, secret, shop, alert or file that does not exist
├── NotYetThroughError    5  the log did not come to the put-back records in time: run again later
└── OtherRunError         6  another run puts the same shop's records back
"""

from service_quality.errors import ServiceQualityError


class OperationsError(ServiceQualityError):
    """Root of the errors of this package."""

    exit_code = 1


class UnreadableObjectError(OperationsError):
    """An object of the rejected bucket that holds no rejected records; the message begins with its key."""


class ArgumentsError(OperationsError):
    """Wrong or missing arguments."""

    exit_code = 2


class StillInTroubleError(OperationsError):
    """Records failed again, and their shop is parked as before; or they were rejected again, or are still rejected.

    Also a policy that its shop's log did not take.
    """

    exit_code = 3


class NotThereError(OperationsError):
    """A named resource, shop, alert or file that does not exist."""

    exit_code = 4


class NotYetThroughError(OperationsError):
    """The put-back records are on the stream, and the shop's log did not reach them in time."""

    exit_code = 5


class OtherRunError(OperationsError):
    """Another run holds the lease on a shop's parked records."""

    exit_code = 6
