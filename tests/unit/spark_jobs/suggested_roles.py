"""How often a suggestion reads a sample's columns as its mapping does, which somebody wrote by hand."""

from collections import defaultdict
from typing import NamedTuple

from spark_jobs.sources.beginnings import head_of
from spark_jobs.sources.column_roles import ANSWERED, HAPPENED, OPENED, RATED, RESOLVED
from spark_jobs.sources.headers import find_header
from spark_jobs.sources.mapping import INSTANT_TYPES
from spark_jobs.sources.mapping_file import load_mapping, shipped_mappings
from spark_jobs.sources.row_values import columns_in
from spark_jobs.sources.suggestions import suggest
from tests.unit.spark_jobs.export_samples import SAMPLES

#: The kinds of events that happen at an instant of this role.
AT = {OPENED: {OPENED}, ANSWERED: {ANSWERED}, RESOLVED: {RESOLVED, RATED}, RATED: {RATED}}
NAMES = {"text_of_rating": {"text"}, "author": {"customer_id", "agent_id"}, "quantity": {"amount_minor"}}
IDS = {"conversation_id", "customer_id", "order_id", "sku"}


class Judged(NamedTuple):
    """A column of a sample: whether it was read as the mapping reads it, and whether a doubt stood beside it."""

    file: str
    column: str
    is_right: bool
    has_doubt: bool


def judge_samples():
    """Every column of the samples in UTF-8."""
    for name in shipped_mappings():
        source = load_mapping(name)
        for path in sorted((SAMPLES / name).glob("*.csv")):
            if "gb18030" not in path.name:
                yield from _judge(path, source)


def _judge(path, source):
    header = find_header(head_of(path), source, path.name)
    resource = source.resource(header.resource)
    meant, ours = _uses(source)[resource.name], {theirs: name for name, theirs in (header.names or {}).items()}
    for column in suggest(path).columns:
        name = ours.get(column.name.strip())
        is_right = column.role == "" if name is None else _is_right(column, meant[name], resource.fields[name])
        yield Judged(path.name, column.name, is_right, bool(column.doubts))


def _uses(source):
    """What the mapping does with each column: fields of events, kinds that happen at it, conditions, keys."""
    uses: dict[str, dict[str, set[str]]] = {one.name: defaultdict(set) for one in source.resources}

    def note(resource, column, use):
        owner, _, name = column.rpartition(".")
        uses[owner or resource.name][name or column].add(use)

    for one in source.resources:
        for event in one.events:
            for at in event.at:
                for column in columns_in(at):
                    note(one, column, f"at {event.kind}")
            for field, value in event.fields.items():
                for column in columns_in(value):
                    note(one, column, field)
            for condition in event.when:
                note(one, condition.column, "condition")
        for join in one.joins:
            note(one, join.column, "key")
        for column in (*one.primary_key, *((one.latest_by,) if one.latest_by else ())):
            note(one, column, "key" if column in one.primary_key else "version")
        for left_out in one.left_out:
            for condition in left_out.when:
                note(one, condition.column, "condition")
    return uses


def _is_right(column, uses, field):
    kinds = {use.removeprefix("at ") for use in uses if use.startswith("at ")}
    if column.role in AT or column.role in (HAPPENED, "order_date"):
        fits = column.format in field.formats or (
            "default" in field.formats and str(column.format).startswith("%Y-%m-%d")
        )
        wanted = AT.get(column.role, kinds) if len(kinds) <= 2 or column.role != OPENED else kinds
        return field.type in INSTANT_TYPES and fits and bool(kinds & wanted)
    if column.hint is not None:  # said to tell something that no event reads by itself
        return not uses or bool(uses & {"condition", "version", "key"}) or any(use.startswith("at ") for use in uses)
    if column.role == "":
        return not uses - {"condition", "key"}
    return column.role in uses or bool(NAMES.get(column.role, set()) & uses) or (column.role in IDS and "key" in uses)
