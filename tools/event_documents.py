"""Write docs/events.md and docs/event.schema.json from the declared events (`python -m tools.event_documents`)."""

import json

from cli.paths import ROOT
from service_quality.conversations.conversation import RETENTION
from service_quality.events.carriers import MAX_EVENTS
from service_quality.events.declared_fields import FLAG, IDENTIFIER, INSTANT, INTEGER, WORD, EventField
from service_quality.events.event_forms import EVENT_VERSION
from service_quality.events.identifiers import NOBODY
from service_quality.events.interaction_event import DECLARED, DERIVED_FIELDS, INPUT_FIELDS
from service_quality.events.kinds import ALL, BEHAVIOUR, GROUPS, KINDS, SCORED, STOCK
from service_quality.events.parsing import MAX_RECORD_BYTES
from service_quality.instants import DAY

SCHEMA = ROOT / "docs" / "event.schema.json"
PAGE = ROOT / "docs" / "events.md"
REQUIRED = ("event_id", "shop_id", "kind", "occurred_at")
_INPUT = {name: DECLARED[name] for name in INPUT_FIELDS}
_NOT_IN_EXAMPLES = ("received_at", "precision")
#: What most events of many kinds do not say is in the example of one of them.
_SELDOM = {"opt_out": "suggestion_made"}
_OF_FEW_KINDS = 8
_FEW_LEFT_OUT = 2
_USABLE = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"

Schema = dict[str, object]


def _names(names: tuple[str, ...], between: str = ", ") -> str:
    return between.join(f"`{name}`" for name in names)


_PERSONS = " or ".join(f"`{name}`" for name, declared in DECLARED.items() if declared.names_person)

_HEAD = f"""# Events

Every kind and field that may come in. This page and [event.schema.json](event.schema.json) are written by
`.venv/bin/python -m tools.event_documents` from `functions/shared/service_quality/events/interaction_event.py` and
`kinds.py` beside it; a test says when they are out of date. Do not edit them by hand.

- An event is one JSON object of at most {MAX_RECORD_BYTES:,} bytes. It comes alone, in a list, or as
  `{{"events": […]}}`, at most {MAX_EVENTS:,} at once: in a message of the queue, on the bus, in a direct call of
  `ingest_events`, or on the stream with `shop_id` as partition key. [How to send one](by_hand.md).
- Required: {", ".join(f"`{name}`" for name in REQUIRED)}, what the kind needs, and (but for
  {_names(tuple(sorted(STOCK)))}) `conversation_id` or `customer_id`. Any other value that cannot be used (of another
  type, out of bounds) counts as absent: the answer of a direct call names its field (`odd_fields`), and the metric
  `OddValues` counts it.
- A second event with the `event_id` of an earlier one of its shop changes nothing.
- Events may come in any order, at most {RETENTION // DAY} days after they occurred. One that is dated after
  its arrival counts at its arrival; its own instant is archived beside that (`stated_at`).
- Identifiers and names are put into one spelling: Unicode NFC, each run of blanks (a no-break or full-width one too) as
  one space, none at the ends. Their length counts then. Control characters and line separators cannot be used. Ids of
  staff are in lower case. A name of nobody in {_PERSONS}
  ({_names(tuple(sorted(NOBODY)))}, in any case) counts as absent.
- A text that is too long is cut.
- A field that is not listed here is not read. The answer of a direct call names it, and the metric `UnknownFields`
  counts it. A field that is `null`, or an identifier that is blank, counts as absent.
- An event that cannot be taken is stored as rejected with its reason; a direct caller gets the reason at once.
- What customers write (`text`, `query`) is archived and never enters state, alerts, logs or metrics.
"""

_EXAMPLES = """## An example of each kind

One a line, as `python -m infra.local replay` reads them.
"""


