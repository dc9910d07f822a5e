"""Errors of the jobs, each one line for the person who started one, and the exit code it ends with.

ServiceQualityError
└── JobError                1
    ├── ArgumentError       2: an argument that cannot be used
    ├── InputError          3: input that is not what the job reads
    ├── MissingSourceError  4: a file, folder or table that is not there
    ├── SessionError        1: Spark could not be started
    └── OvertakenError      1: another writer was quicker
"""

from collections.abc import Sequence
from typing import ClassVar

from service_quality.errors import ServiceQualityError


class JobError(ServiceQualityError):
    """A job that cannot go on; the message says found and expected, each of `details` is a line below it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class ArgumentError(JobError):
    """An argument of the command line that cannot be used."""

    exit_code = 2


class InputError(JobError):
    """Input of another kind than the job reads."""

    exit_code = 3


class MissingSourceError(JobError):
    """A file, folder or table that the job reads is not there."""

    exit_code = 4


class SessionError(JobError):
    """Spark could not be started; the message says what is missing."""


class OvertakenError(JobError):
    """A table was written by another job since it was read; the rows to write must be computed again."""


def mistakes_in_words(count: int) -> str:
    """A number of mistakes as an error says it.

    >>> mistakes_in_words(1), mistakes_in_words(2)
    ('a mistake', '2 mistakes')
    """
    return f"{count} mistakes" if count > 1 else "a mistake"
