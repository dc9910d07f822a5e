"""Entry point: python -m model_export."""

from cli.endings import run_until_ended
from model_export.command_line import main

if __name__ == "__main__":
    run_until_ended("model_export", main, ended="run again to go on")
