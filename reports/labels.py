"""The labels of the page and the summary, in English and Chinese.

Messages for features, rules, severities, states and measures are those of alerts, in wording_messages.py.
"""

from typing import NamedTuple

from service_quality.message import Message

LABELS = {
    "title": Message("Contacts in, alerts out", "从顾客咨询到服务告警"),
    "lead": Message(
        "A model was trained on what happened before {split}. Everything from that day on was replayed, in log order, "
        "through the deployed functions. This page shows what they served, and whether it was right.",
        "模型只用 {split} 之前的数据训练；该日起的全部事件按日志顺序经由已部署的函数重放。"
        "本页展示函数给出的结果，以及这些结果是否正确。",
    ),
    "other_language": Message("中文", "English"),
    "synthetic": Message("synthetic", "合成数据"),
    "synthetic_world": Message("synthetic world", "合成的店铺世界"),
    "synthetic_banner": Message("Synthetic data", "合成数据"),
    "synthetic_note": Message(
        "No shop, agent or customer behind these figures exists. They show that the machinery works, "
        "not how good a model would be on your contacts.",
        "这些数字背后没有真实的店铺、客服或顾客。它们只说明系统运转正确，不代表模型在真实咨询上的效果。",
    ),
    # Proofs
    "proofs": Message("The proofs", "正确性验证"),
    "all_held": Message("Every proof holds.", "全部验证通过。"),
    "some_failed": Message("{failed} of {all} proofs failed.", "{all} 项验证中有 {failed} 项未通过。"),
    "held": Message("holds", "通过"),
    "failed": Message("failed", "未通过"),
    "consistency": Message("Served online = recomputed by Spark", "线上所用特征 = Spark 重算特征"),
    "consistency_note": Message(
        "Every feature of every scored event, recomputed from the archived log and compared bit for bit.",
        "从归档日志重算每个评分事件的每个特征，逐位比较。",
    ),
    "parity": Message("Trained model = exported model", "训练模型 = 导出模型"),
    "parity_note": Message(
        "Largest difference between the two engines' probabilities on the same rows; at most {limit} is allowed.",
        "两种引擎对相同数据给出的概率之间的最大差异，允许值不超过 {limit}。",
    ),
    "delivery": Message("Alerts published = alerts received", "发布的告警 = 收到的告警"),
    "delivery_note": Message(
        "What a queue and a web server that subscribe to the topic really received.",
        "订阅该主题的队列与网页服务器实际收到的消息。",
    ),
    "live": Message("Messages due live = messages that came", "实时应发消息 = 实际送达消息"),
    "live_note": Message(
        "Conversations that happened during the run, with timers that rang by themselves.",
        "运行期间真实发生的会话，由计时器自行触发。",
    ),
    "due_messages": Message("messages due", "应发消息"),
    "came": Message("came", "已送达"),
    "others": Message("not due", "不应发而发"),
    "compared": Message("compared", "已比较"),
    "mismatched": Message("mismatched", "不一致"),
    "missing": Message("missing", "缺失"),
    "extra": Message("extra", "多余"),
    "chain": Message("archive chain", "归档链"),
    "whole": Message("whole", "完整"),
    "broken": Message("broken", "断裂"),
    "largest_difference": Message("largest difference", "最大差异"),
    "published": Message("published", "已发布"),
    "received": Message("received by queue", "队列收到"),
    "received_http": Message("received by web", "网页服务器收到"),
    # In and out
    "in": Message("What went in", "输入"),
    "out": Message("What came out", "输出"),
    "source": Message("source", "数据来源"),
    "events": Message("interaction events", "交互事件"),
    "conversations": Message("conversations", "会话"),
    "rejected": Message("rows rejected", "被拒记录"),
    "training_rows": Message("training rows", "训练样本"),
    "split": Message("split", "分割日"),
    "replayed_events": Message("events replayed", "重放事件"),
    "alerts_received": Message("alert messages", "告警消息"),
    "judged": Message("replayed conversations with a rating", "重放部分中有评价的会话"),
    "base_rate": Message("of rated conversations ended dissatisfied", "已评价会话中不满意的占比"),
    "auc_after_answer": Message("ROC AUC after the first answer", "首次回复后的 ROC AUC"),
    "auc_at_opening": Message("ROC AUC at the opening", "会话开始时的 ROC AUC"),
    "ece_after_answer": Message("calibration error after the first answer", "首次回复后的校准误差"),
    "model_version": Message("model", "模型版本"),
    # Scores
    "scores": Message("How good the scores were", "评分效果"),
    "scores_note": Message(
        "Judged by the ratings that came later: one score for each conversation. Dissatisfied means a rating of at "
        "most 3 of 5.",
        "以之后到来的评价为准，每个会话取一个评分。评价不高于 3 分（满分 5 分）即为不满意。",
    ),
    "figures_title": Message("Figures of merit", "评估指标"),
    "answer": Message("after the first answer", "首次回复后"),
    "opening": Message("at the opening", "会话开始时"),
    "stage": Message("when a wait reached a stage", "等待到达节点时"),
    "challenger": Message("challenger, before the split", "挑战者（分割日前）"),
    "challenger_note": Message(
        "The challenger was trained beside the model and judged on the last days before the split.",
        "挑战者与模型同时训练，在分割日前最后几天的数据上评估。",
    ),
    "auc": Message("ROC AUC", "ROC AUC"),
    "average_precision": Message("average precision", "平均精确率"),
    "log_loss": Message("log loss", "对数损失"),
    "brier": Message("Brier score", "Brier 分数"),
    "ece": Message("calibration error", "校准误差"),
    "rows": Message("scores", "评分数"),
    "higher": Message("higher is better", "越高越好"),
    "lower": Message("lower is better", "越低越好"),
    "roc_title": Message("ROC curve", "ROC 曲线"),
    "calibration_title": Message("Calibration {moment}", "校准曲线：{moment}"),
    "roc_x": Message("share of satisfied conversations flagged", "被误标的满意会话占比（假阳性率）"),
    "roc_y": Message("share of dissatisfied found", "找出的不满意会话占比（真阳性率）"),
    "calibration_x": Message("predicted probability (mean of the bin)", "预测概率（分箱均值）"),
    "calibration_y": Message("share really dissatisfied", "实际不满意占比"),
    "average": Message("average {share}", "平均 {share}"),
    "bars_note": Message(
        "Calibration: 15 bins of equal size; bars are 95 % intervals (Wilson).",
        "校准曲线：15 个等量分箱；竖线为 95 % 置信区间（Wilson）。",
    ),
    "point": Message(
        "{rows} conversations: predicted {mean}, really {share}", "{rows} 个会话：预测 {mean}，实际 {share}"
    ),
    "no_curve": Message(
        "No curve: it takes rated conversations of both outcomes.", "无曲线：需要两种结果都有的已评价会话。"
    ),
    # Alerts
    "alerts": Message("Alerts", "告警"),
    "by_kind": Message("By kind", "按类型"),
    "by_hour": Message("New alerts by hour of day", "新告警的时段分布"),
    "alerts_note": Message(
        "Messages as subscribers received them. Repetitions are counted inside an alert, not sent. An alert can end "
        "that opened before, so more may be resolved than new.",
        "订阅者收到的消息；重复出现只在告警内计数，不再发送。此前开启的告警也会解除，因此解除数可能多于新告警数。",
    ),
    "kind": Message("kind", "类型"),
    "total": Message("all", "合计"),
    "hour_x": Message("hour of day in the shop's time zone", "时段（店铺所在时区，小时）"),
    "hour_y": Message("new alerts", "新告警数"),
    "no_alerts": Message("No alert was received.", "没有收到告警。"),
    "quality": Message("How often an alert was right", "告警的准确程度"),
    "per_day": Message("a day", "每天"),
    "judged_alerts": Message("rated later", "之后有评价"),
    "precision": Message("right", "精确率"),
    "recall": Message("found", "召回率"),
    "before_answer": Message("before an answer", "早于首次回复"),
    "minutes_before_answer": Message("minutes ahead of it", "早于回复的分钟数"),
    "hours_before_rating": Message("hours left", "提前小时数"),
    "quality_note": Message(
        "Judged by later ratings, each conversation once. Right: share of alerted conversations that ended "
        "dissatisfied; by chance it would be {base}. Found: share of all dissatisfied conversations that were alerted. "
        "Before an answer: share of alerts that came before a person first answered, and the median time by which they "
        "did. Hours left: median time to the rating.",
        "以之后的评价判定，每个会话计一次。精确率：被告警的会话中最终不满意的占比（随机水平为 {base}）。"
        "召回率：所有不满意会话中被告警的占比。早于首次回复：在人工首次回复之前发出的告警占比及其提前时间的中位数。"
        "提前小时数：告警距评价的中位时间。",
    ),
    # The live minute
    "live_title": Message("A minute live", "实时一分钟"),
    "live_minute_note": Message(
        "Two shops, made up, that answer within {target} s. A timer rings when half, three quarters and all of the "
        "time is over, one second later for what arrives late: a notice for the agent, a warning for the team lead, "
        "then the breach. An answer ends it. A ring is the instant at which a message was due, a disc the one at which "
        "it came.",
        "两家演示店铺，应答时限均为 {target} 秒。时限过半、过四分之三、到期时，计时器各触发一次"
        "（另留一秒等待迟到的事件）："
        "先提示客服本人，再警告组长，最后报告超时；有人回复即解除。圆环为应发时刻，圆点为送达时刻。",
    ),
    "late": Message("Answered too late", "超时才回复"),
    "reminded": Message("Answered after the notice", "收到提示后回复"),
    "in-time": Message("Answered soon: nobody is disturbed", "很快回复：不打扰任何人"),
    "customer": Message("customer", "顾客"),
    "agent": Message("agent", "客服"),
    "second": Message("second", "第几秒"),
    "said": Message("what", "内容"),
    "due": Message("due at", "应发"),
    "lateness": Message("after that", "延后"),
    "no_message": Message("No message, as it should be.", "没有消息，正该如此。"),
    "messages_missing": Message("{} messages are missing.", "缺少 {} 条消息。"),
    "latest_message": Message("the latest {} s after it was due", "最晚一条在应发后 {} 秒送达"),
    # Telling alerts
    "telling": Message("The most telling alerts", "最具代表性的告警"),
    "telling_note": Message(
        "Different kinds first, then the gravest. A bar shows what a reason adds to the log-odds of dissatisfaction, "
        "compared with the average of its training rows; all bars have one scale.",
        "先取不同类型，再取最严重者。条形表示该原因对不满意对数几率的贡献（相对于训练样本的平均水平），所有条形采用同一刻度。",
    ),
    "risk": Message("risk", "风险"),
    "lowers_risk": Message("lowers the risk", "降低风险"),
    "raises_risk": Message("raises the risk", "提高风险"),
    "log_odds": Message("contribution to log-odds", "对数几率贡献"),
    "not_scored": Message("This alert carries no score, so it has no reasons.", "该告警不带评分，因此没有原因列表。"),
    # Time
    "time": Message("Where the time went", "耗时"),
    "time_note": Message(
        "Wall-clock time of each step; learning runs beside building and deploying.",
        "每个步骤的实际耗时；训练与构建部署同时进行。",
    ),
    "seconds": Message("{} s", "{} 秒"),
    "minutes": Message("{} min {} s", "{} 分 {} 秒"),
}

#: Steps of the demo by the name they are timed under.
STEPS = {
    "build and deploy": Message("build and deploy", "构建与部署"),
    "learn from the past": Message("learn from the past", "从历史中学习"),
    "export and promote": Message("export and promote the model", "导出并上线模型"),
    "set policies": Message("set policies", "设置服务策略"),
    "materialize histories": Message("materialize histories", "物化历史状态"),
    "replay": Message("replay the later events", "重放后续事件"),
    "receive alerts": Message("receive alerts", "接收告警"),
    "a minute live": Message("a minute live", "实时一分钟"),
    "fold the archive": Message("fold the archive", "归档入湖"),
    "learn from what was served": Message("learn from what was served", "从线上服务中学习"),
    "evaluate and check consistency": Message("evaluate and check consistency", "评估并检查一致性"),
    "all": Message("all", "总计"),
}


class Metric(NamedTuple):
    """A figure of merit and its better direction."""

    name: str
    better: str


METRICS = (
    Metric("auc", "higher"),
    Metric("average_precision", "higher"),
    Metric("log_loss", "lower"),
    Metric("brier", "lower"),
    Metric("ece", "lower"),
)


def label(name: str, language: str) -> str:
    """One label in a language."""
    return LABELS[name].said(language)
