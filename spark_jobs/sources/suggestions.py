"""A first mapping of a file, from its columns' names and cells, with what is doubtful about each said beside it.

What a name says is looked up in a table of words, English and Chinese; what cells are is tried. A doubt is a reason to
look: two columns for one role, a name that several systems use for different things, times of which day and month
could be swapped. Nothing is imported by a suggestion until somebody has read it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml

from spark_jobs.errors import InputError
from spark_jobs.sources.beginnings import head_of, lines_of
from spark_jobs.sources.cells import swapped
from spark_jobs.sources.cleaning import order_of
from spark_jobs.sources.containers import Dialect, read_header, read_lines_of, read_rows, split_row
from spark_jobs.sources.mapping import Resource, header_name

#: The rows that are looked at.
MOST_ROWS = 2_000
_ENCODINGS = ("utf-8", "utf-16", "gb18030", "windows-1252")
_DELIMITERS = (",", ";", "\t", "|")
_HEADERS_WITHIN = 10
_PATTERNS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S %Z", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M", "%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p",
    "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S", "%b %d, %Y %H:%M", "%d %b %Y %H:%M",
)  # fmt: skip
_DAY_PATTERNS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%y", "%d-%b-%Y", "%Y年%m月%d日", "%d %b %Y",
)  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+(?:\.0+)?")
_CLOCK = re.compile(r"[0-9]{1,4}:[0-5][0-9](?::[0-5][0-9])?")
_READ_AS = 0.75  # the share of cells that a type must read; below it the column is text

OPENED, ANSWERED, RESOLVED, RATED = "conversation_opened", "agent_message", "resolved", "rated"
HAPPENED = "happened"
#: Roles of instants, in the order in which they happen.
INSTANTS = (OPENED, HAPPENED, ANSWERED, RESOLVED, RATED)
#: What a column's name says, in the order in which it is asked: role, words that the name has, whether it is doubtful.
_NAMES: tuple[tuple[str, str, bool], ...] = (
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
_HINTS = {
    "updated": "it may tell which version of a row is the latest (latestBy), or when a contact was settled",
    "message_id": "it may name a message, and so its event",
    "author_role": "it may tell who wrote, and so the kind of an event (when)",
    "kind": "it may tell the kind of an event (when)",
    "status": "it may tell whether a contact is settled or left out (when, leaveOut)",
    "duration_of_answer": "a duration: it may give the instant of the answer (after, add)",
    "duration_of_resolution": "a duration: it may give the instant of the resolution (after, add)",
}
_COMPILED = tuple((role, re.compile(words), is_doubtful) for role, words, is_doubtful in _NAMES)


class Suggested(NamedTuple):
    """A column: its type and format, its role ("" for none), what is doubtful about it, and what else it may tell."""

    name: str
    type: str
    format: str | None
    role: str
    doubts: tuple[str, ...] = ()
    hint: str | None = None


class Suggestion(NamedTuple):
    """How a file is written, and what its columns may be."""

    resource: Resource
    columns: tuple[Suggested, ...]
    rows: int
    doubts: tuple[str, ...]


def suggest(path: Path) -> Suggestion:
    """A first mapping of a local file; InputError for one that has no line of columns' names."""
    head = head_of(path)
    resource, doubts = _container(head, path.name)
    lines = read_lines_of(lines_of(path), resource)
    names = read_header(lines, resource) or []
    found = [one.cells for one in islice(read_rows(lines, resource, len(names)), MOST_ROWS) if one.reason is None]
    columns = [_column(name, [cells[at].strip() for cells in found]) for at, name in enumerate(names)]
    return Suggestion(resource, tuple(_compared(columns)), len(found), tuple(doubts))


