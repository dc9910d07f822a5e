"""The messages of alerts in English and Chinese, one for each declared name: data, put together in wording.py."""

from collections.abc import Mapping

from service_quality.conversations.declared_values import DECLARED_VALUES
from service_quality.facts.declared_facts import DECLARED_FACTS
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from service_quality.message import Message
from service_quality.tasks.declared_tasks import TASKS


def say(table: Mapping[str, Message], name: str, language: str) -> str:
    """The text of a table for a name; the name itself where today's code does not know it.

    >>> say(SEVERITIES, "critical", "zh"), say(SEVERITIES, "fatal", "zh")
    ('紧急', 'fatal')
    """
    found = table.get(name)
    return name if found is None else found.said(language)


ENTITIES = {
    "shop": Message("the shop", "本店"),
    "manager": Message("the manager's teams", "该经理所辖团队"),
    "supervisor": Message("the supervisor's team", "该主管团队"),
    "agent": Message("the agent", "该客服"),
    "agent_category": Message("the agent with this kind of issue", "该客服处理此类问题"),
    "tenure": Message("agents of this tenure", "同工龄段客服"),
    "shift": Message("this shift", "该班次"),
    "channel": Message("this channel", "该渠道"),
    "category": Message("this category", "该类别"),
    "subcategory": Message("this very issue", "此细分问题"),
    "subcategory_product": Message("this very issue with this kind of product", "此类商品的此细分问题"),
    "customer": Message("the customer", "该顾客"),
    "customer_currency": Message("the customer in this currency", "该顾客以该币种计"),
    "sku": Message("this article", "该商品"),
    "shop_currency": Message("the shop in this currency", "本店以该币种计"),
    "category_currency": Message("this category in this currency", "该类别以该币种计"),
    "sku_currency": Message("this article in this currency", "该商品以该币种计"),
}

WINDOWS = {
    "1h": Message("the last hour", "近 1 小时"),
    "1d": Message("the last 24 hours", "近 24 小时"),
    "7d": Message("the last 7 days", "近 7 天"),
    "30d": Message("the last 30 days", "近 30 天"),
    "90d": Message("the last 90 days", "近 90 天"),
    "365d": Message("the last 365 days", "近 365 天"),
}

#: What the sum of a fact counts, and one occurrence of it.
FACTS = {name: fact.words for name, fact in DECLARED_FACTS.items()}
ONCE = {name: fact.once for name, fact in DECLARED_FACTS.items() if fact.once is not None}

#: A fact per another fact.
MEANS = {
    ("reply_ms", "timed_replies"): Message("average reply time", "平均回复时长"),
    ("resolution_ms", "timed_resolutions"): Message("average time to resolution", "平均解决时长"),
    ("rating_points", "ratings"): Message("average rating", "平均评分"),
    ("order_amount_minor", "orders"): Message("average order value", "平均订单金额"),
}

#: What comes of two features.
COMBINED = {
    "purchase_span": Message("time between the first and the last order", "首次与最后一次下单的间隔"),
    "purchase_gap": Message("average time between days with an order", "下单日的平均间隔"),
    "overdue": Message(
        "time since the last order, in average gaps between orders,", "距上次下单时间与平均下单间隔之比"
    ),
    "taken_back": Message("value of cancelled orders per value of orders", "取消金额与下单金额之比"),
}

#: How many different ones there are of what is counted in groups, and how frequent the most frequent is.
DISTINCT = {
    "skus": Message("different articles ordered, at least,", "购买的不同商品数（至少）"),
    "search_terms": Message("different things searched for, at least,", "搜索的不同内容数（至少）"),
}
TOP_SHARES = {
    "skus": Message("share of the most frequent group of articles in the orders", "下单最多的商品组所占比例"),
    "search_terms": Message("share of the most frequent group in the searches", "搜索最多的内容组所占比例"),
}

RATES = {
    "dissatisfied": Message("dissatisfaction rate", "不满意率"),
    "on_time": Message("on-time reply rate", "及时回复率"),
    "slow": Message("rate of slow replies", "慢回复率"),
    "late_past_half": Message(
        "estimated share that comes late of answers not given by half time", "过半时限未回复者最终超时的估计比例"
    ),
    "resolved": Message("resolution rate", "解决率"),
    "reopened": Message("reopening rate", "重新打开率"),
    "returned": Message("return rate", "退货率"),
    "complaint": Message("complaint rate", "投诉率"),
}

#: The scores of tasks by name.
SCORES = {task.score: task.words for task in TASKS.values()}
#: Values of the conversation, and every score.
EVENT_VALUES = {**{name: value.words for name, value in DECLARED_VALUES.items()}, **SCORES}

SEVERITIES = {
    "info": Message("notice", "提示"),
    "warning": Message("warning", "警告"),
    "critical": Message("critical", "紧急"),
}

