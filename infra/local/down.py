"""End the embedded AWS that `up` started, with all functions it runs; what it held is gone. Safe to repeat."""

import argparse

from infra.local.emulator import FOLDER, Emulator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """End it and say so."""
    emulator = Emulator(FOLDER)
    if not emulator.attach():
        print("nothing runs")
        return 0
    port = emulator.port
    emulator.stop()
    print(f"ended the embedded AWS on port {port}")
    return 0
