"""The features in service, in vector order. Adding one is one line here and its test.

Prior weights and windows come from forward validation on real contacts: docs/adr/0004-features-and-model.md.
"""

from service_quality.features.declarations import (
    MINUS,
    PER,
    AmountTotal,
    Combined,
    Distinct,
    EventValue,
    Feature,
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

_SHOP = Rate("shop", "dissatisfied", "30d", prior_weight=100, parent=0.18)
_MANAGER = Rate("manager", "dissatisfied", "30d", prior_weight=200, parent=_SHOP)
_SUPERVISOR = Rate("supervisor", "dissatisfied", "30d", prior_weight=100, parent=_MANAGER)
_AGENT = Rate("agent", "dissatisfied", "30d", prior_weight=30, parent=_SUPERVISOR)
_CATEGORY = Rate("category", "dissatisfied", "30d", prior_weight=50, parent=_SHOP)
_SUBCATEGORY = Rate("subcategory", "dissatisfied", "30d", prior_weight=30, parent=_CATEGORY)
_SLOW_SHOP = Rate("shop", "slow", "7d", prior_weight=50, parent=0.35)
_LATE_SHOP = Rate("shop", "late_past_half", "7d", prior_weight=20, parent=0.5)

_ORDER_DAYS = Total("customer", "order_days", "365d")
_LAST_ORDER, _FIRST_ORDER = TimeSince("customer", "orders", "365d"), TimeSinceFirst("customer", "orders", "365d")
_SPAN = Combined("purchase_span", "duration", MINUS, _FIRST_ORDER, _LAST_ORDER)
_GAP = Combined("purchase_gap", "duration", PER, _SPAN, _ORDER_DAYS)
_CANCELLED = AmountTotal("customer_currency", "cancelled_amount_minor", "90d")
_SPENT = AmountTotal("customer_currency", "order_amount_minor", "90d")

_AGENT_QUANTILES = (Quantile("agent", 0.5, "7d"), Quantile("agent", 0.9, "7d"))

CONVERSATION: tuple[Feature, ...] = tuple(
    EventValue(name)
    for name in (
        "answered",
        "first_response_at_least_ms",
        "longest_later_reply_ms",
        "waiting_ms",
        "opened_hour",
        "price_minor",
        "customer_messages",
        "bot_messages",
        "transfers",
        "reopenings",
        "conversation_complaints",
    )
)

DISSATISFIED_RATES: tuple[Feature, ...] = (
    _SHOP,
    _MANAGER,
    _SUPERVISOR,
    _AGENT,
    _CATEGORY,
    _SUBCATEGORY,
    Rate("subcategory_product", "dissatisfied", "30d", prior_weight=50, parent=_SUBCATEGORY),
    Rate("channel", "dissatisfied", "30d", prior_weight=50, parent=_SHOP),
    Rate("manager", "dissatisfied", "7d", prior_weight=50, parent=_MANAGER),
    Rate("supervisor", "dissatisfied", "7d", prior_weight=50, parent=_SUPERVISOR),
    Rate("subcategory", "dissatisfied", "7d", prior_weight=50, parent=_SUBCATEGORY),
)

PACE: tuple[Feature, ...] = (
    _SLOW_SHOP,
    Rate("agent", "slow", "7d", prior_weight=20, parent=_SLOW_SHOP),
    Total("agent", "contacts", "1h"),
    Mean("agent", "reply_ms", "timed_replies", "1d"),
    Total("agent", "ratings", "30d"),
    *_AGENT_QUANTILES,
    WindowRatio("category", "contacts", "1d", "7d", prior_weight=20),
)

CUSTOMER: tuple[Feature, ...] = (
    Rate("customer", "dissatisfied", "90d", prior_weight=3, parent=_SHOP),
    Total("customer", "contacts", "30d"),
    Total("customer", "complaints", "90d"),
    Total("customer", "orders", "90d"),
    _SPENT,
    TimeSince("customer", "orders", "90d"),
    Total("customer", "browse_ms", "1d"),
    Total("customer", "searches", "1d"),
    Rate("sku", "returned", "90d", prior_weight=20, parent=0.1),
)

#: The replies whose judgement waits for a calendar: above 0, the rates of their shop or agent are provisional.
PROVISIONAL: tuple[Feature, ...] = (
    Total("shop", "provisional_replies", "7d"),
    Total("agent", "provisional_replies", "7d"),
)

#: What became of answers for which half the time had passed: a reminder says by it whether an answer will be late.
_LATE_AGENT = Rate("agent", "late_past_half", "7d", prior_weight=10, parent=_LATE_SHOP)
FORECAST: tuple[Feature, ...] = (_LATE_SHOP, _LATE_AGENT, _LATE_AGENT.trials)

#: Complaints of a day beside those of a week, by which a rule finds a spike; the month says whether the week is full.
SPIKES: tuple[Feature, ...] = tuple(Total("category", "complaints", window) for window in ("1d", "7d", "30d"))


def _outcomes(entity: str) -> tuple[Feature, ...]:
    facts = ("unanswered", "abandoned", "resolutions", "reopenings", "transfers")
    return (
        *(Total(entity, fact, "7d") for fact in facts),
        Mean(entity, "resolution_ms", "timed_resolutions", "7d"),
        Mean(entity, "reply_ms", "timed_replies", "7d"),
    )


_SHOP_QUANTILES = (Quantile("shop", 0.5, "7d"), Quantile("shop", 0.9, "7d"))

#: What became of contacts, and means beside the quantiles: a mean knows neither its tail nor who was never answered.
OUTCOMES: tuple[Feature, ...] = (*_outcomes("agent"), *_outcomes("shop"), *_SHOP_QUANTILES)

#: A customer's year of purchases: what foretells whether one comes back.
PURCHASES: tuple[Feature, ...] = (
    *(Total("customer", "order_days", window) for window in ("30d", "90d")),
    _ORDER_DAYS,
    Total("customer", "orders", "365d"),
    _LAST_ORDER,
    _FIRST_ORDER,
    _SPAN,
    _GAP,
    Combined("overdue", "number", PER, _LAST_ORDER, _GAP),
    Distinct("customer", "skus", "90d"),
    AmountTotal("customer_currency", "order_amount_minor", "365d"),
    Total("customer", "units", "90d"),
    Total("customer", "cancellations", "90d"),
    Total("customer", "cancelled_units", "90d"),
    Total("customer", "returns", "90d"),
    Total("customer", "returned_units", "90d"),
    _CANCELLED,
    Combined("taken_back", "number", PER, _CANCELLED, _SPENT),
    AmountTotal("customer_currency", "returned_amount_minor", "90d"),
    Total("customer", "complaints", "365d"),
    Total("customer", "dissatisfied_ratings", "365d"),
)

#: What customers looked for: of the customer a week, of the shop a day beside a week.
SEARCHES: tuple[Feature, ...] = (
    *(Total("customer", fact, "7d") for fact in ("page_views", "browse_ms", "searches", "cart_additions")),
    *(Total("customer", fact, "7d") for fact in ("unfulfilled_searches", "searches_without_order")),
    *(Total("shop", "unfulfilled_searches", window) for window in ("1d", "7d")),
    *(Total("category", fact, "7d") for fact in ("searches", "unfulfilled_searches")),
    Distinct("customer", "search_terms", "7d"),
    *(TopShare("shop", "search_terms", window) for window in ("1d", "7d")),
    TopShare("category", "search_terms", "7d"),
)

#: What an article sells and what comes back of it.
GOODS: tuple[Feature, ...] = (
    *(Total("sku", "units", window) for window in ("7d", "30d", "90d")),
    Total("sku", "cart_units", "7d"),
    Total("sku", "orders", "30d"),
    Total("sku", "returned_units", "90d"),
    Total("sku", "complaints", "90d"),
)

_RESOLVED_SHOP = Rate("shop", "resolved", "30d", prior_weight=50, parent=0.8)

#: How contacts go by agent, kind of issue, customer and article: ratings, answers, solutions, complaints.
SERVICE: tuple[Feature, ...] = (
    *(Mean(entity, "rating_points", "ratings", "30d") for entity in ("shop", "agent", "category", "sku")),
    Mean("customer", "rating_points", "ratings", "365d"),
    _RESOLVED_SHOP,
    Rate("agent", "resolved", "30d", prior_weight=20, parent=_RESOLVED_SHOP),
    Rate("category", "resolved", "30d", prior_weight=50, parent=_RESOLVED_SHOP),
    Rate("customer", "resolved", "90d", prior_weight=3, parent=_RESOLVED_SHOP),
    Mean("category", "reply_ms", "timed_replies", "7d"),
    Mean("customer", "reply_ms", "timed_replies", "90d"),
    Total("agent", "complaints", "30d"),
    Total("subcategory", "complaints", "7d"),
    Total("shop", "complaints", "7d"),
    Rate("sku", "resolved", "90d", prior_weight=20, parent=_RESOLVED_SHOP),
    Mean("sku", "reply_ms", "timed_replies", "30d"),
)

#: What customers do about articles, kinds of articles and in the whole shop.
DEMAND: tuple[Feature, ...] = (
    *(Total(entity, fact, "7d") for entity in ("sku", "category") for fact in ("page_views", "browse_ms")),
    *(Total("category", fact, "30d") for fact in ("orders", "units", "cancellations", "returns")),
    Total("sku", "cancellations", "30d"),
    *(Total("shop", fact, "7d") for fact in ("page_views", "searches", "orders", "units", "cancellations", "returns")),
    *(AmountTotal("shop_currency", "order_amount_minor", window) for window in ("7d", "30d")),
    *(AmountTotal(f"{entity}_currency", "order_amount_minor", "30d") for entity in ("category", "sku")),
)

#: Served for rules, to mark figures, and as parents of other rates; the linear model reads their children instead.
BESIDE_THE_MODEL = frozenset(
    feature.name
    for feature in (
        *(_SHOP, _MANAGER, _CATEGORY, _SUBCATEGORY, _SLOW_SHOP, Total("agent", "ratings", "30d")),
        *_AGENT_QUANTILES,
        *PROVISIONAL,
        *FORECAST,
        *SPIKES,
        *OUTCOMES,
        *PURCHASES,
        *SEARCHES,
        *GOODS,
        *SERVICE,
        *DEMAND,
    )
)

FEATURES = FeatureSet(
    CONVERSATION
    + DISSATISFIED_RATES
    + PACE
    + CUSTOMER
    + PROVISIONAL
    + FORECAST
    + SPIKES
    + OUTCOMES
    + PURCHASES
    + SEARCHES
    + GOODS
    + SERVICE
    + DEMAND
)

#: What foretells whether a customer comes back: a year of purchases, what was taken back, and how service went.
CHURN_FEATURES = FeatureSet(
    (
        Total("customer", "orders", "90d"),
        Total("customer", "contacts", "30d"),
        Total("customer", "complaints", "90d"),
        *(feature for feature in PURCHASES if not isinstance(feature, EventValue) and feature.entity == "customer"),
    )
)
