"""Every job is in JOBS and says what it does: a sentence, a description, a help for each argument."""

import argparse
import ast
import importlib
from collections.abc import Sequence

import pytest

from cli.paths import ROOT
from spark_jobs.__main__ import JOBS, first_sentence
from spark_jobs.entry.arguments import JobParser


class ParserBuiltError(Exception):
    """Raised with a job's parser where the job would parse its arguments, before it starts Spark."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__(parser.prog)
        self.parser = parser


@pytest.fixture
def parser_of(monkeypatch):
    """The parser that a job builds, by the job's name."""

    def stop(parser: JobParser, arguments: Sequence[str]) -> argparse.Namespace:
        raise ParserBuiltError(parser)

    def build(job: str) -> argparse.ArgumentParser:
        with pytest.raises(ParserBuiltError) as built:
            importlib.import_module(f"spark_jobs.{job}").main([])
        return built.value.parser

    monkeypatch.setattr(JobParser, "parse_args", stop)
    return build


def has_main(source: str) -> bool:
    """Whether a module defines `main`."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in ast.parse(source).body)


def test_every_module_with_a_main_is_a_job():
    modules = {
        path.stem: path.read_text("utf-8") for path in (ROOT / "spark_jobs").glob("*.py") if path.stem != "__main__"
    }
    found = {name for name, source in modules.items() if has_main(source)}

    assert found == {*JOBS}, (
        f"found {', '.join(sorted(found ^ {*JOBS}))} as a module or in JOBS alone, expected both:"
        " enter a job in JOBS of spark_jobs/__main__.py"
    )


@pytest.mark.parametrize("job", JOBS)
def test_job_says_in_one_sentence_what_it_does(job):
    assert first_sentence(job).endswith("."), f"spark_jobs/{job}.py: found no sentence in the docstring's first line"


@pytest.mark.parametrize("job", JOBS)
def test_job_describes_itself_and_each_argument(job, parser_of):
    parser = parser_of(job)

    assert parser.prog == f"python -m spark_jobs {job}"
    assert (parser.description or "").strip(), f"spark_jobs/{job}.py: found no description, expected one in job_parser"
    silent = [action.dest for action in parser._actions if not action.help]
    assert not silent, f"spark_jobs/{job}.py: found no help for {', '.join(silent)}, expected one for each argument"
