"""`python -m infra.local COMMAND`: the run on an embedded AWS."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.errors import LocalRunError
from infra.local.progress import say
from tools.errors import explain_os
from tools.signals import EndedBySignal, end_once

COMMANDS = {
    "up": "start an embedded AWS and deploy the template to it",
    "status": "say what runs, where, and what it holds",
    "replay": "put the events of a file on the deployed stream and wait until they are archived",
    "learn": "train on what was served and since rated, and promote the model unless it is worse than the champion",
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
    except LocalRunError as error:
        say(f"{arguments.command}: {error}")
    except (BotoCoreError, ClientError) as error:
        say(f"{arguments.command}: found the embedded AWS ended or refusing, expected it to answer: {error}")
    except OSError as error:
        say(f"{arguments.command}: {explain_os(error)}")
    return 1


def run_until_ended(argv: Sequence[str]) -> int:
    """Run one command; a command that is ended has stopped all it started before this returns."""
    try:
        end_once()
        return main(argv)
    except EndedBySignal as ended:
        say(f"{next(iter(argv), 'infra.local')}: {ended}; nothing that it started is left")
        return ended.exit_code


if __name__ == "__main__":
    sys.exit(run_until_ended(sys.argv[1:]))
