"""End the embedded AWS of `up`, and one that a demo left, with all functions; what they held is gone."""

import argparse

from infra.local.emulator import FOLDERS, Emulator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """End each and say so."""
    running = [emulator for folder in FOLDERS if (emulator := Emulator(folder)).attach()]
    for emulator in running:
        port = emulator.port
        emulator.stop()
        print(f"ended the embedded AWS on port {port}")
    if not running:
        print("nothing runs")
    return 0
