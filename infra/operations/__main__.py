"""Entry point: python -m infra.operations."""

from cli.endings import run_until_ended
from infra.operations.command_line import main

if __name__ == "__main__":
    run_until_ended("infra.operations", main, ended="run again to go on, nothing is lost or doubled")
