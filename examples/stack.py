"""A deployment's clients, and the names of its queue, function and topic, from the outputs of its stack."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoRegionError

LOCAL = 'for the local deployment: eval "$(.venv/bin/python -m infra.local environment)"'
NEEDED = ("EventQueueUrl", "IngestEventsFunctionName", "AlertTopicArn")


def client(service: str) -> Any:
    """A client of AWS, found as usual; AWS_ENDPOINT_URL points to the embedded one, which is asked only once."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    attempts = 1 if "//127.0.0.1" in endpoint or "//localhost" in endpoint else 3
    config = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": attempts})
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    try:
        return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # any service
    except ValueError as error:
        raise SystemExit(f"found no URL in AWS_ENDPOINT_URL, expected one: {error}") from None


def read_outputs(stack: str) -> dict[str, str]:
    """The outputs of a stack by name; SystemExit for a stack that is missing or another's."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise SystemExit(f"found no stack {stack}, expected one; {LOCAL}") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if missing := [name for name in NEEDED if name not in outputs]:
        raise SystemExit(f"found no output {', '.join(missing)} of the stack {stack}, expected this project's stack")
    return outputs


def stack_argument(description: str | None) -> argparse.ArgumentParser:
    """A parser with the one argument of every example."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="service-quality", help="name of the stack (%(default)s)")
    return parser


def run(main: Callable[[list[str]], None]) -> None:
    """Run an example; where AWS refuses or does not answer, it ends with 1 and one line that says why."""
    try:
        main(sys.argv[1:])
        sys.stdout.flush()
    except NoRegionError:
        sys.exit(f"found no region, expected AWS_REGION or a profile's; {LOCAL}")
    except EndpointConnectionError as error:
        sys.exit(f"found nothing at {error.kwargs['endpoint_url']}, expected AWS; {LOCAL}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"found an error of AWS, expected an answer: {' '.join(str(error).split())}")
    except BrokenPipeError:  # nobody reads on, as behind `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
