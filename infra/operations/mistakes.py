"""A mistake of a file of settings, as the commands about policies and rules say it."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """One mistake of a file: its line where the file has one, the path within the document, and what is expected."""

    line: int | None
    path: str
    found: str
    expected: str
    did_you_mean: str | None = None

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line is not None else ""
        path = f"{self.path}: " if self.path else ""
        meant = f"; did you mean {self.did_you_mean}?" if self.did_you_mean else ""
        return f"{line}{path}found {self.found}, expected {self.expected}{meant}"
