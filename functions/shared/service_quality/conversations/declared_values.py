"""The values of a conversation by name: in words, when one is missing, and what one is where there is no round yet."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.conversations.wait_stages import WAITED_SHARE
from service_quality.message import Message

#: Whether the currency of the conversation is known.
CURRENCY_KNOWN = "currency_known"


class DeclaredValue(NamedTuple):
    """One value; event_values.py reads it.

    `missing` says of one that a feature reads when it has no value, "" of one that always has some. A flag is 1 for yes
    and 0 for no; a count is 0 where there is no round.
    """

    name: str
    words: Message
    missing: str = ""
    is_flag: bool = False
    is_count: bool = False


DECLARED_VALUES: Mapping[str, DeclaredValue] = {
    value.name: value
    for value in (
        DeclaredValue("answered", Message("answered by an agent", "人工已回复"), is_flag=True, is_count=True),
        DeclaredValue(
            "first_response_at_least_ms",
            Message("time to the first answer, at least", "首次回复用时（至少）"),
            missing="before the first answer; where the stamps allow no lower bound",
        ),
        DeclaredValue("first_response_ms", Message("time to the first answer", "首次回复用时")),
        DeclaredValue("first_response_days", Message("days until the first answer", "首次回复跨越天数")),
        DeclaredValue(
            "first_response_untimed",
            Message("time of the first answer unknown", "首次回复用时未知"),
            is_flag=True,
            is_count=True,
        ),
        DeclaredValue(
            "longest_later_reply_ms",
            Message("longest wait for a later answer", "后续回复最长等待时间"),
            missing="before a second answer whose wait is known",
        ),
        DeclaredValue("last_reply_ms", Message("wait for the last answer", "最近一次回复用时")),
        DeclaredValue("waiting", Message("the customer is waiting", "顾客正在等待"), is_flag=True, is_count=True),
        DeclaredValue(
            "waiting_ms",
            Message("the customer has been waiting for", "顾客已等待"),
            missing="while nobody waits; where the wait began on a day of unknown time",
        ),
        DeclaredValue("waiting_days", Message("days the customer has waited", "顾客等待跨越天数")),
        DeclaredValue(
            "paused_ms", Message("pauses of the conversation, not counted in the wait", "会话暂停时长（不计入等待）")
        ),
        DeclaredValue(WAITED_SHARE, Message("share of the time for an answer that has passed", "应答时限已用比例")),
        DeclaredValue("answer_due_at", Message("answer due", "应答截止时间")),
        DeclaredValue("answered_at", Message("the answer came", "回复时间")),
        DeclaredValue("answer_over_ms", Message("the answer by its target", "按应答时限")),
        DeclaredValue("conversation_age_ms", Message("age of the conversation", "会话持续时间")),
        DeclaredValue(
            "opened_hour",
            Message("hour of opening", "会话开始时段"),
            missing="before the opening is known; where only its day is known",
        ),
        DeclaredValue("opened_weekday", Message("day of opening", "会话开始日")),
        DeclaredValue("event_hour", Message("hour of the latest event", "最近事件时段")),
        DeclaredValue("event_weekday", Message("day of the latest event", "最近事件日")),
        DeclaredValue("replies", Message("answers given", "已回复次数"), is_count=True),
        DeclaredValue("customer_messages", Message("customer messages", "顾客消息数"), is_count=True),
        DeclaredValue("agent_messages", Message("agent messages", "客服消息数"), is_count=True),
        DeclaredValue("bot_messages", Message("bot messages", "机器人消息数"), is_count=True),
        DeclaredValue("transfers", Message("transfers between agents", "转接次数"), is_count=True),
        DeclaredValue("reopenings", Message("times reopened", "重新打开次数"), is_count=True),
        DeclaredValue(
            "conversation_complaints", Message("complaints in this conversation", "本次会话投诉数"), is_count=True
        ),
        DeclaredValue(
            "price_minor", Message("price of the product", "商品价格"), missing="while no event named an amount"
        ),
        DeclaredValue(CURRENCY_KNOWN, Message("currency known", "币种已知"), is_flag=True, is_count=True),
        DeclaredValue("closed", Message("closed", "已结束"), is_flag=True),
    )
}
