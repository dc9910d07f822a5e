"""Rounds of a conversation: from an opening to its end, with turns, replies, ratings and owner."""

from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.policies.policy import ASSIGNED, BUSINESS, CALENDAR, DEFAULT_POLICY, FIRST_ANSWER, Policy

#: How a round ended; ends by silence and by age are derived.
RESOLVED, SILENCE, REOPENED, AGE = "resolved", "silence", "reopened", "age"


class Share(NamedTuple):
    """The part of a wait, in milliseconds, for which the conversation belonged to an agent.

    `open_ms` is its business time, where that is what the policy judges.
    """

    agent_id: str | None
    waited_ms: int
    open_ms: int | None = None

    @property
    def judged_ms(self) -> int:
        """The time that is judged."""
        return self.waited_ms if self.open_ms is None else self.open_ms


class Reply(NamedTuple):
    """A message of an agent that answered a waiting customer; `agent_id` is None where nobody knows who wrote it.

    `waited_ms` is None where either end is known to the day only; `waited_days` counts the midnights of the
    shop's clock between them.
    `waited_at_least_ms` is the shortest wait that the stamps allow: from an exact start to the beginning of the
    day of the answer. `shares` are the agents' parts of the wait. `open_ms` is the wait in business time, None for a
    shop that is always open and judges by the calendar. `judged_by` names the one of the two that is judged: on time
    within one limit, slow beyond the other. It is `provisional` where business time is judged and meets a year without
    a published decree. `began_at` is when the customer began to wait, None where only the day is known. `limit_ms` is
    the time that the target gives, None where the shop has declared none.
    """

    at: int
    agent_id: str | None
    waited_ms: int | None
    waited_days: int
    waited_at_least_ms: int | None
    shares: tuple[Share, ...] = ()
    open_ms: int | None = None
    on_time_within_ms: int = DEFAULT_POLICY.on_time_within_ms
    slow_beyond_ms: int = DEFAULT_POLICY.slow_beyond_ms
    provisional: bool = False
    began_at: int | None = None
    limit_ms: int | None = None
    judged_by: str = CALENDAR

    @property
    def judged_ms(self) -> int | None:
        """The time that is judged; None where the wait is not known."""
        return self.open_ms if self.judged_by == BUSINESS else self.waited_ms

    @property
    def over_ms(self) -> int | None:
        """By how much the judged time exceeds that of the target, 0 for an answer in time; None without a target."""
        if self.limit_ms is None or self.judged_ms is None:
            return None
        return max(0, self.judged_ms - self.limit_ms)


class Unanswered(NamedTuple):
    """A turn that ended without an answer, when, and the agent to whom the conversation belonged.

    It is `provisional`, and began, as a reply would.
    """

    at: int
    agent_id: str | None
    abandoned: bool
    provisional: bool = False
    began_at: int | None = None


class Rating(NamedTuple):
    """A rating of a round, of 5, and the agent whom it concerns."""

    at: int
    rating: int
    agent_id: str | None
    is_dissatisfied: bool


@dataclass(slots=True, eq=False, repr=False)
class Round:
    """One round; instants in epoch milliseconds.

    `is_reopening` says that it follows a resolution or began with a reopening. `end` is "" while the round runs; an end
    by silence or by age is derived. `begins` is the index of its first event, in order. One that `is_summary` stands
    for rounds whose events are not held any more. `is_quiet` says that neither a customer's message nor a complaint
    came since the last rating.
    """

    number: int
    opened_at: int
    opened_precision: str
    is_reopening: bool
    last_activity: int
    policy: Policy = DEFAULT_POLICY
    begins: int = 0
    is_summary: bool = False
    replies: list[Reply] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)
    transfers: list[int] = field(default_factory=list)
    complaints: list[int] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    customer_messages: int = 0
    agent_messages: int = 0
    bot_messages: int = 0
    assigned_agent: str | None = None
    last_writer: str | None = None
    resolver: str | None = None
    is_quiet: bool = False
    end: str = ""
    ended_at: int | None = None
    ended_precision: str = "ms"
    resolution_ms: int | None = None

    @property
    def last_replier(self) -> str | None:
        """The agent of the last reply, if it has one."""
        return self.replies[-1].agent_id if self.replies else None

    @property
    def owner(self) -> str | None:
        """The agent to whom the outcome belongs: by default the last who replied.

        Without a reply the assigned one, else the last who wrote, else who resolved it.
        """
        if not self.replies:
            return self.assigned_agent or self.last_writer or self.resolver
        if self.policy.owner == ASSIGNED:
            return self.assigned_agent or self.replies[-1].agent_id
        return self.replies[0 if self.policy.owner == FIRST_ANSWER else -1].agent_id

    @property
    def last_answer(self) -> Reply | None:
        """The reply to the last question, where its wait is known; None where nobody answered, or yet."""
        is_answered = self.replies and not self.unanswered and self.replies[-1].waited_ms is not None
        return self.replies[-1] if is_answered else None

    @property
    def is_resolved(self) -> bool:
        """Whether it ended by a resolution that counts: where the customer asked, somebody answered."""
        return self.end == RESOLVED and (bool(self.replies) or not self.unanswered)
