"""The endpoints that commands call: on this machine something listens there or nothing does, elsewhere AWS is asked."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from infra.operations.errors import OperationsError

_SECONDS = 2.0
_PORTS = {"http": 80, "https": 443}


def require_listener(endpoint: str) -> None:
    """OperationsError where nothing listens at an endpoint of this machine; any other endpoint is not tried.

    A client would try for more than a minute to reach what has ended.
    """
    url = urlsplit(endpoint)
    if not _is_here(url.hostname or ""):
        return
    try:
        socket.create_connection((url.hostname, url.port or _PORTS[url.scheme]), timeout=_SECONDS).close()
    except OSError:
        raise OperationsError(nothing_at(endpoint)) from None


def nothing_at(endpoint: str) -> str:
    """The message of an endpoint that does not answer."""
    if _is_here(urlsplit(endpoint).hostname or ""):
        hint = "start the embedded one (python -m infra.local up), or unset AWS_ENDPOINT_URL"
    else:
        hint = "look at the network, AWS_REGION and AWS_ENDPOINT_URL"
    return f"found nothing at {endpoint}, expected AWS: {hint}"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
