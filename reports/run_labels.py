"""The labels of a run's card, in English and Chinese."""

from service_quality.message import Message

RUN_LABELS = {
    "other_language": Message("中文", "English"),
    "began": Message("began", "开始"),
    "took": Message("took", "用时"),
    "ended": Message("ended", "结束"),
    "version": Message("release", "版本"),
    "progress": Message("Stage {stage}: {done} of {tasks} tasks done", "阶段 {stage}：{tasks} 个任务已完成 {done} 个"),
    "command": Message("Command", "命令"),
    "arguments": Message("Arguments", "参数"),
    "argument": Message("argument", "参数"),
    "value": Message("value", "值"),
    "inputs": Message("Inputs", "输入"),
    "input": Message("input", "输入"),
    "snapshot": Message("snapshot", "快照"),
    "steps": Message("Steps", "步骤"),
    "counts": Message("Counts", "计数"),
    "count": Message("figure", "指标"),
    "warnings": Message("Warnings", "警告"),
    "error": Message("It failed", "运行失败"),
    "exit_code": Message("Exit code {code}", "退出码 {code}"),
    "next": Message("Next", "下一步"),
}
STATES = {
    "running": Message("running", "运行中"),
    "done": Message("done", "已完成"),
    "failed": Message("failed", "失败"),
    "interrupted": Message("interrupted", "已中断"),
    "lost": Message("ended without a word", "异常终止"),
}
#: What the steps of a run do, by the names of spark_jobs/cards/steps.py.
STEPS = {
    "start": Message("start", "启动"),
    "read": Message("read", "读取"),
    "compute": Message("compute", "计算"),
    "train": Message("train", "训练"),
    "judge": Message("judge", "评估"),
    "write": Message("write", "写入"),
    "upkeep": Message("compact and expire", "合并与清理"),
    "wait": Message("wait", "等待"),
    "count": Message("count", "统计"),
}