def _container(head: Sequence[bytes], name: str) -> tuple[Resource, list[str]]:
    """How a file is written: the way that gives most columns in most lines."""
    if not any(line.strip() for line in head):
        raise InputError(f"{name}: found nothing, expected a line with the columns' names")
    best: tuple[int, Resource] | None = None
    for encoding in _encodings_of(head):
        for line_end in ("\n", "\r") if any(b"\r" in line[:-1] for line in head) else ("\n",):
            for delimiter in _DELIMITERS:
                resource = Resource(
                    "rows", "a row", "csv", (encoding,), delimiter, '"', 1, line_end, {}, (), None, (), (), ()
                )
                row, width = _header_row(head, resource)
                if best is None or width > best[0]:
                    best = width, resource._replace(header_row=row)
    assert best is not None
    doubts = (
        [] if best[0] > 1 else ["found one column: is there a delimiter that is none of comma, semicolon, tab, bar?"]
    )
    if best[1].encodings[0] in ("gb18030", "windows-1252"):
        doubts.append(f"the text is no UTF-8, and reads as {best[1].encodings[0].upper()}: is it?")
    return best[1], doubts


def _encodings_of(head: Sequence[bytes]) -> Iterator[str]:
    """The encodings in which the first lines are sound: the first that is, UTF-16 alone by its mark or its zeros."""
    whole = b"\n".join(head)
    if whole.startswith((b"\xff\xfe", b"\xfe\xff")) or whole.count(b"\0") > len(whole) // 4:
        yield "utf-16"
        return
    for encoding in _ENCODINGS:
        if encoding != "utf-16":
            try:
                whole.decode(encoding)
            except UnicodeDecodeError:
                continue
            yield encoding
            return
    yield "windows-1252"


def _header_row(head: Sequence[bytes], resource: Resource) -> tuple[int, int]:
    """The line of the columns' names, the first that is as wide as most lines are and has no two equal cells."""
    lines = list(islice(read_lines_of(head, resource), len(head)))
    dialect = Dialect(resource.delimiter, resource.quote)
    rows = [split_row(line.text, dialect) or [] for line in lines]
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 1, 1
    width = max(widths, key=lambda one: (widths[one], one))
    for line, row in zip(lines[:_HEADERS_WITHIN], rows, strict=False):
        if len(row) == width and all(cell.strip() for cell in row) and len(set(row)) == len(row):
            return line.number, width
    return 1, width


def _column(name: str, cells: Sequence[str]) -> Suggested:
    """A column by its own name and cells."""
    said = [cell for cell in cells if cell]
    kind, form, doubts = _type_of(said)
    role, is_doubtful = _role_of(name)
    if role in (*INSTANTS, "order_date", "updated") and kind not in ("datetime", "date"):
        role, is_doubtful = _role_of(name, without=INSTANTS)
        doubts = [*doubts, "its name says a time, its cells do not"] if said else doubts
    elif kind in ("datetime", "date") and role not in (*INSTANTS, "order_date", "updated", ""):
        role, doubts = HAPPENED, [*doubts, "its cells are times, its name does not say of what"]
    if is_doubtful and role not in _HINTS:
        doubts = [*doubts, f"by its name alone it may be {role}: look at its cells"]
    if not said:
        doubts = [*doubts, f"all cells of the first {len(cells):,} rows are blank"]
    return Suggested(name, kind, form, role, tuple(doubts))


def _role_of(name: str, without: Iterable[str] = ()) -> tuple[str, bool]:
    plain = re.sub(r"[_\-]+", " ", header_name(name))
    both = (plain, header_name(name))
    for role, words, is_doubtful in _COMPILED:
        if role not in without and any(words.search(one) for one in both):
            return role, is_doubtful
    return "", False


