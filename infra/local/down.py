"""End the embedded AWS of `up`, and one that a demo left, with all functions; what they held is gone."""

import argparse

from cli.locks import is_held
from infra.local.emulator import DEMO_FOLDER, DEMO_LOCK, FOLDERS, Emulator
from infra.local.errors import EmulatorError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--force", action="store_true", help="end that of a demo, too, that is still at work")


def run(arguments: argparse.Namespace) -> int:
    """End each and say so; EmulatorError where one was left to a demo at work."""
    in_use = is_held(DEMO_LOCK) and not arguments.force
    running = [emulator for folder in FOLDERS if (emulator := Emulator(folder)).attach()]
    ended = [emulator for emulator in running if not (in_use and emulator.folder == DEMO_FOLDER)]
    for emulator in ended:
        port = emulator.port
        emulator.stop()
        print(f"ended the embedded AWS on port {port}")
    if len(ended) < len(running):
        raise EmulatorError("found a demo at work, expected none; Ctrl-C where it runs ends it, or `down --force`")
    if not running:
        print("nothing runs")
    return 0
