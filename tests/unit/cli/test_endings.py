"""How a command ends."""

import os
import signal
import subprocess
import sys

import pytest

from cli.endings import exit_code_of, exit_line
from cli.paths import ROOT
from cli.progress import shorten

COMMAND = """
import os, signal
from cli.endings import run_until_ended
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # a test in the background inherits some as ignored
run_until_ended("job", lambda: {does}, ended="nothing is lost")
"""


def run(does: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(does=does)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_command_leaves_with_its_exit_code_and_says_nothing():
    ended = run("3")

    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_command_that_a_signal_ends_says_what_is_left(number):
    ended = run(f"os.kill(os.getpid(), {int(number)}) or 0")

    assert ended.returncode == 128 + number
    assert ended.stderr.startswith("job: ")
    assert ended.stderr.endswith("; nothing is lost\n")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("code", [0, 4, 130])
def test_exit_line_is_read_back(code):
    assert exit_code_of("jobs", exit_line("jobs", code)) == code
    assert exit_code_of("other", exit_line("jobs", code)) is None


def test_sign_of_life_is_cut_between_words():
    assert shorten("one two three", 9) == "one two …"
    assert shorten("one  two") == "one two"


def run_unread(*argv: str) -> subprocess.CompletedProcess[str]:
    """Python with a standard output whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, *argv],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions' / 'shared'}"},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    "printed", ["print('line', flush=True) or 0", "print('line') or 0", "1 if print('line') else 4"]
)
def test_command_whose_reader_has_gone_ends_without_a_word(printed):
    ended = run_unread("-c", COMMAND.format(does=printed))

    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("module", ["infra.operations", "model_export", "spark_jobs"])
def test_help_that_nobody_reads_ends_without_a_word(module):
    ended = run_unread("-m", module, "--help")

    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")
