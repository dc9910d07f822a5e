"""How a job ends: with 0, or with one line on the standard error and an exit code."""

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.endings import one_line
from service_quality.errors import ServiceQualityError
from spark_jobs.entry.arguments import DEBUG
from spark_jobs.errors import JobError

Main = Callable[[Sequence[str]], None]


def explain(error: BaseException) -> JobError:
    """Any failure as a JobError with one sentence."""
    if isinstance(error, JobError):
        return error
    if isinstance(error, ServiceQualityError | OSError):
        return JobError(str(error))
    return JobError(f"{type(error).__name__}: {error} (a fault of the job; {DEBUG} shows where)")


def run_job(
    main: Main, arguments: Sequence[str] | None = None, *, explain: Callable[[BaseException], JobError] = explain
) -> int:
    """Run a job and return its exit code (EXIT_CODES; 130 when interrupted).

    A failure is one line on the standard error, and its details below, never a stack trace; `explain` makes a JobError
    of it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = main.__module__.rpartition(".")[2] if main.__module__ != "__main__" else Path(sys.argv[0]).stem
    try:
        main(given)
    except (KeyboardInterrupt, Exception) as error:
        if was_interrupted(error):
            print(f"{name}: interrupted", file=sys.stderr)
            return 130
        if DEBUG in given:
            traceback.print_exc()
        failure = explain(error)
        print(f"{name}: {one_line(failure)}", *(f"  {one}" for one in failure.details), sep="\n", file=sys.stderr)
        return failure.exit_code
    return 0


def was_interrupted(error: BaseException | None) -> bool:
    """Whether a Ctrl-C is an error or its cause: code that cleans up after it may find Java gone."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
