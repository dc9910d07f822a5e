"""The silence that ends a round: a day on which the shop does not open at all is no part of it."""

from functools import lru_cache

from service_quality.policies.local_days import MINUTES_OF_DAY
from service_quality.policies.policy import Policy, Shifts


def is_over_by_silence(policy: Policy, last_activity: int, at: int) -> bool:
    """Whether more than the declared silence lies between a round's last activity and an instant.

    >>> from service_quality.policies.policy import DEFAULT_POLICY
    >>> is_over_by_silence(DEFAULT_POLICY, 0, DEFAULT_POLICY.ends_after_ms)
    False
    """
    return at - last_activity > policy.ends_after_ms and at > silence_ends_at(policy, last_activity)


def silence_ends_at(policy: Policy, last_activity: int) -> int:
    """The last instant of the silence; by the calendar alone for a shop that never opens."""
    ends_at = last_activity + policy.ends_after_ms
    if policy.is_always_open:
        return ends_at
    from service_quality.policies.business_time import business_time  # noqa: PLC0415  # loads zones; few shops need it

    counted = business_time(_open_on_whole_days(policy))
    return counted.instant_after(last_activity, policy.ends_after_ms) or ends_at


@lru_cache(maxsize=256)
def _open_on_whole_days(policy: Policy) -> Policy:
    """The policy of a shop that is open all day wherever it opens at all."""
    week = policy.opening and tuple(_whole_day(shifts) for shifts in policy.opening)
    own_days = tuple((day, _whole_day(shifts)) for day, shifts in policy.own_days)
    return policy._replace(opening=week, own_days=own_days)


def _whole_day(shifts: Shifts) -> Shifts:
    return ((0, MINUTES_OF_DAY),) if shifts else ()
