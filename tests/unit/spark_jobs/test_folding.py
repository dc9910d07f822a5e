"""The core's fold over rows of a log, conversation by conversation."""

from dataclasses import replace

import pyarrow as pa
import pytest

from service_quality.commit.state_items import ConversationItem, decode_conversation, encode_conversation
from service_quality.conversations.conversation import Conversation, conversation_key
from service_quality.conversations.turns import read_standing
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import total_facts
from service_quality.facts.entities import ATTRIBUTES, SEPARATOR
from service_quality.instants import DAY, HOUR, MINUTE
from spark_jobs.logs.folding import (
    LIVE_DDL,
    LIVE_SCHEMA,
    PAST_DDL,
    PAST_SCHEMA,
    _batched,
    _conversations,
    _fold_live_group,
    _fold_past_group,
    event_value_names,
    to_event,
    whole_facts,
)
from tests.parity.log_rows import log_rows
from tests.properties.feature_sets import SMALL

NOON = 19_600 * DAY + 12 * HOUR
KEPT, NAMES = whole_facts(SMALL), event_value_names(SMALL)


def contact(event_id: str, kind: str, at: int, **fields) -> InteractionEvent:
    given = {"conversation_id": "c1", "agent_id": "ann", "category": "returns", "customer_id": "zoe", **fields}
    return InteractionEvent(event_id=event_id, shop_id="shop", kind=kind, occurred_at=at, received_at=at, **given)


ASKED = contact("e1", "customer_message", NOON)
ANSWERED = contact("e2", "agent_message", NOON + 2 * MINUTE)
RATED = contact("e3", "rated", NOON + HOUR, rating=2)


def rows_at(placed: dict[int, InteractionEvent], imports=None) -> list[dict]:
    return [row | {"imports": imports} for row in log_rows(placed.items())]


def fold(*events: InteractionEvent, imports=None) -> list[dict]:
    return list(_fold_live_group(iter(rows_at(dict(enumerate(events, 10)), imports)), KEPT, NAMES))


def totals(rows: list[dict]) -> dict[tuple[str, int, str], int]:
    """Facts under their attributes, corrections added up."""
    summed: dict[tuple[str, int, str], int] = {}
    for fact in (fact for row in rows for fact in row["facts"]):
        key = fact["attributes"], fact["at"], fact["name"]
        summed[key] = summed.get(key, 0) + fact["value"]
    return {key: value for key, value in summed.items() if value}


def test_event_says_where_it_stood_and_what_it_showed():
    asked, answered, rated = fold(ASKED, ANSWERED, RATED)

    assert [row["place"] for row in (asked, answered, rated)] == [10, 11, 12]
    assert [row["clock"] for row in (asked, answered, rated)] == [NOON, NOON + 2 * MINUTE, NOON + HOUR]
    assert [row["scored"] for row in (asked, answered, rated)] == [True, True, False]
    values = dict(zip(NAMES, answered["values"], strict=True))
    assert (values["waiting_ms"], values["answered"]) == (None, 1)
    assert (answered["rating"], rated["rating"], rated["values"]) == (None, 2, None)


def test_fact_is_kept_once_under_all_attributes():
    _, answered = fold(ASKED, ANSWERED)

    found = [fact for fact in answered["facts"] if fact["name"] == "reply_ms"]

    assert [(fact["at"], fact["value"]) for fact in found] == [(ANSWERED.occurred_at, 2 * MINUTE)]
    values = dict(zip(ATTRIBUTES, found[0]["attributes"].split(SEPARATOR)[1:], strict=True))
    assert (values["agent_id"], values["category"], values["customer_id"], values["sku"]) == (
        "ann", "returns", "zoe", "",
    )  # fmt: skip


