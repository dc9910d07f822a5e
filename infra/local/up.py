"""Start an embedded AWS on 127.0.0.1 and deploy the template of this project to it; it runs until `down`."""

import argparse

from cli.locks import only_one
from cli.progress import announced, say
from infra.local.deployment import deploy
from infra.local.emulator import DEMO_FOLDER, FOLDER, Emulator
from infra.local.errors import EmulatorError

MOST_PORT = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--port", type=a_port, help="port of the gateway (default: a free one)")


def a_port(word: str) -> int:
    """A port that a server can be given."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word) <= MOST_PORT:
        raise argparse.ArgumentTypeError(f"found '{word}', expected a number from 1 to {MOST_PORT}")
    return int(word)


def run(arguments: argparse.Namespace) -> int:
    """Start, unless it runs already, and deploy; a process started here ends if that fails."""
    emulator = Emulator(FOLDER, arguments.port)
    with only_one(FOLDER.parent / "up.lock", "`up`"):
        is_new = not emulator.attach()
        if is_new:
            with announced("embedded AWS"):
                emulator.start()
        else:
            say(f"found the embedded AWS on port {emulator.port} running; what changed is deployed to it")
        if not is_new and arguments.port not in (None, emulator.port):
            raise EmulatorError(
                f"found an embedded AWS on port {emulator.port}, expected port {arguments.port}; run `down` first"
            )
        try:
            outputs = deploy(emulator)
        except BaseException:
            if is_new:
                emulator.stop()
            raise
    print_deployment(emulator, outputs)
    if Emulator(DEMO_FOLDER).attach():
        say("the embedded AWS of a demo runs, too; the other commands now use this one, and `down` ends both")
    return 0


def print_deployment(emulator: Emulator, outputs: dict[str, str]) -> None:
    """Print its address, the variables that lead other programs to it, and the stack's outputs."""
    print(f"endpoint  {emulator.endpoint}")
    print(f"log       {emulator.log}")
    print("for other programs:")
    print(f"  export {' '.join(f'{name}={value}' for name, value in emulator.environment.items())}")
    print("deployed:")
    for name, value in outputs.items():
        print(f"  {name:31s} {value}")
