"""The command line of the jobs that run on Spark: arguments, the summary, one line and an exit code on failure."""

import argparse
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from cli.arguments import whole_number
from cli.atomic_write import write_json
from cli.signals import end_children
from service_quality.instants import parse_instant
from spark_jobs.cards.running import THREAD, begin_card, note_summary, run_with_card
from spark_jobs.entry import endings
from spark_jobs.entry.arguments import JobParser, add_debug, empty_parser
from spark_jobs.entry.endings import Main, was_interrupted
from spark_jobs.errors import InputError, JobError, MissingSourceError
from spark_jobs.session.start import CATALOGS, start_session

DEFAULT_LAKE = "build/lake"
MISSING = {"TABLE_OR_VIEW_NOT_FOUND", "PATH_NOT_FOUND", "SCHEMA_NOT_FOUND"}
UNREAD_FILE = re.compile(r"FAILED_READ_FILE.*? file (\S+?)\.?\s")
MISSING_PATH = re.compile(r"Path does not exist: (?:file:)?(\S+?)\.?$")
NO_CREDENTIALS = re.compile(r"NoAuthWithAWSException|NoAwsCredentialsException|Unable to load credentials")
MISSING_BUCKET = re.compile(r"NoSuchBucket|UnknownStoreException|Bucket does not exist")
REPEATING_LOGGERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")  # print the traceback, too
SQL_STATE = re.compile(r"\s*SQLSTATE: \w{5}$")
RAISED_INPUT_ERROR = f"{InputError.__module__}.{InputError.__name__}: "
#: The help of the argument that says where the log ends.
AS_OF_HELP = "what was in the log by this day or instant, which is excluded"
WRONG_COLUMNS = {"UNRESOLVED_COLUMN", "FIELD_NOT_FOUND", "DATATYPE_MISMATCH", "INCOMPATIBLE_DATA_FOR_TABLE"}


def job_parser(name: str, description: str) -> JobParser:
    """A parser with the arguments of every job: the lake, Spark's master, the summary's file."""
    parser = empty_parser(name, description)
    common = parser.add_argument_group("every job")
    common.add_argument(
        "--lake", default=DEFAULT_LAKE, metavar="PATH", help="folder, s3a:// or s3:// of the lake (%(default)s)"
    )
    common.add_argument(
        "--catalog", default=CATALOGS[0], choices=CATALOGS, help="what keeps the tables: the folder itself, or Glue"
    )
    common.add_argument(
        "--master", metavar="URL", help="where Spark runs (SPARK_MASTER, else local[2]; spark-submit's own there)"
    )
    common.add_argument("--json", type=Path, metavar="FILE", help="write the summary as JSON too")
    add_debug(common)
    return parser


def session_for(options: argparse.Namespace, name: str) -> SparkSession:
    """The session of the common arguments."""
    logging.getLogger().addFilter(is_no_interrupt)
    try:
        session = start_session(name, lake=options.lake, catalog=options.catalog, master=options.master)
    except KeyboardInterrupt:
        end_children()  # a Java that is not up yet would stay
        raise
    if options.debug:
        session.sparkContext.setLogLevel("ERROR")
    for logger in REPEATING_LOGGERS:
        PySparkLogger.getLogger(logger).setLevel("ERROR" if options.debug else "CRITICAL")
    begin_card(name, vars(options), lambda: progress_of(session))
    return session


def progress_of(session: SparkSession) -> dict[str, int] | None:
    """The tasks of the latest stage that runs; None between stages, and once Spark has ended."""
    try:
        tracker = session.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in sorted(tracker.getActiveStageIds())]
    except (Py4JError, AttributeError, OSError):  # Spark ends while it is asked
        return None
    found = [stage for stage in stages if stage is not None]
    if not found:
        return None
    latest = found[-1]
    return {"stage": latest.stageId, "tasks": latest.numTasks, "done": latest.numCompletedTasks}


def is_no_interrupt(record: logging.LogRecord) -> bool:
    """Whether a log record is about anything but a Ctrl-C during a call of Java, which py4j logs.

    Nor is one that comes of the card's thread: it asks Spark until Spark ends, and the run says why that was.
    """
    return record.threadName != THREAD and (record.exc_info is None or not was_interrupted(record.exc_info[1]))


