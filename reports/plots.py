"""Geometry of the page's charts: data in, coordinates of SVG out; the template draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt

from service_quality.alerts.alert import Alert
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.shop_settings import ShopSettings, local_time

HOURS = 24
_Z95 = 1.96
_MOST_TICKS = 5
_LOWEST_TOP = 0.05


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area inside an SVG picture, in its user units."""

    left: float
    top: float
    width: float
    height: float

    def x(self, share: float) -> float:
        """The x of a share of the width, 0 at the left."""
        return round(self.left + share * self.width, 2)

    def y(self, share: float) -> float:
        """The y of a share of the height, 0 at the bottom."""
        return round(self.top + (1 - share) * self.height, 2)


SQUARE = Frame(left=52, top=12, width=296, height=296)
WIDE = Frame(left=52, top=14, width=660, height=190)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, as a share of it, and its value."""

    share: float
    value: float


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a calibration curve in coordinates of SQUARE, with its figures."""

    x: float
    y: float
    low: float
    high: float
    mean: float
    share: float
    rows: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration curve on axes from 0 to `top`; `average` is the y of the base rate."""

    top: float
    ticks: tuple[Tick, ...]
    bins: tuple[Bin, ...]
    average: float


@dataclass(frozen=True, slots=True)
class Block:
    """One kind's alerts of one hour in coordinates of WIDE."""

    kind: str
    hour: int
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Hours:
    """Columns of alerts by hour of day, kinds on top of one another."""

    ticks: tuple[Tick, ...]
    blocks: tuple[Block, ...]


def kinds_of(alerts: Mapping[str, object]) -> list[str]:
    """Kinds that occur, in the order in which the shipped rules are asked; others behind them."""
    shipped = [rule.name for rule in shipped_rules() if rule.name in alerts]
    return [*shipped, *sorted(kind for kind in alerts if kind not in shipped)]


def polyline(points: Sequence[Sequence[float]], frame: Frame = SQUARE) -> str:
    """Points of shares as an SVG polyline.

    >>> polyline([(0, 0), (1, 1)])
    '52,308 348,12'
    """
    return " ".join(f"{frame.x(x):g},{frame.y(y):g}" for x, y in points)


def ticks_up_to(most: float) -> tuple[Tick, ...]:
    """Round values from 0 on, at most six, the last at or above `most`.

    >>> [tick.value for tick in ticks_up_to(37)], [tick.value for tick in ticks_up_to(0.43)]
    ([0.0, 10.0, 20.0, 30.0, 40.0], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    """
    power = 10 ** floor(log10(most / _MOST_TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * _MOST_TICKS >= most)
    steps = ceil(round(most / step, 9))
    return tuple(Tick(share=n / steps, value=float(round(n * step, 9))) for n in range(steps + 1))


def plot_calibration(curve: Sequence[Sequence[float]], base_rate: float, top: float) -> Calibration:
    """Bins of (mean probability, share, rows) on two axes that end at `top`."""
    bins = []
    for mean, share, rows in curve:
        low, high = wilson_interval(share, rows)
        bins.append(
            Bin(
                x=SQUARE.x(mean / top),
                y=SQUARE.y(share / top),
                low=SQUARE.y(low / top),
                high=SQUARE.y(min(high, top) / top),
                mean=mean,
                share=share,
                rows=int(rows),
            )
        )
    return Calibration(top=top, ticks=ticks_up_to(top), bins=tuple(bins), average=SQUARE.y(base_rate / top))


def calibration_top(curves: Sequence[Sequence[Sequence[float]]]) -> float:
    """The end of the axes of all calibration curves: a round value above every bin."""
    highest = max((max(mean, share) for curve in curves for mean, share, _ in curve), default=0.0)
    return ticks_up_to(max(highest, _LOWEST_TOP))[-1].value


def wilson_interval(share: float, rows: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, JASA 1927).

    >>> [round(end, 3) for end in wilson_interval(0.2, 100)]
    [0.133, 0.289]
    """
    slack = _Z95**2 / rows
    middle = (share + slack / 2) / (1 + slack)
    reach = _Z95 / (1 + slack) * sqrt(share * (1 - share) / rows + slack / (4 * rows))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def plot_hours(alerts: Sequence[Alert], zones: Mapping[str, str]) -> Hours:
    """New alerts by the hour of day at which they opened; there must be at least one.

    An alert without a zone of its own has that of its shop in `zones`; a shop that is left out counts in UTC.
    """
    counts = {kind: [0] * HOURS for kind in kinds_of({alert.kind: alert for alert in alerts})}
    for alert in alerts:
        zone = alert.time_zone or zones.get(alert.shop_id, ShopSettings().time_zone)
        counts[alert.kind][local_time(alert.occurred_at or 0, zone).hour] += 1
    ticks = _whole(ticks_up_to(max(sum(column) for column in zip(*counts.values(), strict=True))))
    top, blocks = ticks[-1].value, []
    for hour in range(HOURS):
        below = 0
        for kind, column in counts.items():
            if column[hour]:
                blocks.append(_block(kind, hour, column[hour], below=below, top=top))
            below += column[hour]
    return Hours(ticks=ticks, blocks=tuple(blocks))


def _block(kind: str, hour: int, count: int, *, below: int, top: float) -> Block:
    x, y = WIDE.x((hour + 0.12) / HOURS), WIDE.y((below + count) / top)
    return Block(
        kind=kind,
        hour=hour,
        count=count,
        x=x,
        y=y,
        width=round(0.76 * WIDE.width / HOURS, 2),
        height=round(WIDE.y(below / top) - y, 2),
    )


def _whole(ticks: tuple[Tick, ...]) -> tuple[Tick, ...]:
    """Counts are whole, so are their ticks."""
    return tuple(tick for tick in ticks if tick.value.is_integer())
