"""Small feature sets: every kind of declaration, short windows, cheap to read."""

from service_quality.alerts.conditions import AllOf, AtLeast, Below
from service_quality.alerts.rules import Rule
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.kinds import FINDING_REPORTED, SERVICE, TIME_REACHED
from service_quality.features.declarations import (
    AmountTotal,
    Combined,
    Distinct,
    EventValue,
    FeatureSet,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TimeSinceFirst,
    TopShare,
    Total,
    WindowRatio,
)
from service_quality.features.feature_set import FEATURES
from service_quality.instants import HOUR, MINUTE
from service_quality.tasks.declared_tasks import CHURN, Task

_SHOP = Rate("shop", "dissatisfied", "7d", prior_weight=3, parent=0.17)
_AGENT = Rate("agent", "dissatisfied", "30d", prior_weight=2, parent=_SHOP)

_FIRST, _LAST = TimeSinceFirst("customer", "orders", "365d"), TimeSince("customer", "orders", "365d")
_PAGES = Total("customer", "page_views", "365d")

SMALL = FeatureSet(
    (
        EventValue("waiting_ms"),
        EventValue("answered"),
        Total("agent", "replies", "1h"),
        Total("agent", "contacts", "1d"),
        Mean("agent", "reply_ms", "timed_replies", "7d"),
        Quantile("agent", 0.9, "7d"),
        Quantile("shop", 0.5, "1d"),
        WindowRatio("category", "contacts", "1h", "1d", prior_weight=3),
        TimeSince("customer", "orders", "90d"),
        TimeSince("agent", "replies", "1h"),
        TimeSince("shop", "complaints", "1d"),
        _AGENT,
        Rate("agent_category", "dissatisfied", "30d", prior_weight=2, parent=_AGENT),
        Rate("subcategory_product", "resolved", "1d", prior_weight=1, parent=0.5),
        Total("customer", "browse_ms", "1h"),
        Total("shop", "rating_points", "1h"),
        EventValue("closed"),
        EventValue("conversation_age_ms"),
        EventValue("transfers"),
        EventValue("longest_later_reply_ms"),
        Rate("agent", "slow", "7d", prior_weight=1, parent=Rate("shop", "on_time", "30d", prior_weight=1, parent=0.5)),
        Total("agent", "transfers", "30d"),
        Total("agent", "provisional_replies", "30d"),
        Total("shop", "provisional_replies", "7d"),
        Total("agent", "resolutions", "7d"),
        Rate("customer", "returned", "30d", prior_weight=1, parent=0.1),
        AmountTotal("customer_currency", "order_amount_minor", "30d"),
        EventValue("opened_hour"),
        EventValue("waiting_days"),
        EventValue("waited_share"),
        _FIRST,
        _LAST,
        Combined("span", "duration", "minus", _FIRST, _LAST),
        Combined("sum", "duration", "plus", _LAST, _FIRST),
        Combined("nearer", "duration", "least", _FIRST, _PAGES),
        Combined("farther", "number", "most", _PAGES, _LAST),
        Combined("pace", "number", "per", _FIRST, _PAGES),
        _PAGES,
        Distinct("customer", "skus", "365d"),
        Distinct("shop", "search_terms", "1d"),
        TopShare("shop", "search_terms", "7d"),
        TopShare("customer", "skus", "365d"),
        TimeSinceFirst("shop", "page_views", "1d"),
        TimeSince("customer", "order_days", "365d"),
        Total("shop", "order_days", "1d"),
        Total("customer", "units", "365d"),
        Total("sku", "cancelled_units", "30d"),
        AmountTotal("customer_currency", "returned_amount_minor", "365d"),
        AmountTotal("shop_currency", "order_amount_minor", "7d"),
        AmountTotal("category_currency", "cancelled_amount_minor", "90d"),
        AmountTotal("sku_currency", "order_amount_minor", "30d"),
        Total("shop", "unfulfilled_searches", "7d"),
        Total("category", "searches_without_order", "1d"),
    )
)
#: What a later deployment may serve: some of SMALL, and windows, facts and an entity that SMALL has not.
OTHER = FeatureSet(
    (
        *(feature for feature in SMALL.features[::2] if not isinstance(feature, Combined)),
        Total("agent", "replies", "1d"),
        Total("agent", "complaints", "7d"),
        Total("sku", "returns", "30d"),
        Mean("channel", "reply_ms", "replies", "1h"),
        TimeSince("customer", "page_views", "1d"),
        TimeSinceFirst("agent", "replies", "7d"),
        Rate("shop", "reopened", "1d", prior_weight=2, parent=0.1),
        WindowRatio("shift", "contacts", "1h", "7d", prior_weight=2),
    )
)
SMALL_RULES = (
    Rule(
        name="busy_agent",
        version=1,
        subject="agent",
        kinds=SERVICE,
        tiers=(("critical", AtLeast("agent_replies_1h", 3)), ("warning", AtLeast("agent_replies_1h", 1))),
        resolved_when=Below("agent_replies_1h", 1),
        cooldown_ms=HOUR,
    ),
    Rule(
        name="waiting",
        version=1,
        subject="conversation",
        kinds=SERVICE | {"rated", TIME_REACHED},
        tiers=(
            ("critical", AtLeast("waited_share", 0.75)),
            ("warning", AllOf((AtLeast("waiting_ms", 3 * MINUTE), AtLeast("score", 0.5)))),
        ),
        resolved_when=AtLeast("closed", 1),
        cooldown_ms=HOUR,
        evidence=("waiting_ms",),
    ),
)
#: What a score of churn alone decides, be it a job's or that of an event.
LEAVING = Rule(
    name="leaving",
    version=1,
    subject="customer",
    kinds=SERVICE | {"order_placed", "suggestion_made", FINDING_REPORTED},
    tiers=(("critical", AtLeast("churn_score", 0.8)), ("warning", AtLeast("churn_score", 0.5))),
    resolved_when=Below("churn_score", 0.3),
    cooldown_ms=HOUR,
)
#: The task of churn by features of the customer whose columns SMALL and OTHER have.
SMALL_CHURN = Task(
    name=CHURN.name,
    unit=CHURN.unit,
    kinds=CHURN.kinds,
    features=FeatureSet(
        (
            TimeSince("customer", "orders", "90d"),
            Total("customer", "browse_ms", "1h"),
            _FIRST,
            _LAST,
            Combined("span", "duration", "minus", _FIRST, _LAST),
            Distinct("customer", "skus", "365d"),
        )
    ),
    score=CHURN.score,
    words=CHURN.words,
)
SETS = {"small": (SMALL, (*SMALL_RULES, LEAVING)), "in service": (FEATURES, shipped_rules())}
#: With what is served by releases that take turns.
DEPLOYED = {**SETS, "other": (OTHER, (*SMALL_RULES, LEAVING))}
#: The task that scores entities under each.
CHURN_OF = {"small": SMALL_CHURN, "in service": CHURN, "other": SMALL_CHURN}


def tasks_under(features: FeatureSet) -> tuple[Task, ...]:
    """The tasks that score entities where these features are served."""
    return (CHURN if features is FEATURES else SMALL_CHURN,)
