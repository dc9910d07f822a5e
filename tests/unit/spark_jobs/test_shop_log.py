"""A shop's log as a table: what folds together, and the log index of each event."""

import pytest

from service_quality.conversations.conversation import conversation_key, digest_of
from service_quality.events.interaction_event import FIELDS, InteractionEvent, log_order
from service_quality.events.kinds import ALL, BEHAVIOUR
from service_quality.instants import DAY
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, with_timestamps
from spark_jobs.logs.shop_log import event_columns, order_by_time, without_words
from spark_jobs.session.start import start_session
from tests.parity.log_rows import log_rows

NOON = 19_600 * DAY + DAY // 2


def an_event(event_id: str, kind: str, at: int = NOON, **fields) -> InteractionEvent:
    given = {"shop_id": "shop", "conversation_id": "c1", "customer_id": "zoe", "received_at": at, **fields}
    return InteractionEvent(event_id=event_id, kind=kind, occurred_at=at, **given)


def ordered(folder, events: list[InteractionEvent]) -> list[dict]:
    """The events as the lake has them, through order_by_time, in the order of shops and log indexes."""
    spark = start_session("test", str(folder))
    rows = [(*(getattr(event, name) for name in FIELDS), "test") for event in events]
    lake = with_timestamps(spark.createDataFrame(rows, EVENTS_IN_MILLIS))
    located = order_by_time(lake.select(*event_columns())).orderBy("shop_id", "log_index")
    return [row.asDict() for row in located.collect()]


@pytest.mark.spark
def test_log_in_order_of_time_equals_the_loop(tmp_path):
    late, early = an_event("b", "customer_message"), an_event("z", "agent_message", NOON - 1, agent_id="ann")
    rated, same = an_event("a", "rated", rating=5), an_event("c", "bot_message", received_at=NOON - 500)
    other_shop = an_event("d", "customer_message", NOON + DAY, shop_id="other")
    expected = sorted([rated, same, late, early], key=log_order)

    found = ordered(tmp_path, [rated, same, other_shop, late, early])

    assert [event.event_id for event in expected] == ["z", "b", "c", "a"]
    assert found == log_rows([(1, other_shop)]) + log_rows(enumerate(expected, 1))


@pytest.mark.spark
def test_question_comes_before_its_answer_at_one_instant_then_the_sources_sequence_decides(tmp_path):
    answered, asked = an_event("1", "agent_message", agent_id="ann"), an_event("9", "customer_message")
    noted = an_event("0", "internal_note", sequence=2)
    opened = an_event("8", "conversation_opened", sequence=1)
    expected = [asked, opened, answered, noted]

    found = ordered(tmp_path, [noted, answered, opened, asked])

    assert sorted(expected, key=log_order) == expected
    assert found == log_rows(enumerate(expected, 1))


@pytest.mark.spark
def test_every_kind_folds_with_what_the_core_folds_it_with(tmp_path):
    kinds = sorted(ALL)
    events = [an_event(kind, kind, NOON + number * DAY, sku="lamp-1") for number, kind in enumerate(kinds)]
    events += [an_event(f"alone {kind}", kind, conversation_id=None) for kind in sorted(BEHAVIOUR)]
    events.append(an_event("suggestion", "suggestion_made", conversation_id=None))

    found = {row["event_id"]: row["fold_key"] for row in ordered(tmp_path, events)}

    assert found == {event.event_id: conversation_key(event) for event in events}


@pytest.mark.spark
def test_words_are_kept_by_the_digest_that_the_core_gives_them(tmp_path):
    words = [(None, None), ("", None), (None, ""), ("灯坏了 🪔", None), (None, "desk lamp"), ("a", "b"), ("a\nb", "")]
    events = [
        an_event(str(n), "customer_message", NOON + n, text=text, query=query) for n, (text, query) in enumerate(words)
    ]
    spark = start_session("test", str(tmp_path))
    rows = [(one.event_id, one.text, one.query) for one in events]

    found = without_words(spark.createDataFrame(rows, "event_id string, text string, query string")).collect()

    kept = {one.event_id: digest_of(one.event_id, one.text, one.query) for one in events}
    assert {row["event_id"]: row["text_digest"] for row in found} == kept
    assert [row["text_digest"] is None for row in found] == [True, *[False] * 6]
    assert "text" not in found[0]
    assert "query" not in found[0]
