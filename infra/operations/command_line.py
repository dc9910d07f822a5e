"""The command line: python -m infra.operations COMMAND."""

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoRegionError

from cli.arguments import OptionParser
from cli.aws_region import NO_REGION
from cli.endings import one_line
from cli.version import add_version
from infra.operations.alert_commands import add_alert_commands
from infra.operations.deployment import latest_call
from infra.operations.endpoints import nothing_at
from infra.operations.errors import NotThereError, OperationsError
from infra.operations.policy_commands import add_policy_commands
from infra.operations.record_options import EXIT_CODES, add_record_commands
from infra.operations.rule_commands import add_rule_commands
from infra.operations.stack_commands import add_stack_commands
from service_quality.aws_errors import failure_of
from service_quality.errors import DeploymentError, ServiceQualityError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result on stdout, an error as one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except (BotoCoreError, ClientError, ServiceQualityError, OSError) as error:
        failure = _failure_of(error)
    print(f"{options.command}: {one_line(failure)}", file=sys.stderr)
    return failure.exit_code if isinstance(failure, OperationsError) else 1


def _failure_of(error: Exception) -> ServiceQualityError:
    """The error to show, with the exit code of what is missing or forbidden."""
    if isinstance(error, NoRegionError):
        return OperationsError(NO_REGION)
    if isinstance(error, EndpointConnectionError):
        return OperationsError(nothing_at(str(error.kwargs["endpoint_url"])))
    if isinstance(error, BotoCoreError | ClientError):
        endpoint = getattr(error, "kwargs", {}).get("endpoint_url")
        call = getattr(error, "operation_name", latest_call())
        error = failure_of(error, f"{call} at {endpoint}" if endpoint else call)
    if not isinstance(error, ServiceQualityError):
        return OperationsError(str(error))
    return NotThereError(str(error)) if isinstance(error, DeploymentError) else error


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="python -m infra.operations",
        description="Operators' commands: records set aside, what shops declare, open alerts, subscribers.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_record_commands(commands)
    add_alert_commands(commands)
    add_policy_commands(commands)
    add_rule_commands(commands)
    add_stack_commands(commands)
    return parser
