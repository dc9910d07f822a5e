"""The parser of a job's command line, and the exit codes that its help lists."""

import argparse
from typing import NoReturn

from spark_jobs.errors import ArgumentError

DEBUG = "--debug"
EXIT_CODES = """exit codes:
  0  done
  1  anything else, such as a check that found something, or Spark that does not start
  2  wrong arguments
  3  input that is not what the job reads
  4  a file, folder or table that is not there"""


class JobParser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line, like every other failure of a job."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message} (see --help)")


def empty_parser(name: str, description: str) -> JobParser:
    """A parser without arguments, whose help ends with the exit codes."""
    return JobParser(
        prog=f"python -m spark_jobs {name}",
        description=description,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_debug(group: argparse._ActionsContainer) -> None:
    """Add the option that shows the stack trace of a failure."""
    group.add_argument(DEBUG, action="store_true", help="show the stack trace of a failure")
