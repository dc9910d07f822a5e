"""Policy documents: JSON of at most 64 KB, taken whole or rejected with every mistake at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from service_quality.errors import RejectedPolicyError
from service_quality.instants import DAY, HOUR, SECOND
from service_quality.policies import document_values as values
from service_quality.policies.calendars import FILES
from service_quality.policies.document_values import JsonObject, Problem, Problems, Value
from service_quality.policies.json_documents import read_json_object
from service_quality.policies.local_days import WEEKDAYS
from service_quality.policies.opening_hours import read_opening, read_own_days
from service_quality.policies.policy import BEST_RATING, DEFAULT_POLICY, OWNERS, WORST_RATING, Policy
from service_quality.policies.targets import read_rating_scale, read_targets

REQUIRED = ("revision", "valid_from")
KEYS = (
    *("revision", "valid_from", "follows", "zone", "currency", "opening", "holidays", "make_up_days_as", "own_days"),
    *("targets", "rating_scale", "dissatisfied_at_most", "ends_after", "owner", "pauses_when", "answer_tolerance"),
    *("on_time_within", "slow_beyond"),
)
LONGEST, LONGEST_TOLERANCE = 30 * DAY, HOUR


class _Fields(NamedTuple):
    """The keys of a document; one that is absent has its default."""

    problems: Problems
    given: JsonObject

    def read(self, key: str, default: Value, *, by: Callable[[object], Value], expected: str) -> Value:
        """The value of a key."""
        if key not in self.given:
            return default
        return self.problems.read(key, self.given[key], by=by, expected=expected, fallback=default)

    def text(self, key: str, default: str) -> str:
        """A name."""
        return self.read(key, default, by=values.text, expected=f"a text of 1 to {values.LONGEST_TEXT} characters")

    def word(self, key: str, default: str, words: tuple[str, ...]) -> str:
        """One of the declared words."""
        if key not in self.given:
            return default
        return self.problems.read_word(key, self.given[key], words=words, fallback=default)

    def duration(self, key: str, default: int, *, lowest: int = SECOND, highest: int = LONGEST) -> int:
        """A duration in milliseconds."""
        return self.read(key, default, by=values.duration(lowest, highest), expected=values.durations(lowest, highest))


def parse_policy(document: bytes) -> Policy:
    """The policy of a document; RejectedPolicyError names every mistake in it."""
    policy, problems = find_problems(document)
    if policy is None:
        raise RejectedPolicyError([str(one) for one in problems])
    return policy


def find_problems(document: bytes) -> tuple[Policy | None, Sequence[Problem]]:
    """The policy of a document and no mistake; None, and every mistake, of one that has any."""
    problems = Problems()
    given = read_json_object(document, problems.add)
    if given is None:
        return None, problems.found
    for key in (key for key in REQUIRED if key not in given):
        problems.add(key, "nothing", "a value")
    policy = _read_policy(_Fields(problems, problems.object_at("", given, known=KEYS)))
    _check_together(problems, policy)
    return (None, problems.found) if problems.found else (policy, ())


def _read_policy(fields: _Fields) -> Policy:
    default, problems, given = DEFAULT_POLICY, fields.problems, fields.given
    make_up_days_as = fields.word("make_up_days_as", WEEKDAYS[default.make_up_days_as], WEEKDAYS)
    return Policy(
        revision=fields.text("revision", ""),
        valid_from=fields.read("valid_from", 0, by=values.instant, expected="an ISO 8601 instant with a zone"),
        follows=fields.text("follows", "") or None,
        zone=fields.read("zone", default.zone, by=values.zone, expected="a time zone such as Asia/Shanghai"),
        currency=fields.read("currency", default.currency, by=values.currency, expected=values.CURRENCY),
        opening=read_opening(problems, given.get("opening")),
        holidays=fields.word("holidays", "", tuple(FILES)) or None,
        make_up_days_as=WEEKDAYS.index(make_up_days_as),
        own_days=read_own_days(problems, given.get("own_days", {})),
        targets=read_targets(problems, given.get("targets", []), longest=LONGEST),
        rating_scale=read_rating_scale(problems, given.get("rating_scale", {})) or default.rating_scale,
        dissatisfied_at_most=fields.read(
            "dissatisfied_at_most",
            default.dissatisfied_at_most,
            by=values.integer(WORST_RATING, BEST_RATING - 1),
            expected=f"a whole number from {WORST_RATING} to {BEST_RATING - 1}",
        ),
        ends_after_ms=fields.duration("ends_after", default.ends_after_ms),
        owner=fields.word("owner", default.owner, OWNERS),
        pauses_when=fields.read("pauses_when", (), by=values.texts, expected="an array of different statuses"),
        answer_tolerance_ms=fields.duration(
            "answer_tolerance", default.answer_tolerance_ms, lowest=0, highest=LONGEST_TOLERANCE
        ),
        on_time_within_ms=fields.duration("on_time_within", default.on_time_within_ms),
        slow_beyond_ms=fields.duration("slow_beyond", default.slow_beyond_ms),
    )


def _check_together(problems: Problems, policy: Policy) -> None:
    if policy.revision and policy.follows == policy.revision:
        problems.add("follows", "the policy's own revision", "the revision before it")
    if policy.slow_beyond_ms < policy.on_time_within_ms:
        problems.add("slow_beyond", "less than on_time_within", "at least as much")