def instant_argument(text: str) -> int:
    """Epoch milliseconds of a day (its beginning, UTC) or of an instant with a zone.

    >>> instant_argument("1970-01-02")
    86400000
    """
    try:
        return parse_instant(f"{text}T00:00:00Z") if len(text) == len("YYYY-MM-DD") else parse_instant(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found '{text}', expected YYYY-MM-DD or an ISO 8601 instant with a zone"
        ) from None


def add_as_of(parser: JobParser) -> None:
    """Add the argument that says where the log ends for a job (logs.log_prefix); without it the job reads all of it."""
    help_text = f"{AS_OF_HELP} (default: all of it)"
    parser.add_argument("--as-of", type=instant_argument, metavar="DAY", help=help_text)


def day_argument(text: str) -> int:
    """Epoch milliseconds of the beginning of a UTC day.

    >>> day_argument("1970-01-02")
    86400000
    """
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise argparse.ArgumentTypeError(f"found '{text}', expected a day as YYYY-MM-DD") from None


def positive_argument(text: str) -> int:
    """A whole number of at least one."""
    return whole_number(text, least=1)


def count_argument(text: str) -> int:
    """A whole number of at least zero."""
    return 0 if text == "0" else positive_argument(text)


def print_summary(line: str, summary: Mapping[str, object], *, file: Path | None) -> None:
    """Print a summary of one line; with a file, write the figures there too."""
    note_summary(summary)
    if file is not None:
        write_json(file, summary)
    print(line, flush=True)


def run_job(main: Main, arguments: Sequence[str] | None = None) -> int:
    """Run a job and return its exit code; a failure, also one of Spark, is one line on the standard error.

    Once its session has begun the run has a card (cards/card.py), which ends as the run does.
    """
    return run_with_card(main, arguments, explain=explain)


def explain(error: BaseException) -> JobError:
    """Any failure as a JobError with one sentence."""
    if isinstance(error, AnalysisException):
        return explain_analysis(error)
    if isinstance(error, Py4JJavaError):
        return explain_engine(java_messages(error))
    if isinstance(error, Py4JError):
        return JobError(f"Spark ended or was interrupted during a call: {error}")
    if isinstance(error, PySparkException):
        return explain_engine([str(error)])
    return endings.explain(error)


def explain_analysis(error: AnalysisException) -> JobError:
    """The error of a plan that Spark refuses: for a missing table or path, for a wrong column, or any other."""
    condition = (error.getCondition() or "").partition(".")[0]
    message = SQL_STATE.sub("", first_line(str(error)).partition("] ")[2] or first_line(str(error)))
    if missing := MISSING_PATH.match(message):
        return MissingSourceError(f"found nothing at {missing.group(1)}, expected a file or folder there")
    if condition in MISSING:
        return MissingSourceError(message.partition(" Verify the spelling")[0])
    return InputError(message) if condition in WRONG_COLUMNS else JobError(f"Spark refused: {message}")


def explain_engine(messages: Sequence[str]) -> JobError:
    """The error of a failure in Spark, from its messages, the innermost last: an unreadable file, or any other."""
    cause = first_line(messages[-1])
    if "Traceback (most recent call last)" in messages[-1]:  # of Python in an executor: the error is at its end
        cause = [line.strip() for line in messages[-1].splitlines() if line.strip()][-1]
        if cause.startswith(RAISED_INPUT_ERROR):
            return InputError(cause.removeprefix(RAISED_INPUT_ERROR))
    unread = next((found for found in map(UNREAD_FILE.search, messages) if found), None)
    if unread:
        return InputError(f"{unread.group(1)} cannot be read: {cause}")
    if any(MISSING_BUCKET.search(message) for message in messages):
        return MissingSourceError(cause)
    if any(NO_CREDENTIALS.search(message) for message in messages):
        return JobError("found no AWS credentials, expected AWS_PROFILE, a role, or AWS_ACCESS_KEY_ID and its secret")
    return JobError(f"Spark failed: {cause}")


def java_messages(error: Py4JJavaError) -> list[str]:
    """The messages of a failed call's chain of causes, the innermost last."""
    messages, cause = [], error.java_exception
    while cause is not None:
        messages.append(str(cause.toString()))
        cause = cause.getCause()
    return messages


def first_line(text: str) -> str:
    """The first line that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")