def render_schema() -> str:
    """The JSON schema of one event, for senders: it accepts what is read as it is sent."""
    needs = {need for kind in KINDS.values() for need in [kind.needs] if need}
    document: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Interaction event",
        "description": "One thing that happened in a shop, as a source sends it. A field that is not listed is not "
        "read; the inlet names it in its answer.",
        "type": "object",
        "properties": {
            "version": {"description": "Version of this format; may be left out.", "const": EVENT_VERSION},
            **{name: _property(DECLARED[name]) for name in INPUT_FIELDS},
        },
        "required": list(REQUIRED),
        "anyOf": [
            {"required": ["conversation_id"]},
            {"required": ["customer_id"]},
            {"properties": {"kind": {"enum": sorted(STOCK)}}},
        ],
        "allOf": [
            {
                "if": {"properties": {"kind": {"enum": [name for name, kind in KINDS.items() if kind.needs == need]}}},
                "then": {"required": list(need)},
            }
            for need in sorted(needs)
        ],
        "additionalProperties": False,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _property(declared: EventField) -> Schema:
    said: Schema = {"description": f"{declared.says[0].upper()}{declared.says[1:]}."}
    match declared.form:
        case form if form == INTEGER:
            return said | {"type": "integer", "minimum": declared.lowest, "maximum": declared.highest}
        case form if form == INSTANT:
            return said | {"type": "string", "format": "date-time", "maxLength": 40}
        case form if form == WORD:
            return said | {"enum": list(declared.words)}
        case form if form == FLAG:
            return said | {"type": ["boolean", "integer"], "minimum": 0, "maximum": 1}
    bounds: Schema = {"type": "string", "minLength": declared.lowest, "maxLength": declared.highest}
    return said | bounds | ({"pattern": _USABLE} if declared.form == IDENTIFIER else {})


def render_page() -> str:
    """The whole page."""
    sections = [_HEAD, "## Kinds\n", *(_kinds(group) for group in GROUPS), _fields(), _EXAMPLES]
    examples = "\n".join(json.dumps(example(kind), ensure_ascii=False) for kind in KINDS)
    return "\n".join([*sections, f"```json\n{examples}\n```\n"])


def example(kind: str) -> dict[str, str | int]:
    """An event of a kind with the fields that it usually carries."""
    whole = kind == "conversation_opened" or kind in BEHAVIOUR | STOCK
    names = [
        name
        for name, declared in _INPUT.items()
        if name in (*REQUIRED, *KINDS[kind].needs)
        or (name == "customer_id" and not KINDS[kind].needs)
        or _SELDOM.get(name) == kind
        or (kind in declared.kinds and name not in (*_NOT_IN_EXAMPLES, *_SELDOM) and (whole or _is_special(declared)))
    ]
    values = {name: DECLARED[name].example for name in names}
    return values | {"event_id": f"example-{kind.replace('_', '-')}", "kind": kind}


def _is_special(declared: EventField) -> bool:
    """Whether a field belongs to a few kinds, and does not describe an agent, whom one event describes for all."""
    return len(declared.kinds) <= _OF_FEW_KINDS and not declared.describes


def _kinds(group: str) -> str:
    rows = "".join(
        f"| `{name}` | {kind.says} | {_names(kind.needs)} | {'yes' if name in SCORED else 'no'} |\n"
        for name, kind in KINDS.items()
        if name in GROUPS[group]
    )
    return f"| {group} | means | needs | scored |\n|---|---|---|---|\n{rows}"


def _fields() -> str:
    derived = {name: DECLARED[name] for name in DERIVED_FIELDS}
    return "\n".join(
        [
            _table("Fields", _INPUT),
            _table("Fields that are derived", derived),
            "They stand in archive and lake. An event that claims one of them is taken, and the claim is not read.\n",
        ]
    )


def _table(title: str, fields: dict[str, EventField]) -> str:
    rows = "".join(
        f"| `{name}` | {_bound(declared)} | {_carriers(declared.kinds)} | {declared.says} |\n"
        for name, declared in fields.items()
    )
    return f"## {title}\n\n| field | type and bound | on | means |\n|---|---|---|---|\n{rows}"


def _bound(declared: EventField) -> str:
    if declared.form == INTEGER:
        return f"integer, {declared.lowest:,} to {declared.highest:,}"
    if declared.form == INSTANT:
        return "ISO 8601 instant with a zone"
    if declared.form == FLAG:
        return "true or false"
    if declared.form == WORD:
        return "a kind" if set(declared.words) == ALL else _names(declared.words, " or ")
    return f"string, {declared.lowest} to {declared.highest:,} characters"


def _carriers(kinds: frozenset[str]) -> str:
    """The kinds in words: whole groups by their names, the rest by their own."""
    if kinds == ALL:
        return "every kind"
    left_out = {name: members - kinds for name, members in GROUPS.items() if members & kinds}
    groups = {name: left for name, left in left_out.items() if len(left) <= _FEW_LEFT_OUT}
    named = [name + (f" but {_names(tuple(sorted(left)))}" if left else "") for name, left in groups.items()]
    rest = kinds - {kind for name in groups for kind in GROUPS[name]}
    return ", ".join([*named, *(f"`{name}`" for name in KINDS if name in rest)])


if __name__ == "__main__":
    SCHEMA.write_text(render_schema(), "utf-8")
    PAGE.write_text(render_page(), "utf-8")
    print(SCHEMA.relative_to(ROOT), PAGE.relative_to(ROOT))
