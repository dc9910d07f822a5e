"""The AWS region and endpoint that people's commands work with."""

import os
from urllib.parse import urlsplit

#: The message of a command without a region.
NO_REGION = "found no region, expected AWS_REGION or a profile's"


def region_of_environment() -> str | None:
    """The region of AWS_DEFAULT_REGION or AWS_REGION; None for the profile's. boto3 itself reads the first alone."""
    return os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or None


def refuse_bad_endpoints() -> None:
    """OSError that names a variable of an endpoint which is no URL; boto3 raises a ValueError without its name."""
    for name, value in os.environ.items():
        if name.startswith("AWS_ENDPOINT_URL") and value and not _is_url(value):
            raise OSError(f"{name}: found '{value}', expected http:// or https://, a host and perhaps a port")


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
