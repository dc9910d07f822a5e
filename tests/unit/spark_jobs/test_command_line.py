"""The output of a job that cannot go on: one line and an exit code."""

import argparse
import json
import logging

import pytest
from pyspark.errors import AnalysisException

from service_quality.errors import ModelError
from spark_jobs.__main__ import main as run_named
from spark_jobs.command_line import (
    day_argument,
    explain_engine,
    instant_argument,
    is_no_interrupt,
    job_parser,
    positive_argument,
    print_summary,
    run_job,
)
from spark_jobs.errors import ArgumentError, InputError, MissingSourceError, SessionError


def failing(error):
    def main(arguments):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArgumentError("a"), 2),
        (InputError("a"), 3),
        (MissingSourceError("a"), 4),
        (SessionError("a"), 1),
        (ModelError("a"), 1),
        (OSError("a"), 1),
        (KeyError("a"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_failure_is_one_line_and_an_exit_code(error, code, capsys):
    assert run_job(failing(error), []) == code

    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert "Traceback" not in printed.err


def test_failure_that_quotes_several_lines_stays_one(capsys):
    run_job(failing(InputError("found 'a\nb'\r\nexpected c")), [])

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_debug_shows_where(capsys):
    run_job(failing(KeyError("a")), ["--debug"])

    assert "Traceback" in capsys.readouterr().err


def test_job_that_ends_well_gives_zero():
    assert run_job(lambda arguments: None, []) == 0


def test_bad_argument_is_one_line(capsys):
    def main(arguments):
        job_parser("some_job", "").parse_args(arguments)

    assert run_job(main, ["--catalog", "hive"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_overview_names_the_jobs(capsys):
    assert run_named(["--help"]) == 0
    assert "import_events" in capsys.readouterr().out


def test_no_job_is_a_wrong_argument(capsys):
    assert run_named([]) == 2
    assert "found no job, expected one of: import_events" in capsys.readouterr().err


def test_unknown_job_is_one_line(capsys):
    assert run_named(["import_everything"]) == 2
    assert "found 'import_everything', expected one of: import_events" in capsys.readouterr().err


def test_summary_is_written_where_it_is_wanted(tmp_path, capsys):
    print_summary("done", {"events": 3}, file=tmp_path / "deep" / "summary.json")

    assert capsys.readouterr().out == "done\n"
    assert json.loads((tmp_path / "deep" / "summary.json").read_text()) == {"events": 3}


def test_instant_needs_a_zone():
    assert instant_argument("2023-08-24T02:00:00+02:00") == instant_argument("2023-08-24")
    with pytest.raises(argparse.ArgumentTypeError):
        instant_argument("2023-08-24T02:00:00")


@pytest.mark.parametrize("text", ["24/08/2023", "2023-13-01", "yesterday"])
def test_day_is_written_as_iso(text):
    with pytest.raises(argparse.ArgumentTypeError):
        day_argument(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many"])
def test_count_is_a_positive_whole_number(text):
    with pytest.raises(argparse.ArgumentTypeError):
        positive_argument(text)


def test_failure_while_a_ctrl_c_is_put_away_is_an_interruption(capsys):
    def main(arguments):
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError("Java is gone")

    assert run_job(main, []) == 130
    assert capsys.readouterr().err.strip().endswith(": interrupted")


def test_log_of_a_ctrl_c_is_left_out_and_others_are_not():
    def record(error):
        return logging.LogRecord("root", logging.ERROR, "", 0, "while sending", None, (type(error), error, None))

    assert not is_no_interrupt(record(KeyboardInterrupt()))
    assert is_no_interrupt(record(OSError()))
    assert is_no_interrupt(logging.LogRecord("root", logging.ERROR, "", 0, "", None, None))


@pytest.mark.parametrize("argv", [["then"], ["--help", "then"], ["then", "--help"]])
def test_then_without_a_job_on_each_side_is_refused(argv, capsys):
    assert run_named(argv) == 2
    assert "found a 'then' without a job on each side" in capsys.readouterr().err


def test_missing_path_is_named_without_the_words_of_spark(capsys):
    missing = AnalysisException("[PATH_NOT_FOUND] Path does not exist: file:/data/nowhere. SQLSTATE: 42K03")

    assert run_job(failing(missing), []) == 4
    assert "found nothing at /data/nowhere, expected a file or folder there" in capsys.readouterr().err


def test_missing_credentials_are_named_without_a_class_of_java():
    words = ["org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: no auth", "Unable to load credentials from any"]

    assert str(explain_engine(words)).startswith("found no AWS credentials, expected ")
