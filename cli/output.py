"""The standard output whose reader goes away, as in `command | head -1`: the command ends without a message."""

import io
import os
import signal
import sys
from collections.abc import Callable

#: As if SIGPIPE had ended the command; the signal itself would also end it for a lost connection.
READER_GONE = 128 + signal.SIGPIPE


class ReaderGone(BaseException):
    """Nobody reads the standard output any more; not an Exception, so that no handler takes it for a failure."""


def until_reader_goes(main: Callable[[], int]) -> int:
    """Run `main` and flush what it printed; its exit code, or READER_GONE once nobody reads the standard output."""
    out = sys.stdout
    watched = _Watched(out.buffer, encoding=out.encoding, errors=out.errors, line_buffering=bool(out.line_buffering))
    watched.reconfigure(write_through=getattr(out, "write_through", False))
    sys.stdout = watched
    try:
        try:
            return main()
        finally:
            watched.flush()
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), watched.fileno())  # what is still held goes nowhere
        return READER_GONE


class _Watched(io.TextIOWrapper):
    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise ReaderGone from None

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise ReaderGone from None
