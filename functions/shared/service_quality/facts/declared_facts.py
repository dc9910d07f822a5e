"""The facts by name: what each one counts, in words, and which events of a customer tell it.

A fact without `source` is told by the rounds of a contact or by a visit as a whole (conversation_facts.py,
visit_facts.py).
"""

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

from service_quality.events.interaction_event import SEARCH_TERM_GROUPS, InteractionEvent
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.message import Message


class OfEvents(NamedTuple):
    """Events of a kind, each counted once, or with its value of the field `sums`; of one value of a field alone."""

    kind: str
    sums: str | None = None
    only: tuple[str, int] | None = None

    def value(self, event: InteractionEvent) -> int:
        """What an event of the kind adds."""
        if self.only is not None and getattr(event, self.only[0]) != self.only[1]:
            return 0
        return 1 if self.sums is None else getattr(event, self.sums) or 0


class DeclaredFact(NamedTuple):
    """One fact: its sum in words, its last occurrence where a feature may ask for that, and what tells it."""

    name: str
    words: Message
    once: Message | None = None
    source: OfEvents | None = None


#: The buckets of known waits, by the fact that counts them: each up to its bound in milliseconds, the last without one.
REPLY_HISTOGRAM = {
    "reply_ms_to_30s": 30 * SECOND,
    "reply_ms_to_1m": MINUTE,
    "reply_ms_to_3m": 3 * MINUTE,
    "reply_ms_to_5m": 5 * MINUTE,
    "reply_ms_to_15m": 15 * MINUTE,
    "reply_ms_to_1h": HOUR,
    "reply_ms_to_4h": 4 * HOUR,
    "reply_ms_to_1d": DAY,
    "reply_ms_over_1d": None,
}

#: A page is looked at for at most so long; whoever does nothing for longer has left.
LONGEST_VIEW = 30 * MINUTE

#: Orders of articles, counted apart by the remainder of the CRC-32 of the SKU's UTF-8: how many of these counts are
#: above 0 says how many articles there are at least, and unlike a set of names it adds up and can be taken back.
ORDERED_SKUS = tuple(f"ordered_skus_{bucket:02d}" for bucket in range(16))


def ordered_sku_fact(sku: str) -> str:
    """The fact that counts orders of an article.

    >>> ordered_sku_fact("sku-1042")
    'ordered_skus_01'
    """
    return ORDERED_SKUS[crc32(sku.encode()) % len(ORDERED_SKUS)]


#: Searches, counted apart by the group of what was searched for.
SEARCH_TERMS = tuple(f"search_terms_{group:02d}" for group in range(SEARCH_TERM_GROUPS))

#: What is counted in groups, by the name under which features ask for it.
GROUPS = {"skus": ORDERED_SKUS, "search_terms": SEARCH_TERMS}

#: Facts about the contact and its agent.
OF_CONTACTS = (
    DeclaredFact("contacts", Message("contacts", "咨询量"), Message("contact", "咨询")),
    DeclaredFact("replies", Message("replies", "回复数"), Message("reply", "回复")),
    DeclaredFact("first_replies", Message("first replies", "首次回复数")),
    DeclaredFact("timed_replies", Message("replies of known time", "计时回复数")),
    DeclaredFact("reply_ms", Message("time taken for replies", "回复总用时")),
    DeclaredFact("on_time_replies", Message("replies on time", "及时回复数")),
    DeclaredFact("slow_replies", Message("slow replies", "慢回复数")),
    DeclaredFact("half_spent_replies", Message("answers given after half of their time", "用时超过时限一半的回复数")),
    DeclaredFact("late_replies", Message("late answers", "超时回复数")),
    DeclaredFact("reply_ms_to_30s", Message("replies within 30 s", "30 秒内回复数")),
    DeclaredFact("reply_ms_to_1m", Message("replies after 30 s to 1 min", "30 秒至 1 分钟回复数")),
    DeclaredFact("reply_ms_to_3m", Message("replies after 1 to 3 min", "1 至 3 分钟回复数")),
    DeclaredFact("reply_ms_to_5m", Message("replies after 3 to 5 min", "3 至 5 分钟回复数")),
    DeclaredFact("reply_ms_to_15m", Message("replies after 5 to 15 min", "5 至 15 分钟回复数")),
    DeclaredFact("reply_ms_to_1h", Message("replies after 15 min to 1 h", "15 分钟至 1 小时回复数")),
    DeclaredFact("reply_ms_to_4h", Message("replies after 1 to 4 h", "1 至 4 小时回复数")),
    DeclaredFact("reply_ms_to_1d", Message("replies after 4 to 24 h", "4 至 24 小时回复数")),
    DeclaredFact("reply_ms_over_1d", Message("replies after more than 24 h", "超过 24 小时回复数")),
    DeclaredFact("provisional_replies", Message("provisionally judged replies", "暂定判定回复数")),
    DeclaredFact(
        "unanswered",
        Message("questions without an answer", "未获回复的提问数"),
        Message("question without an answer", "未获回复的提问"),
    ),
    DeclaredFact(
        "abandoned",
        Message("abandoned questions", "无人回复而中断的提问数"),
        Message("abandoned question", "无人回复而中断的提问"),
    ),
    DeclaredFact("ratings", Message("ratings", "评价数"), Message("rating", "评价")),
    DeclaredFact(
        "dissatisfied_ratings",
        Message("dissatisfied ratings", "不满意评价数"),
        Message("dissatisfied rating", "不满意评价"),
    ),
    DeclaredFact("rating_points", Message("rating points", "评价总分")),
    DeclaredFact("resolutions", Message("resolved contacts", "已解决数"), Message("resolved contact", "问题解决")),
    DeclaredFact("timed_resolutions", Message("resolutions of known time", "计时解决数")),
    DeclaredFact("resolution_ms", Message("time taken for resolutions", "解决总用时")),
    DeclaredFact("reopenings", Message("reopened contacts", "重新打开数"), Message("reopened contact", "会话重新打开")),
    DeclaredFact("transfers", Message("transfers", "转接数"), Message("transfer", "转接")),
    DeclaredFact("complaints", Message("complaints", "投诉数"), Message("complaint", "投诉")),
)

