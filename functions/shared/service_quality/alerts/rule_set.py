"""The rules in force."""

from service_quality.alerts.rules import AllOf, AnyOf, AtLeast, Below, Rule
from service_quality.events.kinds import SERVICE
from service_quality.instants import DAY, HOUR, MINUTE

#: From this probability on a conversation is at risk: no conversion of a model may flip a decision here.
DECISION_THRESHOLD = 0.45

#: Kinds after which a conversation is judged: all that may change it.
WATCHED = SERVICE | {"rated", "complaint_filed"}

WAITING_TOO_LONG = Rule(
    name="waiting_too_long",
    version=2,
    subject="conversation",
    kinds=WATCHED,
    tiers=(("critical", AtLeast("waiting_ms", DAY)), ("warning", AtLeast("waiting_ms", 30 * MINUTE))),
    resolved_when=AnyOf((AtLeast("closed", 1), Below("waiting", 1))),
    cooldown_ms=4 * HOUR,
    evidence=("waiting_ms", "last_reply_ms", "replies"),
)

HIGH_RISK = Rule(
    name="high_risk",
    version=2,
    subject="conversation",
    kinds=WATCHED,
    tiers=(("critical", AtLeast("score", 0.6)), ("warning", AtLeast("score", DECISION_THRESHOLD))),
    resolved_when=AnyOf((Below("score", 0.35), AtLeast("closed", 1))),
    cooldown_ms=12 * HOUR,
    evidence=("score",),
)

AGENT_RISK_ABOVE_TEAM = Rule(
    name="agent_risk_above_team",
    version=1,
    subject="agent",
    kinds=frozenset({"agent_message", "conversation_opened", "assigned"}),
    tiers=(
        (
            "warning",
            AllOf(
                (
                    AtLeast("agent_ratings_30d", 20),
                    AtLeast("agent_dissatisfied_rate_30d", "supervisor_dissatisfied_rate_30d", times=1.5),
                )
            ),
        ),
    ),
    resolved_when=Below("agent_dissatisfied_rate_30d", "supervisor_dissatisfied_rate_30d", times=1.3),
    cooldown_ms=7 * DAY,
    evidence=("agent_dissatisfied_rate_30d", "supervisor_dissatisfied_rate_30d", "agent_ratings_30d"),
    audience="coaching",
)

RULES = (WAITING_TOO_LONG, HIGH_RISK, AGENT_RISK_ABOVE_TEAM)
