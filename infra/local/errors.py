"""Errors of the local run, each one sentence for the person in front of it.

LocalRunError
├── EmulatorError       the embedded AWS does not start, or is not running
├── DeploymentFailedError  building or deploying ended badly
├── ReplayError         events that cannot be replayed, or that were lost
├── StepFailedError     a command of the run ended badly
└── NotReceivedError    something awaited did not come in time
"""


class LocalRunError(Exception):
    """A local run that cannot go on; the message says found and expected."""


class EmulatorError(LocalRunError):
    """The embedded AWS does not start, or is not running."""


class DeploymentFailedError(LocalRunError):
    """Building or deploying the template ended badly."""


class ReplayError(LocalRunError):
    """Events that cannot be replayed, or that the stream does not take."""


class StepFailedError(LocalRunError):
    """A command of the run ended badly; the message says which and what it said last."""


class NotReceivedError(LocalRunError):
    """Something awaited did not come in time."""
