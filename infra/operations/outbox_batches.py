"""Batches of the outbox that did not leave: given to their functions again.

An event source may have given up on a whole batch; a function may have set a row aside that it could not send, under
the same name each time.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.operations.errors import ArgumentsError, OperationsError
from infra.operations.rejected_objects import RejectedObject, RejectedObjects

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: The folders of rows that a function set aside, and the option that names their function.
UNSENT_FOLDERS = {"outbox/alert/": "dispatch_function", "outbox/archive/": "archive_function"}


@dataclass(frozen=True, slots=True)
class OutboxBatches:
    """`names` are the functions' names by option; an unknown one is None."""

    objects: RejectedObjects
    client: Callable[[], "LambdaClient"]
    names: Mapping[str, str | None]

    def function_of(self, folder: str) -> str:
        """The function of a folder of unsent rows; ArgumentsError where its name is unknown."""
        option = UNSENT_FOLDERS[folder]
        name = self.names.get(option)
        if not name:
            flag = f"--{option.replace('_', '-')}"
            raise ArgumentsError(f"found rows under {folder} and neither --stack nor {flag}, expected one of them")
        return name

    def resend(self, one: RejectedObject, function: str, event: Mapping[str, Any]) -> bool:
        """Give a batch to its function and delete its object; False where the function has set it aside again.

        OperationsError when the function fails on it.
        """
        answer = self.client().invoke(FunctionName=function, Payload=json.dumps(event).encode())
        if answer.get("FunctionError"):
            raise OperationsError(f"found {function} failing on a batch of the outbox, expected it to be mended")
        if one in self.objects.below(one.key):
            self.objects.delete([one.key])
            return True
        return False
