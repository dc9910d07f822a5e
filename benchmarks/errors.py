"""Errors that stop a benchmark.

BenchmarkError
├── EngineFailedError     an engine did not come to its end, or answers otherwise than ours
├── FunctionFailedError   a function whose start is measured answered with an error, or never
└── PeerFailedError       a peer did not come to its end
"""


class BenchmarkError(Exception):
    """A benchmark that cannot be measured; the message says found and expected."""


class EngineFailedError(BenchmarkError):
    """An engine did not come to its end, or answers otherwise than ours."""


class FunctionFailedError(BenchmarkError):
    """The function answered its first event with an error, or never."""


class PeerFailedError(BenchmarkError):
    """A peer did not come to its end."""
