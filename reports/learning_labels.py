"""The labels of the outcome of learning: champion beside candidate, in English and Chinese."""

from service_quality.message import Message

#: The most by which a promoted candidate's log loss exceeds the champion's; that of model_export, as a test asserts.
MOST_DIFFERENCE = 0.001

LEARNING_LABELS = {
    "learning": Message("What was learnt from what was served", "从线上服务中学到了什么"),
    "learning_note": Message(
        "A candidate was trained on what was served and since rated, and judged beside the champion on the latest "
        "served days, which neither had seen. It is promoted unless its log loss is more than "
        f"{MOST_DIFFERENCE} above the champion's.",
        "候选模型用已服务且已评价的会话训练，并与现役模型在两者都未见过的最近几天上比较。"
        f"除非其对数损失比现役模型高出 {MOST_DIFFERENCE} 以上，否则上线。",
    ),
    "champion": Message("champion", "现役模型"),
    "candidate": Message("candidate", "候选模型"),
    "promoted": Message("promoted", "已上线"),
    "refused": Message("refused", "未上线"),
    "judged_on": Message(
        "{rounds} rounds since {since}, {dissatisfied} of them dissatisfied",
        "自 {since} 起会话共 {rounds} 轮，其中 {dissatisfied} 轮不满意",
    ),
    "difference": Message(
        f"log loss of the candidate minus the champion's: {{difference}}; at most {MOST_DIFFERENCE:+} is allowed",
        f"候选模型与现役模型的对数损失之差：{{difference}}；允许值不超过 {MOST_DIFFERENCE:+}",
    ),
    "not_judged": Message("It was refused before it was judged.", "候选模型在比较之前即被拒绝。"),
}
