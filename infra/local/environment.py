"""Print the variables that lead other programs to the embedded AWS, for the shell:
eval "$(.venv/bin/python -m infra.local environment)"
"""

import argparse

from infra.local.emulator import find_running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line for the shell."""
    print(f"export {' '.join(f'{name}={value}' for name, value in find_running().environment.items())}")
    return 0