def _type_of(cells: Sequence[str]) -> tuple[str, str | None, list[str]]:
    """The type and format that read the cells, and what is doubtful about them."""
    if not cells:
        return "string", None, []
    for kind, patterns in (("datetime", _PATTERNS), ("date", _DAY_PATTERNS)):
        best = max(patterns, key=lambda pattern: sum(_is_time(cell, pattern) for cell in cells))
        share = sum(_is_time(cell, best) for cell in cells) / len(cells)
        if share >= _READ_AS:
            return kind, best, _doubts_of_time(cells, best, share)
    if _share(cells, _is_iso) >= _READ_AS and not all(_WHOLE.fullmatch(cell) for cell in cells):
        return "datetime", "default", []
    if _share(cells, lambda cell: _WHOLE.fullmatch(cell) is not None) >= _READ_AS:
        is_epoch = _share(cells, lambda cell: cell.isdecimal() and len(cell) in (10, 13)) == 1
        return "integer", None, ["its numbers may be seconds or milliseconds since 1970"] if is_epoch else []
    if _share(cells, lambda cell: _NUMBER.fullmatch(cell) is not None) >= _READ_AS:
        return "number", None, []
    if _share(cells, lambda cell: _CLOCK.fullmatch(cell) is not None) >= _READ_AS:
        return "duration", "clock", []
    return "string", None, []


def _doubts_of_time(cells: Sequence[str], pattern: str, share: float) -> list[str]:
    doubts = []
    if swapped(pattern) is not None and not any(order_of(cell, (pattern,)) for cell in cells):
        doubts.append("day and month could be swapped: no cell has a day above 12")
    if share < 1:
        doubts.append(f"{1 - share:.1%} of its cells are no such times")
    return doubts


