"""A turn: the wait of a customer, its pauses, and the agents to whom the conversation belonged meanwhile."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service_quality.conversations.local_time import UTC, on_the_clock, start_of_day
from service_quality.conversations.rounds import Reply, Share
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY
from service_quality.policies.policy import BUSINESS, Policy, Target

if TYPE_CHECKING:
    from service_quality.policies.business_time import BusinessTime

#: Spans of time, each from an instant to a later one.
Spans = Iterable[tuple[int, int]]
#: The pauses up to an instant, in order.
PausesUntil = Callable[[int], Sequence[tuple[int, int]]]


@dataclass(slots=True, eq=False, repr=False)
class Turn:
    """An open turn: when the customer began to wait, the policy by then, and since when it belongs to whom.

    `arrived_at` is when the question arrived: never before `since`.
    """

    since: int
    precision: str
    policy: Policy
    holders: list[tuple[int, str | None]] = field(default_factory=list)
    arrived_at: int = 0

    def reply(self, answer: InteractionEvent, pauses_until: PausesUntil, target: Target, *, first: bool) -> Reply:
        """The reply that ends the turn, the first of its round or a later one.

        A pause that lasts at the answer lasts on.
        """
        at, since = answer.occurred_at, self.since
        days = self.days_until(at, answer.precision)
        if answer.precision != "ms" or self.precision != "ms":
            return Reply(at, answer.agent_id, None, days, self._at_least(answer, pauses_until) if days else None)
        pauses = pauses_until(at)
        waited = at - since - overlap(since, at, pauses)
        limit = target.first_response_ms if first else target.next_reply_ms
        is_business = target.judged_by == BUSINESS
        return Reply(
            at,
            answer.agent_id,
            waited,
            days,
            waited,
            self._shares(answer, waited, pauses, is_business=is_business),
            self.open_between(since, at, pauses) if is_business or not self.policy.is_always_open else None,
            self.policy.on_time_within_ms if limit is None else limit,
            self.policy.slow_beyond_ms,
            is_business and self._meets_provisional_year(at),
            since,
            limit if self.policy.targets else None,
            target.judged_by,
        )

    @property
    def began_at(self) -> int | None:
        """When the customer began to wait; None where only the day is known."""
        return self.since if self.precision == "ms" else None

    def days_until(self, at: int, precision: str = "ms") -> int:
        """The midnights on the shop's clock between the start and an instant, which is not before it."""
        zone = self.policy.zone
        if zone == UTC:
            return at // DAY - self.since // DAY
        since = on_the_clock(self.since, self.precision, zone)
        return max(0, on_the_clock(at, precision, zone) // DAY - since // DAY)

    def _at_least(self, answer: InteractionEvent, pauses_until: PausesUntil) -> int | None:
        """The wait until an answer's day begins, less the pauses; None where only the day of the start is known.

        The day may begin behind the instant at which the answer stands: west of Greenwich days begin late.
        """
        if self.precision != "ms":
            return None
        zone = self.policy.zone
        began = start_of_day(on_the_clock(answer.occurred_at, answer.precision, zone) // DAY, zone)
        return began - self.since - overlap(self.since, began, pauses_until(began))

    def waited_at(self, at: int, pauses: Spans) -> int | None:
        """The wait up to an instant, less the pauses; None where the start is known to the day only."""
        return at - self.since - overlap(self.since, at, pauses) if self.precision == "ms" else None

    def paused_ms(self, at: int, pauses: Spans) -> int | None:
        """How much of the wait up to an instant is a pause; None without one, and where the start is a day alone."""
        return overlap(self.since, at, pauses) or None if self.precision == "ms" else None

    def limit_ms(self, target: Target, *, first: bool) -> int | None:
        """The time within which the turn is to be answered; None where the shop has declared none for it."""
        if not self.policy.targets:
            return None
        return target.first_response_ms if first else target.next_reply_ms

    def judged_at(self, at: int, pauses: Sequence[tuple[int, int]], target: Target) -> int | None:
        """The wait up to an instant in the time that its target counts; None as for `waited_at`."""
        if target.judged_by != BUSINESS:
            return self.waited_at(at, pauses)
        return self.open_between(self.since, at, pauses) if self.precision == "ms" else None

    def is_provisional(self, end: int, contact: Mapping[str, str | None]) -> bool:
        """Whether the wait up to an instant is judged in business time and meets a year without a published decree.

        `contact` are the attributes by which its target is chosen. False where the start is known to the day only.
        """
        if self.policy.holidays is None or self.precision != "ms":
            return False
        return self.policy.target_for(contact).judged_by == BUSINESS and self._meets_provisional_year(end)

    def _shares(
        self, answer: InteractionEvent, waited: int, pauses: Sequence[tuple[int, int]], *, is_business: bool
    ) -> tuple[Share, ...]:
        """Each agent's time, in order of first holding; the whole is the answering agent's where nobody was named."""
        at = answer.occurred_at
        named = {agent for _, agent in self.holders}
        if named in ({None}, {answer.agent_id}):
            return (Share(answer.agent_id, waited, self.open_between(self.since, at, pauses) if is_business else None),)
        held: dict[str | None, Share] = {}
        ends = [start for start, _ in self.holders[1:]] + [at]
        for (start, agent), end in zip(self.holders, ends, strict=True):
            if agent is not None:
                known = held.get(agent, Share(agent, 0, 0 if is_business else None))
                opened = None if known.open_ms is None else known.open_ms + self.open_between(start, end, pauses)
                held[agent] = Share(agent, known.waited_ms + end - start - overlap(start, end, pauses), opened)
        held.setdefault(answer.agent_id, Share(answer.agent_id, 0, 0 if is_business else None))
        return tuple(share for agent, share in held.items() if share.waited_ms or agent == answer.agent_id)

    def _meets_provisional_year(self, end: int) -> bool:
        if self.policy.holidays is None:
            return False
        from service_quality.policies.calendars import CalendarState  # noqa: PLC0415  # as for `business_time`

        return self.business_time().state_between(self.since, end) is CalendarState.PROVISIONAL

    def open_between(self, start: int, end: int, pauses: Spans) -> int:
        """The business time between two instants, less that of the pauses."""
        counted = self.business_time()
        within = ((max(start, since), min(end, until)) for since, until in pauses)
        return counted.between(start, end) - sum(counted.between(since, until) for since, until in within)

    def business_time(self) -> "BusinessTime":
        """The counter of the policy's business time."""
        from service_quality.policies.business_time import business_time  # noqa: PLC0415  # loads zones; few shops need it

        return business_time(self.policy)


def overlap(start: int, end: int, spans: Spans) -> int:
    """The milliseconds of a span of time that lie within other spans.

    >>> overlap(0, 10, [(2, 4), (8, 12)])
    4
    """
    return sum(max(0, min(end, to) - max(start, since)) for since, to in spans)
