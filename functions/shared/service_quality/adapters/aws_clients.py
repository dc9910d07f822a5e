"""AWS clients: the one place that says how calls are retried and how long they may take."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session

# Requests are built by tested code: checking their shapes again costs a quarter of a call's time.
_CONFIG = Config(
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
    tcp_keepalive=True,
)
_SERVICES = ("dynamodb", "kinesis", "s3", "secretsmanager", "sns")


def make_client(service: str) -> Any:
    """A client of the service in the environment's region, account and endpoint (`AWS_ENDPOINT_URL`)."""
    if service not in _SERVICES:
        raise ValueError(f"found service {service}, expected one of {', '.join(_SERVICES)}")
    return _session().create_client(service, config=_CONFIG)


@cache
def _session() -> Session:
    """One session, so that credentials are found and service models are read once.

    Its handlers are botocore's own but for those of other services and of its documentation. There are three times
    as many of them, and registering and copying them took a third of what the clients took at a cold start.
    """
    session = Session(include_builtin_handlers=False)
    events = session.get_component("event_emitter")
    register = {None: events.register, REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last}
    for event, handler, *order in BUILTIN_HANDLERS:
        if _concerns_us(event):
            register[order[0] if order else None](event, handler)
    return session


def _concerns_us(event: str) -> bool:
    """Whether an event of botocore's may be about a call of ours.

    >>> [_concerns_us(name) for name in ("before-call", "before-call.s3", "before-call.ec2", "docs.*.s3.*")]
    [True, True, False, False]
    """
    kind, *parts = event.split(".")
    return kind != "docs" and (not parts or parts[0] in _SERVICES)
