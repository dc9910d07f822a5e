"""Hours and days of events on the clock of their shop."""

from service_quality.instants import DAY

#: The zone of shops without another one: nothing is converted for them.
UTC = "UTC"


def on_the_clock(at: int, precision: str, zone: str) -> int:
    """The instant at which a clock in UTC shows the day and hour that the zone's clock shows at this one.

    An event known to the day keeps its day: it is the one that its source named, in any zone.
    """
    if zone == UTC or precision != "ms":
        return at
    from service_quality.policies.local_clock import to_local  # noqa: PLC0415  # loads zones; few shops need it

    return to_local(at, zone)


def start_of_day(local_day: int, zone: str) -> int:
    """The instant at which a day, since 1970-01-01, begins in a zone."""
    if zone == UTC:
        return local_day * DAY
    from service_quality.policies.local_clock import midnight_of  # noqa: PLC0415  # loads zones; few shops need it

    return midnight_of(local_day, zone)
