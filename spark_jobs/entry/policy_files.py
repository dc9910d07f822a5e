"""Policy documents that a job is given as files."""

from pathlib import Path

from service_quality.errors import RejectedPolicyError
from service_quality.policies.policy_document import parse_policy
from spark_jobs.errors import InputError, MissingSourceError


def read_policy(name: str) -> bytes:
    """The document of a policy; InputError names every mistake in it."""
    try:
        document = Path(name).read_bytes()
        parse_policy(document)
    except FileNotFoundError:
        raise MissingSourceError(f"found no file {name}, expected a policy") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}, expected a file that can be read") from None
    except RejectedPolicyError as error:
        found = f"{name}: found {len(error.problems)} mistakes in the policy, expected none"
        raise InputError(found, error.problems) from None
    return document