def _share(cells: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(holds(cell) for cell in cells) / len(cells)


def _is_time(cell: str, pattern: str) -> bool:
    text = cell.removesuffix(" UTC").removesuffix(" GMT") if pattern.endswith(" %Z") else cell
    if pattern.endswith(" %Z") and text == cell:
        return False
    try:
        datetime.strptime(text, pattern.removesuffix(" %Z"))
    except ValueError:
        return False
    return True


def _is_iso(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _compared(columns: Sequence[Suggested]) -> Iterator[Suggested]:
    """Columns as the others let them be read: of two for one role each is doubtful, as is what a file of its kind has.

    An order's time in a file of contacts is not read; a message or a rating happens at its creation; a type is a
    contact's category where nobody writes.
    """
    roles = Counter(column.role for column in columns if column.role)
    of_contacts = any(roles[role] for role in (OPENED, ANSWERED, RESOLVED, RATED))
    writes = roles["author"] > 0 or roles["author_role"] > 0
    is_of_ratings = roles["rating"] > 0 and not any(roles[one] for one in ("agent_id", "channel", "priority", RATED))
    for column in columns:
        role, doubts = column.role, list(column.doubts)
        if role == "order_date" and of_contacts:
            role, doubts = "", [*doubts, "a time of an order in a file of contacts"]
        if role == OPENED and (writes or is_of_ratings):
            role, doubts = HAPPENED, [*doubts, "when a message or a rating was made, or a conversation was opened?"]
        if role == "category" and writes and header_name(column.name) == "type":
            role = "kind"
        rivals = [other.name for other in columns if other.role == column.role and other.name != column.name]
        if role and rivals:
            doubts.append(f"{', '.join(rivals)} may be {role}, too")
        hint = role if role in _HINTS else None
        if hint is not None:
            role, doubts = "", [_HINTS[hint]]
        yield column._replace(role=role, doubts=tuple(doubts), hint=hint)


def as_yaml(suggestion: Suggestion, name: str) -> str:
    """The suggestion as a mapping, doubts as comments above what they are about."""
    resource = suggestion.resource
    lines = [
        f"# A first mapping from the first {suggestion.rows:,} rows of {name}: read every doubt, then take it away."
    ]
    lines += [f"# DOUBT: {doubt}" for doubt in suggestion.doubts]
    lines += [
        "name: my_source",
        "title: {en: say what it is, zh: 说明来源}",
        "resources:",
        "  - name: rows",
        "    row: a row",
    ]
    if resource.encodings != ("utf-8",):
        lines.append(f"    encoding: {resource.encodings[0]}")
    dialect = {
        "delimiter": resource.delimiter,
        "headerRows": [resource.header_row],
        "lineTerminator": resource.line_end,
    }
    plain = {"delimiter": ",", "headerRows": [1], "lineTerminator": "\n"}
    different = {key: value for key, value in dialect.items() if value != plain[key]}
    if different:
        lines.append(f"    dialect: {_flow(different)}")
    lines += ["    schema:", "      fields:"]
    key = next((column.name for column in suggestion.columns if column.role == "conversation_id"), None)
    for column in suggestion.columns:
        lines += [f"        # DOUBT: {doubt}" for doubt in column.doubts]
        field: dict[str, object] = {"name": column.name, "type": column.type}
        if column.format:
            field["format"] = column.format
        if column.name == key:
            field["constraints"] = {"required": True}
        meant = f"  # {column.role}" if column.role else "  # not read by any event"
        lines.append(f"        - {_flow(field)}{meant}")
    lines += ["    events:", *_events(suggestion.columns)]
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.strip().removesuffix("...").strip()


_OF_CONTACT = (
    "conversation_id",
    "customer_id",
    "category",
    "subcategory",
    "product",
    "channel",
    "priority",
    "order_id",
    "sku",
)
_OF_AGENT = ("agent_id", "supervisor_id", "manager_id", "agent_tenure", "agent_shift")


def _events(columns: Sequence[Suggested]) -> Iterator[str]:
    """The events that the roles of columns let expect."""
    by_role: dict[str, str] = {}
    for column in columns:
        by_role.setdefault(column.role, column.name)
    key = by_role.get("conversation_id")
    if key is None or not any(role in by_role for role in (OPENED, HAPPENED, "order_date")):
        yield "      # DOUBT: no column for a conversation's id, or none for an instant: an order line or a click?"
        yield from _behaviour(by_role)
        return
    opened = by_role.get(OPENED) or by_role.get(HAPPENED) or by_role["order_date"]
    contact = {name: by_role[name] for name in (*_OF_CONTACT, *_OF_AGENT) if name in by_role}
    agent = {name: by_role[name] for name in ("conversation_id", *_OF_AGENT) if name in by_role}
    yield _event("conversation_opened", f"{{{key}}}:opened", opened, contact)
    for kind, fields in ((ANSWERED, agent), (RESOLVED, agent)):
        if kind in by_role:
            yield _event(kind, f"{{{key}}}:{kind}", by_role[kind], fields, notBefore=opened)
    if "rating" in by_role:
        text = {"text": by_role["text_of_rating"]} if "text_of_rating" in by_role else {}
        at = by_role.get(RATED) or by_role.get(RESOLVED) or opened
        rated = {"conversation_id": key, "rating": by_role["rating"], **text}
        is_rated = [{"column": by_role["rating"], "blank": False}]
        yield _event("rated", f"{{{key}}}:rated", at, rated, notBefore=opened, when=is_rated)


def _behaviour(by_role: dict[str, str]) -> Iterator[str]:
    at = by_role.get("order_date") or by_role.get(HAPPENED) or by_role.get(OPENED)
    customer = by_role.get("customer_id")
    if at is None or customer is None:
        yield "      []"
        return
    wanted = ("customer_id", "sku", "order_id", "category", "amount_minor")
    fields: dict[str, object] = {name: by_role[name] for name in wanted if name in by_role}
    if "quantity" in by_role and "amount_minor" in by_role:
        fields["amount_minor"] = {"product": [by_role["quantity"], by_role["amount_minor"]]}
    yield _event("order_placed", "{row}", at, fields)


def _event(kind: str, name: str, at: str, fields: dict[str, object] | dict[str, str], **others: object) -> str:
    return f"      - {_flow({'kind': kind, 'id': name, 'at': at, **others, 'fields': fields})}"
