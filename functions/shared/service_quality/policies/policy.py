"""The policy of a shop: what it declares of time, targets and scales, from an instant on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service_quality.instants import DAY, MINUTE

#: Whose time a target counts: all of it, or that within opening hours.
CALENDAR, BUSINESS = "calendar", "business"
JUDGED_BY = (CALENDAR, BUSINESS)
#: The agent who owns a conversation's outcome.
LAST_ANSWER, FIRST_ANSWER, ASSIGNED = "last_answer", "first_answer", "assigned"
OWNERS = (LAST_ANSWER, FIRST_ANSWER, ASSIGNED)
#: The attributes by which a target is chosen.
CONDITIONS = ("channel", "category", "priority", "customer_tier")
#: Ratings are judged on this scale, whatever the shop's own is.
WORST_RATING, BEST_RATING = 1, 5

_LONGEST_NUMBER = 9

#: Opening and closing in minutes of the local day; a shift over midnight closes after minute 1,440.
Shift = tuple[int, int]
Shifts = tuple[Shift, ...]


class Target(NamedTuple):
    """How soon a customer is answered, at first and later, in milliseconds; None is not judged."""

    first_response_ms: int | None
    next_reply_ms: int | None
    judged_by: str = CALENDAR
    #: (attribute, accepted values), all of which must hold.
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def meets(self, attributes: Mapping[str, str | None]) -> bool:
        """Whether a contact with these attributes has this target."""
        return all(attributes.get(name) in accepted for name, accepted in self.when)


class RatingScale(NamedTuple):
    """What a given rating means: first by the table of names, then between the worst and the best number.

    `worst` may be the larger one, as in school marks; both are None where only names are given.
    """

    worst: int | None = WORST_RATING
    best: int | None = BEST_RATING
    names: tuple[tuple[str, int], ...] = ()


class Policy(NamedTuple):
    """One revision of a shop's policy; durations in milliseconds, instants in UTC epoch milliseconds."""

    revision: str
    valid_from: int
    #: The revision that this one follows; None for the first.
    follows: str | None = None
    zone: str = "UTC"
    #: Of amounts whose events state none, by ISO 4217; None is unknown.
    currency: str | None = None
    #: Shifts from Monday to Sunday; None is always open.
    opening: tuple[Shifts, ...] | None = None
    #: The calendar of holidays and make-up working days; None is a shop that keeps none.
    holidays: str | None = None
    #: The day of the week whose shifts a make-up working day has, 0 for Monday.
    make_up_days_as: int = 0
    #: Days with shifts of their own, as days since 1970-01-01; no shift is a closed day. They precede the calendar.
    own_days: tuple[tuple[int, Shifts], ...] = ()
    #: In order: the first that meets counts.
    targets: tuple[Target, ...] = ()
    rating_scale: RatingScale = RatingScale()
    #: A rating up to this, on the scale of 1 to 5, is dissatisfied.
    dissatisfied_at_most: int = 3
    #: A round ends after this silence, without the days on which the shop does not open.
    ends_after_ms: int = 7 * DAY
    owner: str = LAST_ANSWER
    #: The statuses of a conversation in which its clock pauses.
    pauses_when: tuple[str, ...] = ()
    #: An answer that arrives after its question may be stamped this much before it.
    answer_tolerance_ms: int = MINUTE
    #: A reply within this time is on time.
    on_time_within_ms: int = 3 * MINUTE
    #: A reply after more than this time is slow.
    slow_beyond_ms: int = 15 * MINUTE

    @property
    def is_always_open(self) -> bool:
        """Whether there is no hour and no day on which the shop is closed."""
        return self.opening is None and self.holidays is None and not self.own_days

    def rating_of(self, given: int | str) -> int | None:
        """A given rating on the scale of 1 to 5, halves rounded up; None where the shop's scale has no such rating.

        >>> DEFAULT_POLICY.rating_of(4), DEFAULT_POLICY.rating_of("4"), DEFAULT_POLICY.rating_of(6)
        (4, 4, None)
        >>> named = RatingScale(worst=0, best=10, names=(("awful", 1),))
        >>> [DEFAULT_POLICY._replace(rating_scale=named).rating_of(given) for given in (" Awful", 0, 6, "4.5", 10)]
        [1, 1, 3, 3, 5]
        """
        scale = self.rating_scale
        name = str(given).strip().casefold()
        for one, rating in scale.names:
            if one == name:
                return rating
        number = _thousandths(name)
        if number is None or scale.worst is None or scale.best is None:
            return None
        above, span = number - scale.worst * 1000, (scale.best - scale.worst) * 1000
        if span < 0:
            above, span = -above, -span
        if not 0 <= above <= span:
            return None
        steps = BEST_RATING - WORST_RATING
        return WORST_RATING + (2 * above * steps + span) // (2 * span)

    def target_for(self, attributes: Mapping[str, str | None]) -> Target:
        """The first target that meets a contact's attributes; without one, `on_time_within_ms` in calendar time.

        >>> DEFAULT_POLICY.target_for({"channel": "chat"}).first_response_ms
        180000
        """
        for target in self.targets:
            if target.meets(attributes):
                return target
        return Target(self.on_time_within_ms, self.on_time_within_ms)


#: What judges a shop that has declared nothing.
DEFAULT_POLICY = Policy(revision="default", valid_from=0)


def policy_in_force(policies: Sequence[Policy], *, known: int, began_at: int) -> Policy:
    """The policy that judges a turn, round or rating, which began at an instant.

    `policies` are those of the shop in log order, of which the event that begins it found `known` before it. It is the
    latest of these that is valid from that instant or earlier; without one, the default.

    >>> later = Policy(revision="b", valid_from=100)
    >>> [policy_in_force([later], known=known, began_at=at).revision for known, at in ((1, 99), (1, 100), (0, 100))]
    ['default', 'b', 'default']
    """
    for policy in reversed(policies[:known]):
        if policy.valid_from <= began_at:
            return policy
    return DEFAULT_POLICY


def _thousandths(text: str) -> int | None:
    """A number of at most nine digits and three decimals, as an integer of thousandths."""
    sign = -1 if text.startswith("-") else 1
    whole, point, decimals = text.removeprefix("-").partition(".")
    digits = whole + decimals
    if not digits.isascii() or not digits.isdigit() or not whole or len(whole) > _LONGEST_NUMBER or len(decimals) > 3:
        return None
    if point and not decimals:
        return None
    return sign * (int(whole) * 1000 + int(decimals.ljust(3, "0")))