#: Facts about a customer's behaviour in the shop.
OF_BEHAVIOUR = (
    DeclaredFact(
        "page_views", Message("page views", "浏览次数"), Message("page view", "浏览"), OfEvents("page_viewed")
    ),
    DeclaredFact("browse_ms", Message("browsing time", "浏览时长")),
    DeclaredFact("searches", Message("searches", "搜索次数"), Message("search", "搜索"), OfEvents("searched")),
    DeclaredFact(
        "unfulfilled_searches",
        Message("searches without a result", "无结果的搜索次数"),
        Message("search without a result", "无结果的搜索"),
        OfEvents("searched", only=("results", 0)),
    ),
    *(
        DeclaredFact(name, Message(f"searches of group {number}", f"第 {number} 组搜索词的搜索次数"))
        for number, name in enumerate(SEARCH_TERMS, 1)
    ),
    DeclaredFact("searches_without_order", Message("searches that no order followed that day", "当日未下单的搜索次数")),
    DeclaredFact(
        "cart_additions",
        Message("items put into the cart", "加购次数"),
        Message("item put into the cart", "加购"),
        OfEvents("cart_added"),
    ),
    DeclaredFact(
        "cart_units", Message("pieces put into the cart", "加购件数"), None, OfEvents("cart_added", sums="quantity")
    ),
    DeclaredFact("orders", Message("orders", "订单数"), Message("order", "下单"), OfEvents("order_placed")),
    DeclaredFact("order_days", Message("days with an order", "下单天数"), Message("day with an order", "下单日")),
    DeclaredFact(
        "order_amount_minor", Message("order value", "下单金额"), None, OfEvents("order_placed", sums="amount_minor")
    ),
    DeclaredFact("units", Message("pieces ordered", "购买件数"), None, OfEvents("order_placed", sums="quantity")),
    *(
        DeclaredFact(name, Message(f"orders of articles of group {number}", f"第 {number} 组商品的订单数"))
        for number, name in enumerate(ORDERED_SKUS, 1)
    ),
    DeclaredFact(
        "cancellations",
        Message("cancelled orders", "取消订单数"),
        Message("cancelled order", "取消订单"),
        OfEvents("order_cancelled"),
    ),
    DeclaredFact(
        "cancelled_units", Message("pieces cancelled", "取消件数"), None, OfEvents("order_cancelled", sums="quantity")
    ),
    DeclaredFact(
        "cancelled_amount_minor",
        Message("value of cancelled orders", "取消金额"),
        None,
        OfEvents("order_cancelled", sums="amount_minor"),
    ),
    DeclaredFact(
        "returns",
        Message("returned orders", "退货数"),
        Message("returned order", "退货"),
        OfEvents("order_returned"),
    ),
    DeclaredFact(
        "returned_units", Message("pieces returned", "退货件数"), None, OfEvents("order_returned", sums="quantity")
    ),
    DeclaredFact(
        "returned_amount_minor",
        Message("value of returned orders", "退货金额"),
        None,
        OfEvents("order_returned", sums="amount_minor"),
    ),
)

DECLARED_FACTS: Mapping[str, DeclaredFact] = {fact.name: fact for fact in OF_CONTACTS + OF_BEHAVIOUR}

#: The facts that each kind of behaviour event counts by itself.
EVENT_FACTS: dict[str, tuple[tuple[str, OfEvents], ...]] = {}
for _fact in OF_BEHAVIOUR:
    if _fact.source is not None:
        EVENT_FACTS[_fact.source.kind] = (*EVENT_FACTS.get(_fact.source.kind, ()), (_fact.name, _fact.source))

#: Facts in minor units of a currency: only an entity of one currency may sum them.
MONEY_FACTS = tuple(name for name in DECLARED_FACTS if name.endswith("_minor"))
