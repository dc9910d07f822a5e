"""The words of alerts in English and Chinese, for everything that can be declared: data, put together in wording.py."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.instants import DAY, HOUR, MINUTE, SECOND


class Words(NamedTuple):
    """The same thing said in each language."""

    en: str
    zh: str

    def said(self, language: str) -> str:
        """The words in one of LANGUAGES."""
        return str(getattr(self, language))


LANGUAGES = Words._fields


def say(table: Mapping[str, Words], name: str, language: str) -> str:
    """The words of a table for a name; the name itself where today's code does not know it.

    >>> say(SEVERITIES, "critical", "zh"), say(SEVERITIES, "fatal", "zh")
    ('紧急', 'fatal')
    """
    found = table.get(name)
    return name if found is None else found.said(language)


ENTITIES = {
    "shop": Words("the shop", "本店"),
    "manager": Words("the manager's teams", "该经理所辖团队"),
    "supervisor": Words("the supervisor's team", "该主管团队"),
    "agent": Words("the agent", "该客服"),
    "agent_category": Words("the agent with this kind of issue", "该客服处理此类问题"),
    "tenure": Words("agents of this tenure", "同工龄段客服"),
    "shift": Words("this shift", "该班次"),
    "channel": Words("this channel", "该渠道"),
    "category": Words("this kind of issue", "此类问题"),
    "subcategory": Words("this very issue", "此细分问题"),
    "subcategory_product": Words("this very issue with this kind of product", "此类商品的此细分问题"),
    "customer": Words("the customer", "该顾客"),
    "sku": Words("this article", "该商品"),
}

WINDOWS = {
    "1h": Words("the last hour", "近 1 小时"),
    "1d": Words("the last 24 hours", "近 24 小时"),
    "7d": Words("the last 7 days", "近 7 天"),
    "30d": Words("the last 30 days", "近 30 天"),
    "90d": Words("the last 90 days", "近 90 天"),
}

FACTS = {
    "contacts": Words("contacts", "咨询量"),
    "replies": Words("replies", "回复数"),
    "timed_replies": Words("replies of known time", "计时回复数"),
    "reply_ms": Words("time taken for replies", "回复总用时"),
    "on_time_replies": Words("replies on time", "及时回复数"),
    "slow_replies": Words("slow replies", "慢回复数"),
    "ratings": Words("ratings", "评价数"),
    "dissatisfied_ratings": Words("dissatisfied ratings", "不满意评价数"),
    "rating_points": Words("rating points", "评价总分"),
    "resolutions": Words("resolved contacts", "已解决数"),
    "reopenings": Words("reopened contacts", "重新打开数"),
    "transfers": Words("transfers", "转接数"),
    "complaints": Words("complaints", "投诉数"),
    "page_views": Words("page views", "浏览次数"),
    "browse_ms": Words("browsing time", "浏览时长"),
    "searches": Words("searches", "搜索次数"),
    "cart_additions": Words("items put into the cart", "加购次数"),
    "orders": Words("orders", "订单数"),
    "order_amount_minor": Words("order value", "下单金额"),
    "cancellations": Words("cancelled orders", "取消订单数"),
    "returns": Words("returned orders", "退货数"),
}

#: What last happened, for the time since.
LAST = {
    "contacts": Words("contact", "咨询"),
    "replies": Words("reply", "回复"),
    "ratings": Words("rating", "评价"),
    "dissatisfied_ratings": Words("dissatisfied rating", "不满意评价"),
    "resolutions": Words("resolved contact", "问题解决"),
    "reopenings": Words("reopened contact", "会话重新打开"),
    "transfers": Words("transfer", "转接"),
    "complaints": Words("complaint", "投诉"),
    "page_views": Words("page view", "浏览"),
    "searches": Words("search", "搜索"),
    "cart_additions": Words("item put into the cart", "加购"),
    "orders": Words("order", "下单"),
    "cancellations": Words("cancelled order", "取消订单"),
    "returns": Words("returned order", "退货"),
}

#: A fact per another fact.
MEANS = {
    ("reply_ms", "timed_replies"): Words("average reply time", "平均回复时长"),
    ("rating_points", "ratings"): Words("average rating", "平均评分"),
    ("order_amount_minor", "orders"): Words("average order value", "平均订单金额"),
}

RATES = {
    "dissatisfied": Words("dissatisfaction rate", "不满意率"),
    "on_time": Words("on-time reply rate", "及时回复率"),
    "slow": Words("rate of slow replies", "慢回复率"),
    "resolved": Words("resolution rate", "解决率"),
    "reopened": Words("reopening rate", "重新打开率"),
    "returned": Words("return rate", "退货率"),
    "complaint": Words("complaint rate", "投诉率"),
}

#: What is read off the conversation, and its score.
EVENT_VALUES = {
    "answered": Words("answered by an agent", "人工已回复"),
    "first_response_at_least_ms": Words("time to the first answer, at least", "首次回复用时（至少）"),
    "first_response_ms": Words("time to the first answer", "首次回复用时"),
    "first_response_days": Words("days until the first answer", "首次回复跨越天数"),
    "first_response_untimed": Words("time of the first answer unknown", "首次回复用时未知"),
    "longest_later_reply_ms": Words("longest wait for a later answer", "后续回复最长等待时间"),
    "last_reply_ms": Words("wait for the last answer", "最近一次回复用时"),
    "waiting_ms": Words("the customer has been waiting for", "顾客已等待"),
    "waiting_days": Words("days the customer has waited", "顾客等待跨越天数"),
    "conversation_age_ms": Words("age of the conversation", "会话持续时间"),
    "opened_hour": Words("hour of opening", "会话开始时段"),
    "opened_weekday": Words("day of opening", "会话开始日"),
    "event_hour": Words("hour of the latest event", "最近事件时段"),
    "event_weekday": Words("day of the latest event", "最近事件日"),
    "replies": Words("answers given", "已回复次数"),
    "customer_messages": Words("customer messages", "顾客消息数"),
    "agent_messages": Words("agent messages", "客服消息数"),
    "bot_messages": Words("bot messages", "机器人消息数"),
    "transfers": Words("transfers between agents", "转接次数"),
    "reopenings": Words("times reopened", "重新打开次数"),
    "conversation_complaints": Words("complaints in this conversation", "本次会话投诉数"),
    "price_minor": Words("price of the product", "商品价格"),
    "closed": Words("closed", "已结束"),
    "score": Words("risk that the customer ends up dissatisfied", "顾客最终不满意的风险"),
}

RULES = {
    "waiting_too_long": Words("Customer waits too long for an answer", "顾客等待回复过久"),
    "high_risk": Words("Conversation is likely to end dissatisfied", "会话很可能以顾客不满意告终"),
    "agent_risk_above_team": Words(
        "Agent's customers are dissatisfied far more often than the team's", "客服的不满意率明显高于团队"
    ),
}

#: What to do about an alert of each rule.
MEASURES = {
    "waiting_too_long": Words(
        "If the customer still waits, answer now or hand over to somebody who can. If the answer came late, "
        "apologise and make sure that it settled the matter.",
        "如顾客仍在等待，请立即回复，或转给能马上处理的同事；如回复已超时，请致歉并确认问题是否解决。",
    ),
    "high_risk": Words(
        "Read the conversation and offer the customer a solution before it closes. The reasons above show where to "
        "look.",
        "请查看会话，并在结束前主动给出解决方案；可从上面列出的原因入手。",
    ),
    "agent_risk_above_team": Words(
        "Go through recent conversations together with the agent. Look first at which issues the agent was given: "
        "hard ones are nobody's fault.",
        "请与该客服一起复盘近期会话；先看其分到的问题是否本来就难处理，再作评价。",
    ),
}

SEVERITIES = {
    "info": Words("notice", "提示"),
    "warning": Words("warning", "警告"),
    "critical": Words("critical", "紧急"),
}

STATES = {
    "opened": Words("new", "新告警"),
    "worsened": Words("got worse", "已加重"),
    "resolved": Words("resolved", "已解除"),
}

SUBJECTS = {"conversation": Words("Conversation", "会话"), "agent": Words("Agent", "客服")}

WEEKDAYS = (
    Words("Monday", "星期一"),
    Words("Tuesday", "星期二"),
    Words("Wednesday", "星期三"),
    Words("Thursday", "星期四"),
    Words("Friday", "星期五"),
    Words("Saturday", "星期六"),
    Words("Sunday", "星期日"),
)

#: Units of durations, longest first, in milliseconds.
UNITS = (
    (DAY, Words("d", "天")),
    (HOUR, Words("h", "小时")),
    (MINUTE, Words("min", "分钟")),
    (SECOND, Words("s", "秒")),
)

UNKNOWN = Words("unknown", "未知")
YES = Words("yes", "是")
NO = Words("no", "否")

MAIL = {
    "line": Words("{}: {}", "{}：{}"),
    "reason": Words("{} ({})", "{}（{}）"),
    "severity": Words("Severity", "级别"),
    "state": Words("State", "状态"),
    "shop": Words("Shop", "店铺"),
    "since": Words("Since", "开始时间"),
    "at": Words("As of", "截至时间"),
    "repeats": Words("Seen again since", "期间再次出现"),
    "evidence": Words("What was seen", "具体情况"),
    "reasons": Words("What weighs most in the risk", "影响风险的主要原因"),
    "measure": Words("What to do", "建议措施"),
    "alert": Words("Alert", "告警编号"),
    "model": Words("Model", "模型版本"),
    "raises": Words("raises the odds {:.2f}-fold", "使不满意的几率升至 {:.2f} 倍"),
    "lowers": Words("lowers the odds to {:.2f} of what they were", "使不满意的几率降至 {:.2f} 倍"),
}
