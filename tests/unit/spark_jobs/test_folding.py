"""The core's fold over rows of a log, conversation by conversation."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from service_quality.commit.state_items import decode_part
from service_quality.conversations.conversation import EMPTY, Conversation, conversation_key
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.conversations.wait_stages import Stage
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_facts import total_facts
from service_quality.facts.entities import ATTRIBUTES
from service_quality.instants import DAY, HOUR, MINUTE
from spark_jobs.logs.conversation_replay import to_event
from spark_jobs.logs.folding import (
    IMPORT_DDL,
    IMPORT_SCHEMA,
    LIVE_DDL,
    LIVE_SCHEMA,
    _batched,
    _conversations,
    _fold_import_group,
    _fold_live_group,
    whole_facts,
)
from spark_jobs.logs.rules import ShopStages
from tests.parity.log_rows import log_rows
from tests.properties.feature_sets import SMALL

NOON = 19_600 * DAY + 12 * HOUR
KEPT, NAMES = whole_facts(SMALL), SMALL.event_values


def contact(event_id: str, kind: str, at: int, **fields) -> InteractionEvent:
    given = {"conversation_id": "c1", "agent_id": "ann", "category": "returns", "customer_id": "zoe", **fields}
    return InteractionEvent(event_id=event_id, shop_id="shop", kind=kind, occurred_at=at, received_at=at, **given)


ASKED = contact("e1", "customer_message", NOON)
ANSWERED = contact("e2", "agent_message", NOON + 2 * MINUTE)
RATED = contact("e3", "rated", NOON + HOUR, rating=2)


def rows_at(located: dict[int, InteractionEvent]) -> list[dict]:
    return [row | {"behind": row["log_index"], "number": 0} for row in log_rows(located.items())]


def imported(*events: InteractionEvent, behind: int, log_index: int, number: int = 1) -> list[dict]:
    """The rows of an import that was made when the log ended at `behind`, with its import record at `log_index`."""
    of_import = {
        "behind": behind,
        "number": number,
        "log_index": log_index,
        "clock": RATED.occurred_at,
        "policies_known": 0,
    }
    return [row | of_import | {"received_until": NOON} for row in log_rows(enumerate(events))]


def fold_rows(rows: list[dict]) -> list[dict]:
    return list(_fold_live_group(iter(rows), KEPT, NAMES))


def fold(*events: InteractionEvent) -> list[dict]:
    return fold_rows(rows_at(dict(enumerate(events, 10))))


def totals(rows: list[dict]) -> dict[tuple[str, int, str], int]:
    """Facts under their attributes, corrections added up."""
    summed: dict[tuple[str, int, str], int] = {}
    for fact in (fact for row in rows for fact in row["facts"]):
        key = fact["attributes"], fact["at"], fact["name"]
        summed[key] = summed.get(key, 0) + fact["value"]
    return {key: value for key, value in summed.items() if value}


def test_event_says_where_it_stood_and_what_it_showed():
    asked, answered, rated = fold(ASKED, ANSWERED, RATED)

    assert [row["log_index"] for row in (asked, answered, rated)] == [10, 11, 12]
    assert [row["clock"] for row in (asked, answered, rated)] == [NOON, NOON + 2 * MINUTE, NOON + HOUR]
    assert [row["scored"] for row in (asked, answered, rated)] == [True, True, False]
    values = dict(zip(NAMES, answered["values"], strict=True))
    assert (values["waiting_ms"], values["answered"]) == (None, 1)
    assert ([row["round"] for row in (asked, answered, rated)], rated["values"]) == ([1, 1, 1], None)


def test_event_says_its_round_and_a_rating_the_round_that_it_rates():
    solved = contact("e4", "resolved", NOON + 2 * HOUR)
    again = contact("e5", "customer_message", NOON + 3 * HOUR)
    rated_late = replace(RATED, occurred_at=NOON + 4 * HOUR, received_at=NOON + 4 * HOUR)

    rows = fold(ASKED, ANSWERED, solved, again, rated_late)

    assert [row["round"] for row in rows] == [1, 1, 1, 2, 1]


def test_visit_has_no_round():
    (viewed,) = fold(contact("e6", "page_viewed", NOON, conversation_id=None, agent_id=None))

    assert viewed["round"] == 0


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


def test_import_into_nothing_is_what_the_core_keeps():
    past = _fold_import_group(iter(imported(ASKED, ANSWERED, RATED, behind=0, log_index=1)), KEPT)

    part = decode_part(past["part"], "shop")
    assert part == ImportedPart(EMPTY, Conversation((ASKED, ANSWERED, RATED), RATED.occurred_at, imported=3))
    expected = total_facts(part.after, read_conversation(in_order(part.after)), KEPT)
    assert totals([past]) == {key: value for key, value in expected.items() if value}
    assert (past["fold_key"], past["left_out"]) == (conversation_key(ASKED), 0)


def test_import_says_when_the_timer_of_an_open_wait_rings():
    stages = ShopStages((Stage("waiting_ms", 60_000),), {"other": ()})
    open_wait, answered = imported(ASKED, behind=0, log_index=1), imported(ASKED, ANSWERED, behind=0, log_index=1)

    found = _fold_import_group(iter(open_wait), KEPT, stages=stages)

    assert json.loads(found["deadline"]) == [ASKED.occurred_at + 60_000, 1, 1, "waiting_ms:60000"]
    assert _fold_import_group(iter(answered), KEPT, stages=stages)["deadline"] is None
    elsewhere = [row | {"shop_id": "other"} for row in open_wait]
    assert _fold_import_group(iter(elsewhere), KEPT, stages=stages)["deadline"] is None


def test_import_of_what_a_conversation_lacks_changes_the_difference_only():
    rows = [*rows_at({1: ASKED, 2: RATED}), *imported(ANSWERED, behind=2, log_index=3)]

    asked, rated, import_record = fold_rows(rows)

    assert (import_record["log_index"], import_record["scored"]) == (3, False)
    assert totals([asked, rated, import_record]) == totals(fold(ASKED, ANSWERED, RATED))
    part = decode_part(_fold_import_group(iter(rows), KEPT)["part"], "shop")
    assert [len(conversation.events) for conversation in part] == [2, 3]


def test_what_reached_the_log_while_an_import_was_made_is_corrected_at_the_next_event():
    rows = [*imported(ASKED, ANSWERED, behind=0, log_index=3), *rows_at({1: ASKED, 2: ANSWERED, 4: RATED})]

    *_, twice, corrected = fold_rows(rows)

    contacts = [fact["value"] for fact in corrected["facts"] if fact["name"] == "contacts"]
    assert (twice["event_id"], contacts) == ("e2", [-1])
    assert totals(fold_rows(rows)) == totals(fold(ASKED, ANSWERED, RATED))


def test_import_counts_from_the_place_of_its_mark_on():
    rows = [*imported(ANSWERED, behind=0, log_index=99), *rows_at({1: ASKED, 2: RATED})]

    import_record, *events = fold_rows(rows)

    assert import_record["log_index"] == 99
    assert events == fold_rows(rows_at({1: ASKED, 2: RATED}))


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


@pytest.mark.parametrize(("ddl", "schema"), [(LIVE_DDL, LIVE_SCHEMA), (IMPORT_DDL, IMPORT_SCHEMA)])
def test_columns_are_declared_alike_for_both_engines(ddl, schema):
    outermost = ddl.partition("struct<")[0] + ddl.rpartition(">")[2]

    assert [field.split()[0] for field in outermost.split(", ")] == schema.names
