"""The claims of the benchmarks: every figure of results.json, and the targets of some of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Claim:
    """One figure: its meaning, and its target; without a target it is only reported.

    >>> Claim("half as long", at_most=0.5).verdict(0.61)
    'missed: found 0.61, expected at most 0.5'
    >>> Claim("half as long", at_most=0.5).verdict(0.4)
    ''
    """

    means: str
    at_least: float = -inf
    at_most: float = inf

    @property
    def expected(self) -> str:
        """The target as text; empty without one."""
        if self.at_most < inf:
            return f"at most {readable(self.at_most)}"
        return f"at least {readable(self.at_least)}" if self.at_least > -inf else ""

    def verdict(self, found: float) -> str:
        """The miss of the figure found; empty when it keeps its target."""
        if self.at_least <= found <= self.at_most:
            return ""
        return f"missed: found {readable(found)}, expected {self.expected}"


#: Section → figure → claim, in the order in which they are measured and printed.
CLAIMS: Mapping[str, Mapping[str, Claim]] = {
    "windows": {
        "over_duckdb": Claim("time at 10 M skewed rows, over DuckDB's best form", at_most=0.5),
        "over_polars": Claim("time at 10 M skewed rows, over polars'", at_most=1.75),
        "growth_10m_over_1m": Claim("time at 10 M rows, over that at 1 M", at_most=10),
        "skew_over_even": Claim("time with a busiest agent of 5 % of the rows, over evenly spread", at_most=1.3),
        "peak_alone_mb": Claim("most memory of any process for the windows alone, MB", at_most=2_048),
        "peak_mb": Claim("the same with the answer written as Parquet, MB", at_most=4_000),
    },
    "one_shop": {
        "seconds_per_million": Claim("seconds a million events of one shop: order, fold and windows; two workers"),
        "worker_mb": Claim("most memory of a worker, its Java and Python together, MB", at_most=4_096),
        "peak_mb": Claim("most memory of any of its processes, MB", at_most=2_048),
    },
    "training_set": {
        "minutes_10m": Claim("minutes from 10 M events to a training set with all features; two workers", at_most=15),
        "growth_10m": Claim("time at 10 M events, over that at 1 M", at_most=11),
        "peak_mb": Claim("most memory of a worker, its Java and Python together, MB", at_most=4_096),
    },
    "scoring": {
        "naive_over_ours": Claim("CPU of the naive function, over ours; one shop", at_least=30),
        "aws_calls_per_event": Claim("AWS calls an event, outbox and archive included; one shop", at_most=0.07),
        "aws_calls_per_event_ten_shops": Claim("the same; ten shops", at_most=0.22),
        "quiet_shops_events_per_second": Claim(
            "events a second of 1,000 quiet shops through one shard, calls of 20 ms", at_least=150
        ),
        "peak_mb": Claim("most memory of the function's process, MB", at_most=256),
    },
    "consistency": {
        "records": Claim("records of a synthetic world, committed over a store in memory and recomputed by Spark"),
        "differences": Claim("values served otherwise than they are recomputed, missing or too many", at_most=0),
    },
    "simulation": {
        "schedules": Claim("schedules of trouble played against the commit", at_least=100_000),
        "violations": Claim("promises that they broke", at_most=0),
        "mutants": Claim("mistakes made in the code on purpose"),
        "caught": Claim("those of them that the judges found"),
        "missed": Claim("those that they did not find", at_most=0),
    },
    "cold_start": {
        "over_scikit_learn": Claim("spawn to the first answer, over scikit-learn's", at_most=0.4),
        "over_imports": Claim("spawn to the first answer, over that of bare imports", at_most=1.3),
    },
    "training": {
        "log_loss_difference": Claim("log loss less scikit-learn's on the same rows", at_least=-5e-5, at_most=5e-5),
    },
    "archive": {
        "seconds_1m": Claim("seconds to fold 1 M archived events into the lake", at_most=300),
        "seconds_next_10k": Claim("seconds to fold 10,000 new ones beside them", at_most=30),
    },
    "rebuild": {
        "seconds_per_million_events": Claim("seconds to rebuild a shop of 1 M archived events", at_most=300),
    },
    "reminders": {
        "waiting": Claim("turns under a policy of 20 seconds that nobody answered, calm and in trouble", at_least=200),
        "missing": Claim("reminders at half, three quarters and the end of their time that did not come", at_most=0),
        "false": Claim("alerts about waits of answered turns, second ones, and any before its time", at_most=0),
        "worst_late_seconds": Claim(
            "seconds from deadline and grace to a subscriber's queue, the worst calm one", at_most=2
        ),
        "backlog_alerts": Claim("alerts of 1,000 answered chats that arrive two hours late", at_most=0),
    },
    "alerts": {
        "risk_share_of_contacts": Claim("contacts with an alert of risk, share", at_least=0.01, at_most=0.03),
        "risk_precision_over_base": Claim(
            "share of these that ended dissatisfied, over that of all rated contacts", at_least=2.5
        ),
        "risk_before_answer": Claim("alerts of risk that came before the first answer, share", at_least=0.5),
        "waiting_before_answer": Claim("alerts of answers due that came before the first answer, share", at_least=1),
        "breaches_alerted": Claim("answers later than the policy allows that were alerted as late, share", at_least=1),
        "needless_breaches": Claim("alerts that an answer is late about answers that were in time", at_most=0),
    },
    "imports": {
        "uci_seconds": Claim("seconds to import the 541,909 lines of UCI Online Retail, with the report", at_most=180),
        "suggest_right": Claim("columns of the samples suggested as their mapping reads them, share", at_least=0.8),
        "suggest_undoubted": Claim("columns suggested otherwise, without a doubt beside them", at_most=0),
    },
    "cost": {
        "dollars_per_million_busy": Claim("dollars per million events, one busy shop", at_most=10),
        "dollars_per_million_quiet": Claim("dollars per million events, 10,000 quiet shops", at_most=25),
    },
}


def missed(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One line for every figure that breaks its bounds."""
    return [
        f"{section}.{name} {verdict}"
        for section, found in figures.items()
        for name, value in found.items()
        if (verdict := CLAIMS[section][name].verdict(value))
    ]


def readable(value: float, digits: int = 3) -> str:
    """A number as text for people: a few digits, or all those before the point.

    >>> readable(0.012345), readable(12_345.6), readable(4), readable(0), readable(0.4277555, 6)
    ('0.0123', '12,346', '4', '0', '0.427756')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
