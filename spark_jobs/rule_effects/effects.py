"""What rules would have done to people: alerts a day, how often they were right and in time, and what is new."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.alerts.alert_quality import Contact, Observed, Opening, Outcome, Rated, judge_openings
from service_quality.alerts.alert_state import OPENED
from service_quality.alerts.rules import CONVERSATION, SEVERITIES
from service_quality.events import kinds
from spark_jobs.rule_effects.shop_messages import GIVEN, PRESENT, REFUSED, Message

Figures = dict[str, Any]

_ANSWER = "agent_message"
_ACCEPTED = (
    "rejected is null and not duplicate and control is null and reached is null and declared is null "
    "and conversation_id is not null"
)


class Period(NamedTuple):
    """The instants from and until which alerts are counted, in epoch milliseconds."""

    since: int
    until: int

    def holds(self, at: int) -> bool:
        """Whether an instant lies in it."""
        return self.since <= at < self.until


def effects_of(messages: Sequence[Message], observed: Observed, period: Period) -> dict[str, Figures]:
    """By given rule: alert_quality.RuleQuality, and `severities`, `known`, `now_per_day`.

    `severities` counts the alerts that began in the period by the gravest severity that they reached. `known` is the
    share of them about somebody or something that the rules in force had alerted by then, under any rule;
    `now_per_day` is what the rule in force under the same name would have sent.
    """
    began = {rules: _openings(messages, rules, period) for rules in (GIVEN, PRESENT)}
    quality = judge_openings(began[GIVEN], observed)
    now = judge_openings(began[PRESENT], observed)
    gravest = _gravest(one for one in messages if one.rules == GIVEN)
    known = _first_alerts(messages)
    found: dict[str, Figures] = {}
    for kind, judged in quality.items():
        own = [one for one in messages if _begins(one, GIVEN, period) and one.kind == kind]
        seen = sum(known.get(_subject(one), one.at + 1) <= one.at for one in own)
        found[kind] = judged._asdict() | {
            "severities": dict(Counter(gravest[one.alert_id] for one in own)),
            "known": round(seen / len(own), 4),
            "now_per_day": now[kind].per_day if kind in now else 0.0,
        }
    return found


def observe(entries: DataFrame, messages: Iterable[Message], period: Period) -> Observed:
    """What became of conversations, of those with alerts one by one: from entries of a log (archive.ENTRY_DDL).

    Ratings are judged by the policy that judged them online. Conversations of the period are those with an event in it.
    """
    rating = F.when((F.col("kind") == kinds.RATED) & F.col("label").isNotNull(), F.struct("occurred_at", "label"))
    by_contact = (
        entries.where(_ACCEPTED)
        .groupBy("shop_id", "conversation_id")
        .agg(
            F.array_sort(F.collect_list(rating)).alias("ratings"),
            F.min(F.when(F.col("kind") == _ANSWER, F.col("occurred_at"))).alias("first_answer"),
            F.max(F.col("occurred_at").between(period.since, period.until - 1)).alias("in_period"),
        )
        .cache()
    )
    is_lost = F.exists("ratings", lambda one: one["label"] == 1)
    counted = by_contact.where("in_period").agg(F.count("*"), F.count(F.when(is_lost, 1))).first()
    alerted = {(one.shop_id, one.subject_id) for one in messages if one.subject_kind == CONVERSATION}
    outcomes: dict[Contact, Outcome] = {}
    if alerted:
        named = entries.sparkSession.createDataFrame(sorted(alerted), "shop_id string, conversation_id string")
        for row in by_contact.join(named, ["shop_id", "conversation_id"]).collect():
            ratings = [Rated(one["occurred_at"], one["label"] == 1) for one in row["ratings"]]
            outcomes[row["shop_id"], row["conversation_id"]] = Outcome(ratings, row["first_answer"])
    conversations, lost = counted if counted is not None else (0, 0)
    return Observed(period.until - period.since, conversations, lost, outcomes)


def refused(messages: Iterable[Message]) -> dict[str, int]:
    """How many records could not be folded again, by reason."""
    return dict(Counter(one.kind for one in messages if one.state == REFUSED and one.rules == GIVEN))


def _openings(messages: Iterable[Message], rules: str, period: Period) -> list[Opening]:
    return [
        Opening(one.kind, one.shop_id, one.subject_kind, one.subject_id, one.at)
        for one in messages
        if _begins(one, rules, period)
    ]


def _begins(one: Message, rules: str, period: Period) -> bool:
    return one.rules == rules and one.state == OPENED and period.holds(one.at)


def _gravest(messages: Iterable[Message]) -> dict[str, str]:
    """The gravest severity of each alert."""
    found: dict[str, str] = {}
    for one in messages:
        if one.state != REFUSED:
            found[one.alert_id] = max(one.severity, found.get(one.alert_id, one.severity), key=SEVERITIES.index)
    return found


def _first_alerts(messages: Iterable[Message]) -> dict[tuple[str, str, str], int]:
    """When the rules in force first alerted each subject."""
    first: dict[tuple[str, str, str], int] = {}
    for one in messages:
        if one.rules == PRESENT and one.state == OPENED:
            first[_subject(one)] = min(one.at, first.get(_subject(one), one.at))
    return first


def _subject(one: Message) -> tuple[str, str, str]:
    return one.shop_id, one.subject_kind, one.subject_id
