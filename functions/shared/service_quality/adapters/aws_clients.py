"""AWS clients: the one place that says how calls are retried and how long they may take."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

# Requests are built by tested code: checking their shapes again costs a quarter of a call's time.
_CONFIG = Config(
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
    tcp_keepalive=True,
)


def make_client(service: str) -> Any:
    """A client of the service in the environment's region, account and endpoint (`AWS_ENDPOINT_URL`)."""
    return _session().create_client(service, config=_CONFIG)


@cache
def _session() -> Session:
    """One session, so that credentials are found and service models are read once."""
    return get_session()
