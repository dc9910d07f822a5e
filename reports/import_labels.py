"""The labels of the report of an import, in English and Chinese."""

from service_quality.message import Message

IMPORT_LABELS = {
    "other_language": Message("中文", "English"),
    "files": Message("Files", "文件"),
    "file": Message("file", "文件"),
    "resource": Message("kind", "类别"),
    "encoding": Message("encoding", "编码"),
    "rows": Message("rows", "行"),
    "taken": Message("taken", "采用"),
    "joined": Message("joined to others", "供其他文件关联"),
    "missing_columns": Message("columns it lacks", "缺少的列"),
    "unread_columns": Message("columns not read", "未读取的列"),
    "events_by_day": Message("Events by day", "每日事件数"),
    "events_by_week": Message("Events by week", "每周事件数"),
    "by_day_note": Message(
        "From {first} to {last} (UTC), {days} days with events.",
        "自 {first} 至 {last}（UTC），有事件的日子 {days} 天。",
    ),
    "holes": Message("Days without an event between them: {holes}.", "其间没有事件的日子：{holes}。"),
    "no_holes": Message("No day between them is without an event.", "其间每天都有事件。"),
    "and_more": Message("{count} more", "另有 {count} 段"),
    "day": Message("day", "日期"),
    "events": Message("events", "事件数"),
    "kinds": Message("Events", "事件"),
    "kind": Message("kind", "种类"),
    "rejected": Message("Rejected rows", "被拒绝的行"),
    "rejected_note": Message(
        "They are stored in the lake's table of rejected rows, with file, line and reason.",
        "它们连同文件、行号和原因保存在湖的 rejected 表中。",
    ),
    "none_rejected": Message("No row was rejected.", "没有被拒绝的行。"),
    "reason": Message("reason", "原因"),
    "column": Message("column", "列"),
    "first_lines": Message("first lines", "前几行的行号"),
    "left_out": Message("Rows left out", "未采用的行"),
    "left_out_note": Message("Read, and by the mapping of no event.", "已读取，但按映射不产生事件。"),
    "odd": Message("Cells left out", "未采用的单元格"),
    "odd_note": Message(
        "They could not be used; their rows are taken without them.", "这些单元格无法使用，所在行仍被采用。"
    ),
    "cells": Message("cells", "单元格"),
    "doubtful": Message("Cells that look wrong", "可疑的单元格"),
    "unit": Message(
        "before 2000 or over a year ahead: another unit of time?", "早于 2000 年或超前一年以上：时间单位不对？"
    ),
    "ahead": Message("ahead of the import: another clock or zone?", "晚于导入时刻：时钟或时区不对？"),
    "unproved_order": Message(
        "day and month could be swapped: no day above 12 proves their order",
        "日与月可能颠倒：没有大于 12 的日可以证明顺序",
    ),
    "zero_decimals": Message(
        "ids such as 9001.0: others without decimals are other ids (zeroDecimals: dropped makes them one)",
        "形如 9001.0 的 id：与不带小数的 9001 不是同一个 id（zeroDecimals: dropped 使其一致）",
    ),
    "differing_fields": Message(
        "They differ in {fields}; the first are in {places}.", "不同之处在 {fields}；最先出现于 {places}。"
    ),
    "repeats": Message("Repeated events", "重复的事件"),
    "repeats_note": Message(
        "Of the events, {same} repeat another of their id and {other} contradict one; the first counts. "
        "{differing} differ from the lake's of their id; of these {corrected} were corrected.",
        "有 {same} 个事件与同 id 的另一个相同，{other} 个内容不同，均以第一个为准。"
        "{differing} 个与湖中同 id 的事件不同，其中 {corrected} 个已更正。",
    ),
    "blank": Message("Blank cells", "空白单元格"),
    "blank_note": Message("The share of each column's cells that say nothing.", "每列中没有内容的单元格所占比例。"),
    "heaviest": Message("Heavy keys", "高频键"),
    "heaviest_note": Message(
        "The share of all events that the most frequent one has; a large one may stand for nobody.",
        "出现最多的一个在全部事件中所占比例；过大时可能并不代表具体的人或物。",
    ),
    "share": Message("share", "占比"),
}
#: Reasons of rejection and of leaving out, in words; another one is shown as it is called.
REASONS = {
    "missing_value": Message("a required value is blank", "必需的值为空"),
    "unreadable_value": Message("a required value cannot be read", "必需的值无法读取"),
    "duplicate_id": Message("another row of this id counts", "同一 id 以另一行为准"),
    "missing_row": Message("the row that it belongs to is not there", "缺少其所属的行"),
    "other_encoding": Message("not in the declared encoding", "不是所声明的编码"),
    "bad_quotes": Message("a quote is not closed", "引号未闭合"),
    "too_few_columns": Message("too few cells", "单元格过少"),
    "too_many_columns": Message("too many cells", "单元格过多"),
    "malformed_json": Message("no JSON", "不是 JSON"),
    "not_an_object": Message("no JSON object", "不是 JSON 对象"),
    "out_of_range": Message("an id that no event can carry", "事件无法使用的 id"),
    "older_version": Message("a later version counts", "以较新的版本为准"),
    "no_event": Message("no event's conditions hold", "不满足任何事件的条件"),
}