STATES = {
    "opened": Message("new", "新告警"),
    "repeated": Message("ongoing", "仍在持续"),
    "worsened": Message("got worse", "已加重"),
    "resolved": Message("ended", "已解除"),
    "silent": Message("came back, not sent yet", "再次出现，尚未通知"),
}

AUDIENCES = {
    "operations": Message("operations", "运营"),
    "team": Message("team", "客服团队"),
    "coaching": Message("coaching", "辅导培训"),
    "marketing": Message("marketing", "市场"),
    "buying": Message("buying", "采购"),
}

#: What ends an alert.
ENDED_BY = {
    "answered": Message("the customer has an answer", "已回复顾客"),
    "resolved": Message("the conversation is settled", "会话已解决"),
    "closed_unanswered": Message("the conversation was closed without an answer", "会话未经回复即被关闭"),
    "given_up": Message(
        "nobody answered until the conversation ended by silence", "一直无人回复，会话因长时间无活动而结束"
    ),
    "silence": Message("the conversation ended by silence", "会话因长时间无活动而结束"),
    "rated": Message("the customer has rated the conversation", "顾客已评价"),
    "merged": Message("the conversation was merged into another one", "会话已并入其他会话"),
    "next_round": Message("the conversation was opened again", "会话已重新开始"),
    "rule_withdrawn": Message("rule withdrawn", "规则已撤回"),
    "finding_expired": Message("what was found is out of date", "此前的分析结论已过期"),
}

SUBJECTS = {
    "conversation": Message("Conversation", "会话"),
    "agent": Message("Agent", "客服"),
    "category": Message("Kind of issue", "问题类别"),
    "customer": Message("Customer", "顾客"),
    "sku": Message("Article", "商品"),
    "shop": Message("Shop", "店铺"),
}

WEEKDAYS = (
    Message("Monday", "星期一"),
    Message("Tuesday", "星期二"),
    Message("Wednesday", "星期三"),
    Message("Thursday", "星期四"),
    Message("Friday", "星期五"),
    Message("Saturday", "星期六"),
    Message("Sunday", "星期日"),
)

#: Units of durations, longest first, in milliseconds.
UNITS = (
    (DAY, Message("d", "天")),
    (HOUR, Message("h", "小时")),
    (MINUTE, Message("min", "分钟")),
    (SECOND, Message("s", "秒")),
)

#: Whether an answer that is not given by half time will probably be late, by the share of such answers that are.
ESTIMATES = {
    "late": Message("Estimate: probably late", "预计：很可能超时"),
    "in_time": Message("Estimate: probably in time", "预计：很可能不会超时"),
    "unknown": Message("Estimate: cannot be said", "预计：暂无法判断"),
}
#: The number behind it, and whose.
ESTIMATED_FROM = Message("{0} ({1} of {2})", "{0}（{2}：{1}）")
ESTIMATED_OF = {
    "agent": Message(
        "the agent's answers not given by half time come late, last 7 days", "该客服近 7 天过半时限未回复者的超时比例"
    ),
    "shop": Message(
        "the shop's answers not given by half time come late, last 7 days", "本店近 7 天过半时限未回复者的超时比例"
    ),
}

UNKNOWN = Message("unknown", "未知")
NO_CURRENCY = Message("{} (currency not set)", "{}（未设置币种）")
MULTIPLE = Message("{} ×", "{} 倍")
LATE = Message("{} late", "超时 {}")
IN_TIME = Message("in time", "未超时")
YES = Message("yes", "是")
NO = Message("no", "否")

MAIL = {
    "line": Message("{}: {}", "{}：{}"),
    "subject": Message("[{}] {} ({}) - {}", "【{}】{}（{}）- {}"),
    "reason": Message("{} ({})", "{}（{}）"),
    "severity": Message("Severity", "级别"),
    "state": Message("State", "状态"),
    "shop": Message("Shop", "店铺"),
    "since": Message("Alert since", "告警开始时间"),
    "at": Message("As of", "截至时间"),
    "repeats": Message("Times seen again since the last message", "自上次通知以来再次出现次数"),
    "evidence": Message("What was seen", "具体情况"),
    "reasons": Message("What weighs most in the risk", "影响风险的主要原因"),
    "measure": Message("What to do", "建议措施"),
    "provisional": Message("Provisional until the calendar of the year is published", "该年度放假安排公布前为暂定数据"),
    "ended_by": Message("Why it ended", "结束原因"),
    "alert": Message("Alert", "告警编号"),
    "model": Message("Model", "模型版本"),
    "raises": Message("raises the risk: odds × {:.2f}", "提高风险：几率 × {:.2f}"),
    "lowers": Message("lowers the risk: odds × {:.2f}", "降低风险：几率 × {:.2f}"),
}
