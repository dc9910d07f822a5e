"""The Lambda Runtime API for one invocation: hands out an event and notes when its answer comes."""

import time
from dataclasses import dataclass, field
from threading import Event

from benchmarks.cold_start_runs.local_server import Answer, Request

_INVOCATION = "/2018-06-01/runtime/invocation/"
_REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


@dataclass
class RuntimeApi:
    """Answers the runtime's client. The second request for an event waits until `done`."""

    event: bytes
    answered: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    answered_at: float = 0.0
    failure: str = ""
    _given: bool = False

    def answer(self, request: Request) -> Answer:
        """Next invocation, response or error."""
        if request.path == f"{_INVOCATION}next":
            return self._next()
        self.answered_at = time.perf_counter()
        if not request.path.endswith("/response"):
            self.failure = request.body.decode(errors="replace")
        self.answered.set()
        return Answer(202)

    def _next(self) -> Answer:
        if self._given:
            self.done.wait()
            return Answer(410)
        self._given = True
        deadline = int((time.time() + 120) * 1000)
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:measured"
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": _REQUEST_ID,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
        }
        return Answer(200, self.event, headers)
