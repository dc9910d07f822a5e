"""A suggestion as the text of a mapping, each doubt a comment above what it is about."""

from collections.abc import Iterator, Sequence

import yaml

from spark_jobs.sources.column_roles import ANSWERED, HAPPENED, OPENED, RATED, RESOLVED
from spark_jobs.sources.suggestions import Suggested, Suggestion


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
    if resource.format == "jsonl":
        lines.append("    format: jsonl")
    if resource.encodings != ("utf-8",):
        encodings = ", ".join(resource.encodings)
        lines.append(f"    encoding: {encodings if len(resource.encodings) == 1 else f'[{encodings}]'}")
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
        field.update(column.spelling)
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
    wanted = ("customer_id", "sku", "order_id", "category", "amount_minor", "quantity", "promised_at", "delivered_at")
    fields: dict[str, object] = {name: by_role[name] for name in wanted if name in by_role}
    if "quantity" in by_role and "amount_minor" in by_role:
        fields["amount_minor"] = {"product": [by_role["quantity"], by_role["amount_minor"]]}
    yield _event("order_placed", "{row}", at, fields)


def _event(kind: str, name: str, at: str, fields: dict[str, object] | dict[str, str], **others: object) -> str:
    return f"      - {_flow({'kind': kind, 'id': name, 'at': at, **others, 'fields': fields})}"
