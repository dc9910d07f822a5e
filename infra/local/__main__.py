"""`python -m infra.local COMMAND`: the run on an embedded AWS."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from cli.endings import run_until_ended
from cli.machine_errors import MachineError, explain_os
from cli.progress import say
from cli.version import add_version
from infra.local.errors import LocalRunError

COMMANDS = {
    "up": "start an embedded AWS and deploy the template to it",
    "status": "say what runs, where, and what it holds",
    "replay": "put the events of a file on the deployed stream and wait until they are archived",
    "environment": "print the variables that lead other programs to the embedded AWS",
    "learn": "train on what was served and since rated, and promote the model unless it is worse than the champion",
    "churn": "learn from an export of orders who stays away, and warn of it at orders and by a sweep",
    "down": "end the embedded AWS; what it held is gone",
    "demo": "contacts in, alerts out, proofs beside them",
}
"""Each is a module of this package with `add_arguments(parser)` and `run(arguments) -> int`; its first paragraph is
what `--help` of it says."""


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="The whole system on this machine, without an AWS account: the same template, an embedded AWS.",
        epilog="Each command explains itself: python -m infra.local COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in argv if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == chosen:
            module = importlib.import_module(f"infra.local.{name}")
            command.description = module.__doc__
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        return status
    except (LocalRunError, MachineError) as error:
        say(f"{arguments.command}: {error}")
    except (BotoCoreError, ClientError) as error:
        say(f"{arguments.command}: found the embedded AWS ended or refusing, expected it to answer: {error}")
    except OSError as error:
        say(f"{arguments.command}: {explain_os(error)}")
    return 1


if __name__ == "__main__":
    name = next(iter(sys.argv[1:]), "infra.local")
    run_until_ended(name, lambda: main(sys.argv[1:]), ended="nothing that it started is left")
