"""Commands about a stack: the names of its resources, and the subscribers of its alerts."""

import argparse
from pathlib import Path
from typing import Any

from cli.atomic_write import write_json
from infra.operations.deployment import Clients, describe_stack, find_names
from infra.operations.stack_names import export_line, variables_of
from infra.operations.subscribers import read_subscribers

_SUBSCRIBERS = "list who is subscribed to alerts, and who can get none and why"


def add_stack_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    subscribers = commands.add_parser("subscribers", help=_SUBSCRIBERS, description=f"L{_SUBSCRIBERS[1:]}.")
    subscribers.add_argument("--stack", help="stack whose outputs name everything")
    subscribers.add_argument("--alert-topic", help="ARN of the topic of alerts (default: from --stack)")
    subscribers.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON, too")
    subscribers.set_defaults(run=_subscribers)
    names = commands.add_parser("names", help="print the stack's resources as variables for the shell")
    names.description = (
        'For a shell: eval "$(python -m infra.operations names --stack STACK)" sets MODELS_BUCKET and so on.'
    )
    names.add_argument("--stack", required=True, help="stack whose outputs name everything")
    names.set_defaults(run=_print_names)


def _print_names(options: argparse.Namespace) -> int:
    outputs, _ = describe_stack(options.stack)
    print(export_line({"STACK": options.stack} | variables_of(outputs)))
    return 0


def _subscribers(options: argparse.Namespace) -> int:
    clients = Clients()
    names = find_names(vars(options), needed=("alert_topic",))
    found = read_subscribers(clients.sns, clients.sqs, names.alert_topic)
    if options.json:
        write_json(options.json, [one._asdict() for one in found])
    for one in found:
        chosen = f"  only {one.filter_policy}" if one.filter_policy else ""
        print(f"{one.protocol:6s} {one.endpoint}  {one.state}{chosen}")
    print(f"{len(found)} subscribed")
    return 0
