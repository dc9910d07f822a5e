"""Failures while a log goes on: counted and logged by type and stack, never by their values."""

import traceback
from typing import NamedTuple

#: The stages that can fail: the score of an event, that of an entity by a task, a rule, the fold of a record.
SCORE, TASK, RULE, FOLD = "score", "task", "rule", "fold"


class Failure(NamedTuple):
    """One failure: its stage, its rule, task, kind of event or position, and the error."""

    stage: str
    subject: str
    error: BaseException

    def fields(self) -> dict[str, object]:
        """Type and stack for a log entry. The message is left out: it may quote what a customer sent."""
        frames = traceback.extract_tb(self.error.__traceback__)
        return {
            "stage": self.stage,
            "subject": self.subject,
            "error_type": type(self.error).__name__,
            "stack": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
        }
