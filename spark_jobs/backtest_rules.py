"""Say what rules would send: on an archived log, beside the rules in force, or each message of a small log of events.

With RULES the log of a lake or an archive is folded again on Spark (`rule_effects/over_the_log.py`); with --events a
file of events, without Spark.
"""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import BinaryIO

from cli.arguments import number_up_to_one
from service_quality.alerts.alert import Alert
from service_quality.errors import RejectedEventError, ServiceQualityError
from service_quality.instants import format_instant
from service_quality.policies.policy_document import parse_policy
from spark_jobs.backtest.arrival_order import find_disorder
from spark_jobs.backtest.backtest import Backtest, Folded
from spark_jobs.backtest.given_scores import GivenScore, NoScore
from spark_jobs.backtest.log_lines import LogLine, read_line
from spark_jobs.backtest.printing import JsonLines, Printing, RejectedLine, Text
from spark_jobs.backtest.turns_by_day import turns_ended_by_day
from spark_jobs.cards.running import begin_card, note_file, note_step, note_summary, run_with_card, warn
from spark_jobs.cards.steps import COMPUTE, READ
from spark_jobs.entry.arguments import JobParser, add_debug, empty_parser
from spark_jobs.entry.endings import Main
from spark_jobs.entry.policy_files import read_policy
from spark_jobs.entry.rule_files import read_rules_file
from spark_jobs.errors import InputError, JobError, MissingSourceError

_NAME = "backtest_rules"
_INPUT = "-"
_EVENTS = "--events"
#: The lines that the card names of those rejected for one reason.
_MOST_EXAMPLES = 3
_DESCRIPTION = """Folds canonical events in the order of their lines, by the commit, fold and rules of the functions, in
memory: no AWS, no lake, no Spark. The clock is that of the events, so a log of any day gives the same messages.

An event arrives at its received_at; one without it at its occurred_at, or at the end of its day (precision day). Events
of several shops may be mixed. Without --score events have no score, and rules about scores say nothing. Features come
from the log itself: there is no imported past. Ids are shown as they are.

A line that cannot be folded is named on the standard error, and the others go on; the exit code is then 1. Blank lines
are passed over."""
_JSON_HELP = """print JSON lines: {"type": "message", ...} with the alert as published, "line", "at" and "text" by
language; {"type": "rejected", ...}; {"type": "conversation", ...}"""


def main(arguments: Sequence[str]) -> None:
    """Entry point: a small log of events where one is named, else an archived log."""
    if is_of_events(arguments):
        run_on_events(arguments)
        return
    from spark_jobs.rule_effects import over_the_log  # noqa: PLC0415  # loads Spark

    over_the_log.main(arguments)


