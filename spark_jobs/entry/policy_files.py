"""Policy documents that a job is given as files."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from service_quality.errors import RejectedPolicyError
from service_quality.policies.policy_document import parse_policy
from spark_jobs.errors import InputError, MissingSourceError, mistakes_in_words


def add_policies(parser: ArgumentParser, says: str) -> None:
    """Add the option that names shops' policies: `policy` is a list of shops and files."""
    parser.add_argument(
        "--policy",
        action="append",
        nargs=2,
        default=[],
        metavar=("SHOP", "FILE.json"),
        help=f"{says}; several times for several shops or revisions, the latest last",
    )


def read_policies_of(given: Iterable[tuple[str, str]]) -> list[tuple[str, bytes]]:
    """The documents of shops' policies, in the order of the command line."""
    return [(shop_id, read_policy(file)) for shop_id, file in given]


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
        found = f"{name}: found {mistakes_in_words(len(error.problems))} in the policy, expected none"
        raise InputError(found, error.problems) from None
    return document
