"""What the page and the summary say around the figures, in English and Chinese.

Words for features, rules, severities, states and measures are those of alerts: service_quality.alerts.words.
"""

from typing import NamedTuple

from service_quality.alerts.words import Words

LABELS = {
    "title": Words("Contacts in, alerts out", "从顾客咨询到服务告警"),
    "lead": Words(
        "A model was trained on what happened before {split}. Everything from that day on was replayed, in log order, "
        "through the deployed functions. This page shows what they served, and whether it was right.",
        "模型只用 {split} 之前的数据训练；该日起的全部事件按日志顺序经由已部署的函数重放。"
        "本页展示函数给出的结果，以及这些结果是否正确。",
    ),
    "other_language": Words("中文", "English"),
    "synthetic": Words("synthetic", "合成数据"),
    "synthetic_world": Words("synthetic world", "合成的店铺世界"),
    "synthetic_banner": Words("Synthetic data", "合成数据"),
    "synthetic_note": Words(
        "No shop, agent or customer behind these figures exists. They show that the machinery works, "
        "not how good a model would be on your contacts.",
        "这些数字背后没有真实的店铺、客服或顾客。它们只说明系统运转正确，不代表模型在真实咨询上的效果。",
    ),
    # Proofs
    "proofs": Words("The proofs", "正确性验证"),
    "all_held": Words("Every proof holds.", "全部验证通过。"),
    "some_failed": Words("{failed} of {all} proofs failed.", "{all} 项验证中有 {failed} 项未通过。"),
    "held": Words("holds", "通过"),
    "failed": Words("failed", "未通过"),
    "consistency": Words("Served online = recomputed by Spark", "线上所用特征 = Spark 重算特征"),
    "consistency_note": Words(
        "Every feature of every scored event, recomputed from the archived log and compared bit for bit.",
        "从归档日志重算每个评分事件的每个特征，逐位比较。",
    ),
    "parity": Words("Trained model = exported model", "训练模型 = 导出模型"),
    "parity_note": Words(
        "Largest difference between the two engines' probabilities on the same rows; at most {limit} is allowed.",
        "两种引擎对相同数据给出的概率之间的最大差异，允许值不超过 {limit}。",
    ),
    "delivery": Words("Alerts published = alerts received", "发布的告警 = 收到的告警"),
    "delivery_note": Words(
        "What a queue and a web server that subscribe to the topic really received.",
        "订阅该主题的队列与网页服务器实际收到的消息。",
    ),
    "compared": Words("compared", "已比较"),
    "mismatched": Words("mismatched", "不一致"),
    "missing": Words("missing", "缺失"),
    "extra": Words("extra", "多余"),
    "chain": Words("archive chain", "归档链"),
    "whole": Words("whole", "完整"),
    "broken": Words("broken", "断裂"),
    "largest_difference": Words("largest difference", "最大差异"),
    "published": Words("published", "已发布"),
    "received": Words("received by queue", "队列收到"),
    "received_http": Words("received by web", "网页收到"),
    # In and out
    "in": Words("What went in", "输入"),
    "out": Words("What came out", "输出"),
    "source": Words("source", "数据来源"),
    "events": Words("interaction events", "交互事件"),
    "conversations": Words("conversations", "会话"),
    "rejected": Words("rows rejected", "被拒记录"),
    "training_rows": Words("training rows", "训练样本"),
    "split": Words("split", "分割日"),
    "replayed_events": Words("events replayed", "重放事件"),
    "alerts_received": Words("alert messages", "告警消息"),
    "judged": Words("replayed conversations with a rating", "重放部分中有评价的会话"),
    "base_rate": Words("of those dissatisfied", "其中不满意"),
    "auc_after_answer": Words("ROC AUC after the first answer", "首次回复后的 ROC AUC"),
    "auc_at_opening": Words("ROC AUC at the opening", "会话开始时的 ROC AUC"),
    "ece_after_answer": Words("calibration error after the first answer", "首次回复后的校准误差"),
    "model_version": Words("model", "模型版本"),
    # Scores
    "scores": Words("How good the scores were", "评分效果"),
    "scores_note": Words(
        "Judged by the ratings that came later: one score for each conversation. Dissatisfied means a rating of at "
        "most 3 of 5.",
        "以之后到来的评价为准，每个会话取一个评分。评价不高于 3 分（满分 5 分）即为不满意。",
    ),
    "figures_title": Words("Figures of merit", "评估指标"),
    "answer": Words("after the first answer", "首次回复后"),
    "opening": Words("at the opening", "会话开始时"),
    "challenger": Words("challenger, before the split", "挑战者（分割日前）"),
    "challenger_note": Words(
        "The challenger was trained beside the model and judged on the last days before the split.",
        "挑战者与模型同时训练，在分割日前最后几天的数据上评估。",
    ),
    "auc": Words("ROC AUC", "ROC AUC"),
    "average_precision": Words("average precision", "平均精确率"),
    "log_loss": Words("log loss", "对数损失"),
    "brier": Words("Brier score", "Brier 分数"),
    "ece": Words("calibration error", "校准误差"),
    "rows": Words("scores", "评分数"),
    "higher": Words("higher is better", "越高越好"),
    "lower": Words("lower is better", "越低越好"),
    "roc_title": Words("ROC curve", "ROC 曲线"),
    "calibration_title": Words("Calibration {moment}", "校准曲线：{moment}"),
    "roc_x": Words("share of satisfied conversations flagged", "被误标的满意会话占比（假阳性率）"),
    "roc_y": Words("share of dissatisfied found", "找出的不满意会话占比（真阳性率）"),
    "calibration_x": Words("predicted probability (mean of the bin)", "预测概率（分箱均值）"),
    "calibration_y": Words("share really dissatisfied", "实际不满意占比"),
    "average": Words("average {share}", "平均 {share}"),
    "bars_note": Words(
        "Calibration: 15 bins of equal size; bars are 95 % intervals (Wilson).",
        "校准曲线：15 个等量分箱；竖线为 95 % 置信区间（Wilson）。",
    ),
    "point": Words(
        "{rows} conversations: predicted {mean}, really {share}", "{rows} 个会话：预测 {mean}，实际 {share}"
    ),
    "no_curve": Words(
        "No curve: it takes rated conversations of both outcomes.", "无曲线：需要两种结果都有的已评价会话。"
    ),
    # Alerts
    "alerts": Words("Alerts", "告警"),
    "by_kind": Words("By kind", "按类型"),
    "by_hour": Words("By hour of day", "按一天中的时段"),
    "alerts_note": Words(
        "Messages as subscribers received them. Repetitions are counted inside an alert, not sent.",
        "订阅者收到的消息；重复出现只在告警内计数，不再发送。",
    ),
    "kind": Words("kind", "类型"),
    "total": Words("all", "合计"),
    "hour_x": Words("hour of day (UTC)", "时段（UTC，小时）"),
    "hour_y": Words("messages", "消息数"),
    "no_alerts": Words("No alert was received.", "没有收到告警。"),
    # Telling alerts
    "telling": Words("The most telling alerts", "最具代表性的告警"),
    "telling_note": Words(
        "Different kinds first, then the gravest. A bar shows what a reason adds to the log-odds of dissatisfaction; "
        "all bars have one scale.",
        "先取不同类型，再取最严重者。条形表示该原因对不满意对数几率的贡献，所有条形采用同一刻度。",
    ),
    "risk": Words("risk", "风险"),
    "lowers_risk": Words("lowers the risk", "降低风险"),
    "raises_risk": Words("raises the risk", "升高风险"),
    "log_odds": Words("contribution to log-odds", "对数几率贡献"),
    "not_scored": Words("This alert carries no score, so it has no reasons.", "该告警不带评分，因此没有原因列表。"),
    # Time
    "time": Words("Where the time went", "耗时"),
    "time_note": Words(
        "Wall-clock time of each step; learning runs beside building and deploying.",
        "每个步骤的实际耗时；训练与构建部署同时进行。",
    ),
    "seconds": Words("{} s", "{} 秒"),
    "minutes": Words("{} min {} s", "{} 分 {} 秒"),
}

#: Steps of the demo by the name they are timed under.
STEPS = {
    "build and deploy": Words("build and deploy", "构建与部署"),
    "learn from the past": Words("learn from the past", "从历史中学习"),
    "export and promote": Words("export and promote the model", "导出并上线模型"),
    "materialize histories": Words("materialize histories", "物化历史状态"),
    "replay": Words("replay the later events", "重放后续事件"),
    "receive alerts": Words("receive alerts", "接收告警"),
    "evaluate and check consistency": Words("evaluate and check consistency", "评估并检查一致性"),
    "all": Words("all", "总计"),
}


class Metric(NamedTuple):
    """A figure of merit and where better lies."""

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
