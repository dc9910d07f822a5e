"""What the name of a column says: a table of words, English and Chinese, asked in order."""

import re
from collections.abc import Iterable

from spark_jobs.sources.mapping import header_name

OPENED, ANSWERED, RESOLVED, RATED = "conversation_opened", "agent_message", "resolved", "rated"
HAPPENED = "happened"
#: Roles of instants, in the order in which they happen.
INSTANTS = (OPENED, HAPPENED, ANSWERED, RESOLVED, RATED)
#: Other roles of times.
OTHER_TIMES = ("order_date", "updated", "promised_at", "delivered_at")
#: What a column's name says, in the order in which it is asked: role, words that the name has, whether it is doubtful.
_NAMES: tuple[tuple[str, str, bool], ...] = (
    ("promised_at", r"(estimated|promised|expected).*deliver|deliver.*(estimate|promise)|预计送达|承诺送达", False),
    ("delivered_at", r"delivered.?(to )?(customer|at$|on$)|送达时间|签收时间", False),
    (
        "",
        r"synced|fivetran|\bdue\b|\bsla\b|interactions|time tracked|\bage$|gender|city|\bstate$|zip|country|tags|"
        r"\burl\b|merged|lenght|length|width|height|weight|photos|note$|^is |source (id|subject|delivered)|"
        r"message source|deliver|estimated|approved|shipping|limit|freight|session$|brand|seller|"
        r"filename|mime|\bsize\b|snoozed|waiting",
        False,
    ),
    ("", r"resolution( time)? status|first response status|^resolution$|handling time", False),
    ("", r"e-?mail|邮箱|电话|phone$|customer name|姓名|^name$", False),
    (RATED, r"(survey|rating|review).*(date|time|at|timestamp)$|评价时间", False),
    ("text_of_rating", r"remark|(survey|rating) comment|评价内容|^review$|comment message|comment title", False),
    ("rating", r"csat|satisfaction|survey result|rating|\bstars?$|score$|评分|满意度|评价|^label$", False),
    ("duration_of_resolution", r"(resolution|resolve).*(hrs|hours|in min)|解决时长", True),
    ("duration_of_answer", r"(response|reply).*(hrs|hours|in min)|首次响应时长|平均响应时长", True),
    (ANSWERED, r"respond|response.*(time|at)|first.*reply.*at|answered|首次响应|回复时间", False),
    ("updated", r"updat|last.*(change|modified)|更新时间", True),
    (RESOLVED, r"resol|closed|completed|solved|解决时间|关闭时间|结束时间", False),
    (OPENED, r"(report|creat|open|submitted|issue).*(time|at|date)|created$|创建时间|开始时间|提交时间|进线", False),
    ("order_date", r"(purchase|invoice|order).*(date|time|timestamp)|date of purchase|invoicedate|下单时间", False),
    (HAPPENED, r"event time|timestamp|^time$|^date$|sent.?at|时间$", False),
    ("message_id", r"message id|comment id|part id", True),
    ("order_id", r"order.?(id|no|number)|invoice.?(no|id|number)|^invoice$|订单", False),
    ("sku", r"\bsku\b|product.?id|stock.?code|^item.?id|商品编号|货号", False),
    (
        "customer_id",
        r"(customer|user|client|requester|buyer|visitor).?(unique.?)?(id|no)|^customer$|买家|客户|用户",
        False,
    ),
    (
        "conversation_id",
        r"(ticket|conversation|chat|contact|case|unique|会话|工单).?(id|no|number|编号|号)|^id$|单号",
        False,
    ),
    ("supervisor_id", r"supervisor|team.?lead|组长|主管", False),
    ("manager_id", r"manager|经理", False),
    ("agent_shift", r"shift|班次", False),
    ("agent_tenure", r"tenure|工龄", False),
    ("author_role", r"(author|actor|sender|user|assignee|assigned to|source author) (type|role)|^role$", True),
    ("agent_id", r"agent|assignee|assigned to|operator|handled by|客服|坐席", False),
    ("author", r"(author|actor|sender).?id|^author$|^from$", True),
    ("kind", r"event.?type|part.?type|message type", True),
    ("text", r"body$|^message$|^text$", False),
    ("product", r"product.?categor", True),
    ("subcategory", r"sub.?categor|subject|\bgroup$|子类|小类|二级", True),
    ("category", r"categor(?!.*(?<![a-z])id$)|ticket.?type|^cat$|类型|分类|问题", False),
    ("category", r"^type$|reason", True),
    ("product", r"product purchased|^product$|商品|产品", False),
    ("channel", r"channel|^source$|source type|\bvia\b|渠道|来源", False),
    ("priority", r"priorit|urgency|优先级", False),
    ("quantity", r"quantity|\bqty\b|数量", False),
    ("amount_minor", r"price|amount|total|revenue|金额|价格|单价", False),
    ("status", r"status|\bstate\b|状态", True),
    ("text", r"message|description|content|comment|内容|消息", True),
    ("sequence", r"index|sequence|position|^nr$", True),
)
#: Roles that no event reads: what they tell is said as a doubt.
HINTS = {
    "updated": "it may tell which version of a row is the latest (latestBy), or when a contact was settled",
    "message_id": "it may name a message, and so its event",
    "author_role": "it may tell who wrote, and so the kind of an event (when)",
    "kind": "it may tell the kind of an event (when)",
    "status": "it may tell whether a contact is settled or left out (when, leaveOut)",
    "duration_of_answer": "a duration: it may give the instant of the answer (after, add)",
    "duration_of_resolution": "a duration: it may give the instant of the resolution (after, add)",
}
_COMPILED = tuple((role, re.compile(words), is_doubtful) for role, words, is_doubtful in _NAMES)


def role_of(name: str, without: Iterable[str] = ()) -> tuple[str, bool]:
    """The role that a column's name says, "" for none, and whether it is doubtful."""
    plain = re.sub(r"[_\-]+", " ", header_name(name))
    both = (plain, header_name(name))
    for role, words, is_doubtful in _COMPILED:
        if role not in without and any(words.search(one) for one in both):
            return role, is_doubtful
    return "", False