def test_late_event_corrects_what_was_counted():
    asked_sooner = contact("e0", "customer_message", NOON - MINUTE)

    rows = fold(ASKED, ANSWERED, asked_sooner)

    assert {fact["name"]: fact["value"] for fact in rows[2]["facts"]}["reply_ms"] == MINUTE
    assert totals(rows) == totals(fold(asked_sooner, ASKED, ANSWERED))


@pytest.mark.parametrize("again", [ASKED, replace(ASKED, received_at=NOON + DAY)])
def test_duplicate_changes_nothing(again):
    assert fold(ASKED, ANSWERED, again) == fold(ASKED, ANSWERED)


def test_event_older_than_retention_changes_nothing():
    later = contact("e5", "customer_message", NOON + 31 * DAY)
    too_old = replace(ANSWERED, received_at=later.received_at)

    assert [row["event_id"] for row in fold(ASKED, later, too_old)] == ["e1", "e5"]


def test_conversation_is_forgotten_after_retention_of_arrivals():
    later = contact("e5", "agent_message", NOON + 32 * DAY)

    assert fold(ASKED, later)[1]["facts"] == fold(later)[0]["facts"]


def test_past_folds_to_what_the_core_keeps():
    past = _fold_past_group(iter(rows_at(dict(enumerate([ASKED, ANSWERED, ASKED, RATED])))), KEPT)

    conversation = decode_conversation(past["conversation"], "shop").conversation
    assert conversation == Conversation((ASKED, ANSWERED, RATED), touched_at=RATED.received_at)
    expected = total_facts(conversation, read_standing(conversation), KEPT)
    assert totals([past]) == {key: value for key, value in expected.items() if value}
    assert past["fold_key"] == conversation_key(ASKED)


def test_imported_conversation_is_known_from_its_mark_on_and_counted_once():
    opened = contact("e0", "conversation_opened", NOON)
    past = encode_conversation(ConversationItem(Conversation((opened,), touched_at=NOON)))
    imports = [{"place": 11, "conversation": past}]

    (alone,) = fold(opened, imports=imports)
    known = list(_fold_live_group(iter(rows_at({10: opened, 12: ANSWERED, 13: RATED}, imports)), KEPT, NAMES))

    assert [fact["value"] for fact in alone["facts"] if fact["name"] == "contacts"] == [1]
    corrected = [[fact["value"] for fact in row["facts"] if fact["name"] == "contacts"] for row in known]
    assert corrected == [[1], [-1], []], "log and import both counted it"


def test_import_behind_the_last_event_is_not_absorbed():
    past = encode_conversation(ConversationItem(Conversation((RATED,), touched_at=NOON)))

    assert fold(ASKED, ANSWERED, imports=[{"place": 99, "conversation": past}]) == fold(ASKED, ANSWERED)


def test_rows_of_a_conversation_fold_together_across_batches():
    rows = [{"shop_id": shop, "fold_key": key} for shop, key in ("aa", "aa", "aa", "ab", "bb")]
    batches = [pa.RecordBatch.from_pylist(rows[:2]), pa.RecordBatch.from_pylist(rows[2:])]

    assert [len(list(group)) for group in _conversations(batches)] == [3, 1, 1]


def test_rows_leave_in_batches_of_their_schema():
    rows = fold(ASKED, ANSWERED)

    assert list(_batched([], LIVE_SCHEMA)) == []
    (batch,) = _batched(rows, LIVE_SCHEMA)
    assert batch.schema == LIVE_SCHEMA
    assert batch.to_pylist() == rows


def test_event_survives_its_row():
    (row,) = log_rows([(1, RATED)])

    assert to_event(row) == RATED


@pytest.mark.parametrize(("ddl", "schema"), [(LIVE_DDL, LIVE_SCHEMA), (PAST_DDL, PAST_SCHEMA)])
def test_columns_are_declared_alike_for_both_engines(ddl, schema):
    outermost = ddl.partition("struct<")[0] + ddl.rpartition(">")[2]

    assert [field.split()[0] for field in outermost.split(", ")] == schema.names
