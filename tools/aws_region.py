"""The AWS region that people's commands work in."""

import os

#: What a command says that finds none.
NO_REGION = "found no region, expected AWS_REGION or a profile's"


def region_of_environment() -> str | None:
    """The region of AWS_DEFAULT_REGION or AWS_REGION; None for the profile's. boto3 itself reads the first alone."""
    return os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or None
