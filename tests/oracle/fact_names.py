"""The facts and rates by name, and what a wait counts as."""

from collections.abc import Iterator

from tests.oracle.spans import DAY, HOUR, MINUTE, SECOND

#: Histogram fact → the longest wait that it counts; longer ones are over a day.
BUCKETS = {
    "reply_ms_to_30s": 30 * SECOND,
    "reply_ms_to_1m": MINUTE,
    "reply_ms_to_3m": 3 * MINUTE,
    "reply_ms_to_5m": 5 * MINUTE,
    "reply_ms_to_15m": 15 * MINUTE,
    "reply_ms_to_1h": HOUR,
    "reply_ms_to_4h": 4 * HOUR,
    "reply_ms_to_1d": DAY,
}
LONGEST = "reply_ms_over_1d"

#: Each histogram fact and the upper end of its bucket; waits of over a day are spread up to a week.
REPLY_BUCKETS = (*BUCKETS.items(), (LONGEST, 7 * DAY))

#: Rate → the facts that are its hits, and those that are its trials.
RATES = {
    "dissatisfied": ("dissatisfied_ratings", "ratings"),
    "on_time": ("on_time_replies", "timed_replies"),
    "slow": ("slow_replies", "timed_replies"),
    "late_past_half": ("late_replies", "half_spent_replies"),
    "resolved": ("resolutions", "contacts"),
    "reopened": ("reopenings", "contacts"),
    "returned": ("returns", "orders"),
    "complaint": ("complaints", "contacts"),
}
#: Kind of a behaviour event → the fact that counts it.
BEHAVIOUR = {
    "page_viewed": "page_views",
    "searched": "searches",
    "cart_added": "cart_additions",
    "order_placed": "orders",
    "order_cancelled": "cancellations",
    "order_returned": "returns",
}
#: Kind of an order's event → the facts that sum its pieces and its amount.
AMOUNTS = {
    "order_placed": ("units", "order_amount_minor"),
    "order_cancelled": ("cancelled_units", "cancelled_amount_minor"),
    "order_returned": ("returned_units", "returned_amount_minor"),
}
#: The facts that count orders of articles, each those of one group of 16.
SKU_GROUPS = tuple(f"ordered_skus_{group // 10}{group % 10}" for group in range(16))
#: The facts that count searches, each those of one group of what was searched for.
SEARCH_GROUPS = tuple(f"search_terms_{group:02}" for group in range(16))
#: What is counted in groups.
GROUPS = {"skus": SKU_GROUPS, "search_terms": SEARCH_GROUPS}
#: The names of all facts.
FACTS = (
    "contacts", "reopenings", "resolutions", "timed_resolutions", "resolution_ms", "replies", "first_replies",
    "timed_replies", "reply_ms", "on_time_replies", "slow_replies",
    "half_spent_replies", "late_replies", *BUCKETS, LONGEST, "provisional_replies",
    "unanswered", "abandoned", "transfers", "complaints", "ratings", "rating_points", "dissatisfied_ratings",
    *BEHAVIOUR.values(), "browse_ms", "unfulfilled_searches", "searches_without_order", "order_days",
    "cart_units", *SKU_GROUPS, *SEARCH_GROUPS, *(name for names in AMOUNTS.values() for name in names),
)  # fmt: skip


def of_wait(wait: int, judged: int, *, on_time_within: int, slow_beyond: int) -> Iterator[tuple[str, int]]:
    """The facts of one known wait, or of one agent's share of it, by its limits and the judged part."""
    yield "timed_replies", 1
    yield "reply_ms", wait
    yield "on_time_replies", int(judged <= on_time_within)
    yield "slow_replies", int(judged > slow_beyond)
    yield "half_spent_replies", int(judged >= on_time_within / 2)
    yield "late_replies", int(judged > on_time_within)
    yield next((name for name, longest in BUCKETS.items() if wait <= longest), LONGEST), 1
