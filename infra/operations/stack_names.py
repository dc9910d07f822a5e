"""The names of a stack's resources as variables of the shell: ModelsBucketName becomes MODELS_BUCKET."""

import re
import shlex
from collections.abc import Mapping

_LAST_WORDS = ("NAME", "ARN", "URL")


def variables_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """A variable for each output, in order.

    >>> variables_of({"EventQueueUrl": "q", "ModelsBucketName": "m"})
    {'EVENT_QUEUE': 'q', 'MODELS_BUCKET': 'm'}
    """
    return {_variable(name): value for name, value in sorted(outputs.items())}


def export_line(variables: Mapping[str, str]) -> str:
    """The line that a shell evaluates.

    >>> export_line({"STACK": "a b"})
    "export STACK='a b'"
    """
    return f"export {' '.join(f'{name}={shlex.quote(value)}' for name, value in variables.items())}"


def _variable(output: str) -> str:
    words = re.findall(r"[A-Z][a-z]+", output)
    kept = words[:-1] if words[-1].upper() in _LAST_WORDS else words
    return "_".join(word.upper() for word in kept)