def run_job(main: Main, arguments: Sequence[str] | None = None) -> int:
    """Run the job, on Spark where it reads an archived log."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if is_of_events(given):
        return run_with_card(main, given)
    from spark_jobs import command_line  # noqa: PLC0415  # loads Spark

    return command_line.run_job(main, given)


def is_of_events(arguments: Sequence[str]) -> bool:
    """Whether the arguments name a file of events.

    >>> is_of_events(["--events", "-"]), is_of_events(["rules.yaml"])
    (True, False)
    """
    return any(word == _EVENTS or word.startswith(f"{_EVENTS}=") for word in arguments)


def run_on_events(arguments: Sequence[str]) -> None:
    """Read a line, fold it, print what it led to; at the end the conversations."""
    options = _parser().parse_args(arguments)
    scorer = NoScore() if options.score is None else GivenScore(options.score)
    policy = None if options.policy is None else read_policy(options.policy)
    begin_card(_NAME, vars(options))
    note_step(READ)
    note_file(options.events)
    with _open_log(options.events) as log:
        lines = [_read_line(number, data) for number, data in enumerate(log, start=1) if data.strip()]
    if not lines:
        raise InputError(f"found no line in {options.events}, expected canonical events, one a line")
    policies = () if policy is None else (parse_policy(policy),)
    readable = [line for line in lines if isinstance(line, LogLine)]
    disorder = find_disorder(readable)
    if disorder is not None:
        warn(_NAME, str(disorder))
    not_judged = turns_ended_by_day(readable, policies)
    rules = None if options.rules is None else read_rules_file(options.rules)
    text = Text(policies[0].zone) if policies else Text()
    run = _Run(Backtest(scorer, policy, rules, not_judged), JsonLines() if options.json else text)
    note_step(COMPUTE)
    try:
        for line in lines:
            run.take(line)
        run.end()
    finally:
        note_summary(run.counts())
    if options.conversations:
        run.print_conversations()
    run.print_summary()
    if run.rejected:
        raise JobError(f"found {run.rejected} rejected of {run.lines} lines, expected to fold every line")


def _parser() -> JobParser:
    parser = empty_parser(_NAME, _DESCRIPTION)
    parser.add_argument(
        _EVENTS, required=True, metavar="FILE.jsonl", help="canonical events in log order, one a line; - for input"
    )
    parser.add_argument(
        "--policy", metavar="FILE.json", help="the policy of the shops from the first line on (docs/policies.md)"
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="the rules of the shops (docs/rules.md), YAML or JSON; by default the shipped ones",
    )
    parser.add_argument("--score", type=score_argument, metavar="NUMBER", help="the score of every event, from 0 to 1")
    parser.add_argument(
        "--conversations",
        action="store_true",
        help="print what was understood of each conversation, after the messages",
    )
    parser.add_argument("--json", action="store_true", help=_JSON_HELP)
    add_debug(parser)
    return parser


def score_argument(text: str) -> float:
    """A probability from 0 to 1.

    >>> score_argument("0.9")
    0.9
    """
    return number_up_to_one(text, expected="a number from 0 to 1")


@dataclass(slots=True, eq=False, repr=False)
class _Run:
    """One run: folds lines, prints what they lead to, and counts."""

    backtest: Backtest
    printing: Printing
    lines: int = 0
    duplicates: int = 0
    messages: int = 0
    reached: int = 0
    #: The lines rejected for a reason.
    rejections: dict[str, list[int]] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """The number of rejected lines."""
        return sum(map(len, self.rejections.values()))

    @property
    def folded(self) -> int:
        """The number of lines that were folded."""
        return self.lines - self.rejected - self.duplicates - self.reached

    def take(self, line: LogLine | RejectedLine | None) -> None:
        """Fold a line and print its messages, or its rejection; a JobError names a line behind which nothing folds."""
        self.lines += 1
        if line is None:
            self.reached += 1
            return
        number = line.number
        if isinstance(line, RejectedLine):
            self._reject(line)
            return
        if line.unread:
            _warn(number, f"found fields that are not read: {', '.join(line.unread)}; the event counts without them")
        try:
            folded = self.backtest.fold(line)
        except ServiceQualityError as error:  # nothing behind this line can be folded
            raise JobError(f"line {number}: {error}") from error
        self._tell(number - 1, folded.reminders)
        self._tell(number, folded.messages)
        if folded.rejected is not None:
            self._reject(RejectedLine(number, folded.rejected.reason, folded.rejected.message))
        self._note(number, folded)
        self.duplicates += folded.duplicates

    def end(self) -> None:
        """Print the messages that the end of the log leads to: it ends rounds that have been silent for too long."""
        self._tell(self.lines, self.backtest.end())
        idle = self.backtest.idle_policy()
        if idle is not None:
            found = f"found a policy that is valid from {format_instant(idle.valid_from)} on, and no event so late"
            warn(_NAME, f"{found}; it judged nothing")

    def print_conversations(self) -> None:
        """Print what was understood of each conversation."""
        for described in self.backtest.describe_conversations():
            self._print(self.printing.conversation(described))

    def print_summary(self) -> None:
        """Print the counts."""
        dropped = f", {self.reached} reached stages dropped" if self.reached else ""
        self._print(
            self.printing.summary(
                f"{_NAME}: {self.lines} lines: {self.folded} folded, {self.duplicates} duplicates,"
                f" {self.rejected} rejected{dropped}; {self.messages} messages"
            )
        )

    def counts(self) -> dict[str, object]:
        """The figures of the run's card; of rejected lines the first of each reason."""
        return {
            "lines": self.lines,
            "folded": self.folded,
            "duplicates": self.duplicates,
            "reached": self.reached,
            "messages": self.messages,
            "rejected": {reason: len(lines) for reason, lines in self.rejections.items()},
            "first_lines": {
                reason: ", ".join(map(str, lines[:_MOST_EXAMPLES])) for reason, lines in self.rejections.items()
            },
        }

    def _tell(self, number: int, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._print(self.printing.message(number, alert))
        self.messages += len(alerts)

    def _reject(self, line: RejectedLine) -> None:
        self.rejections.setdefault(line.reason, []).append(line.number)
        _warn(line.number, f"{line.message} ({line.reason})")
        self._print(self.printing.rejected(line))

    def _note(self, number: int, folded: Folded) -> None:
        """Say on the standard error what a line did not lead to."""
        if folded.duplicates:
            _warn(number, "found the id of an event that was folded before, expected a new one; it changes nothing")
        odd = [name for name in folded.odd if name != "occurred_at"]
        if odd:
            _warn(number, f"found values of {', '.join(odd)} that cannot be used; the event counts without them")
        if "occurred_at" in folded.odd:
            _warn(number, "found an instant behind the event's arrival; the event counts at its arrival")
        for failure in folded.failures:
            at = failure.fields()
            _warn(number, f"{at['stage']} {at['subject']} failed with {at['error_type']} at {at['stack']}")

    def _print(self, text: str) -> None:
        if text:
            print(text, flush=True)


def _read_line(number: int, data: bytes) -> LogLine | RejectedLine | None:
    """A line, or why there is no record in it; None for a reached stage."""
    try:
        return read_line(number, data)
    except RejectedEventError as error:
        return RejectedLine(number, error.reason, str(error))


def _warn(number: int, text: str) -> None:
    print(f"{_NAME}: line {number}: {text}", file=sys.stderr, flush=True)


def _open_log(name: str) -> AbstractContextManager[BinaryIO]:
    """The bytes of the log: of a file, or of the standard input."""
    if name == _INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return open(name, "rb")
    except FileNotFoundError:
        raise MissingSourceError(f"found no file {name}, expected canonical events, one a line") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}, expected a file that can be read") from None


if __name__ == "__main__":
    sys.exit(run_job(main))
