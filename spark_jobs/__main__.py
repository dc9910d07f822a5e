"""Run a job by name: `python -m spark_jobs JOB …`; `--help` lists the jobs.

Several jobs, each behind a word `then`, run one after the other on the same Spark, which starts once. With `-` the
arguments of such runs are read line by line from the standard input, for as long as it lasts.
"""

import ast
import importlib
import shlex
import sys
from importlib import resources

from cli.endings import exit_line
from cli.output import until_reader_goes
from cli.version import OPTION, version
from spark_jobs.cards import runs
from spark_jobs.entry.arguments import EXIT_CODES
from spark_jobs.entry.endings import run_job

JOBS = (
    "import_events",
    "generate_shop",
    "build_training_set",
    "train_model",
    "materialize_histories",
    "rebuild_state",
    "check_consistency",
    "export_events",
    "evaluate_scores",
    "fold_archive",
    "judge_candidate",
    "score_customers",
    "backtest_rules",
    "assess_standards",
)
THEN = "then"
FROM_INPUT = "-"
RUNS = "runs"  # no job, but what is said of them
NAME = "spark_jobs"


def main(arguments: list[str]) -> int:
    """Run the named jobs, or those that the standard input names; return the exit code of the last run."""
    if arguments != [FROM_INPUT]:
        return run_chain(arguments)
    code = 0
    for line in sys.stdin:
        code = run_chain(shlex.split(line))
        print(exit_line(NAME, code), flush=True)  # for the writer of the input
    return code


def run_chain(arguments: list[str]) -> int:
    """Run the named jobs in their order; return the exit code of the last, or of the first that failed."""
    jobs = split_jobs(arguments)
    if len(jobs) > 1 and [] in jobs:
        print(f"spark_jobs: found a {THEN!r} without a job on each side, expected JOB then JOB", file=sys.stderr)
        return 2
    code = 0
    for given in jobs:
        code = run_one(given)
        if code:
            break
    return code


def split_jobs(arguments: list[str]) -> list[list[str]]:
    """The arguments of each job.

    >>> split_jobs(["a", "--x", "1", "then", "b"])
    [['a', '--x', '1'], ['b']]
    """
    jobs: list[list[str]] = [[]]
    for word in arguments:
        if word == THEN:
            jobs.append([])
        else:
            jobs[-1].append(word)
    return jobs


def run_one(arguments: list[str]) -> int:
    """Run the named job with the rest of the arguments; return its exit code."""
    if not arguments:
        print(f"{NAME}: found no job, expected one of: {', '.join(JOBS)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    if name in ("-h", "--help"):
        print(overview())
        return 0
    if name == OPTION:
        print(version())
        return 0
    if name == RUNS:
        return run_job(runs.main, rest)
    if name not in JOBS:
        print(f"spark_jobs: found '{name}', expected one of: {', '.join(JOBS)}", file=sys.stderr)
        return 2
    job = importlib.import_module(f"spark_jobs.{name}")
    code: int = job.run_job(job.main, rest)  # each job imports the `run_job` of its kind: one of them needs no Spark
    return code


def overview() -> str:
    """The jobs, each with the first line of its description."""
    width = max(map(len, JOBS))
    lines = [f"  {name:{width}}  {first_sentence(name)}" for name in JOBS]
    return "\n".join(
        [
            f"usage: python -m spark_jobs JOB [--help] … [{THEN} JOB …]   (or `{FROM_INPUT}`: read them from input)",
            "",
            "jobs:",
            *lines,
            "",
            f"  {RUNS:{width}}  {first_sentence(f'cards/{RUNS}')}",
            "",
            EXIT_CODES,
        ]
    )


def first_sentence(name: str) -> str:
    """The description of a job's module, read without importing it."""
    source = resources.files("spark_jobs").joinpath(f"{name}.py")
    if not source.is_file():
        return "(not in this version)"
    return (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").partition("\n")[0]


if __name__ == "__main__":
    try:
        sys.exit(until_reader_goes(lambda: main(sys.argv[1:])))
    except KeyboardInterrupt:  # between two jobs, or while one is imported
        print(f"{NAME}: interrupted", file=sys.stderr)
        sys.exit(130)
