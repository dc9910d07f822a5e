"""Policy documents in files: every mistake is found here, before anything is put on a log."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from cli.yaml_files import YamlText, read_yaml
from infra.operations.errors import ArgumentsError, NotThereError
from infra.operations.mistakes import Mistake
from service_quality.alerts.shop_settings import instant_in_words
from service_quality.policies.calendars import calendar_warning, load_calendar
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import find_problems


class PolicyFile(NamedTuple):
    """A file's document as it is, and the policy that it says; `mistakes` are those of one that says none."""

    document: bytes
    policy: Policy | None
    mistakes: Sequence[Mistake] = ()


def read_policy_file(path: Path) -> PolicyFile:
    """The document of a file; NotThereError without the file, ArgumentsError for one that cannot be read."""
    try:
        document = path.read_bytes()
    except FileNotFoundError:
        raise NotThereError(f"found no file {path}, expected a policy in JSON") from None
    except OSError as error:
        raise ArgumentsError(f"{path}: {error.strerror}, expected a file that can be read") from None
    policy, problems = find_problems(document)
    text = read_yaml(document) if problems else None  # JSON is YAML, but for tabs
    return PolicyFile(document, policy, [Mistake(_line_of(one.path, text), *one) for one in problems])


def _line_of(path: str, text: YamlText | None) -> int | None:
    """The line of a path; None for the document as a whole, and where the text has a form of its own."""
    is_known = text is not None and not text.problems and path != "document"
    return text.line_of(path) if text is not None and is_known else None


def policy_line(policy: Policy) -> str:
    """A revision in a few words: its name, its instant in its own zone, and what it follows."""
    follows = f"follows {policy.follows}" if policy.follows else "the first"
    return f"revision {policy.revision}, from {instant_in_words(policy.valid_from, policy.zone)}, {follows}"


def calendar_lines(policy: Policy, today: date) -> Iterator[str]:
    """The state of the policy's calendar in this year and the next, and what to do where a decree is missing."""
    if policy.holidays is None:
        return
    calendar = load_calendar(policy.holidays)
    states = ", ".join(f"{year} {calendar.state_of(year).value}" for year in (today.year, today.year + 1))
    yield f"calendar {policy.holidays}: {states}"
    warning = calendar_warning(policy.holidays, today)
    if warning:
        yield f"warning: {warning}"
