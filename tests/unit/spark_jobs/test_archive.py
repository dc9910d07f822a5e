"""Archive rows as tables, and what is wrong with a chain of them."""

import json
from array import array
from base64 import b64encode

import pytest

from service_quality.events.control_records import ShopUnparked, control_to_dict
from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.events.positions import START, Position
from spark_jobs.errors import InputError
from spark_jobs.logs.archive import ENTRY_DDL, ENTRY_SCHEMA, LINK_DDL, _link, broken_chains, entries_of, read_row
from tests.stand_ins.control import make_import_record

NOON = 1_700_000_000_000


def position(number: int) -> str:
    return str(Position(1, number)) if number else START


def row(*entries, follows=0, last=9):
    return {
        "shop_id": "shop",
        "follows": position(follows),
        "last": position(last),
        "fold_version": "1.abc",
        "fingerprint": "f1",
        "entries": list(entries),
    }


def links(*spans, shop_id="shop"):
    return [{"shop_id": shop_id, "follows": position(follows), "last": position(last)} for follows, last in spans]


def test_scored_event_comes_with_all_that_was_served():
    event = InteractionEvent(
        event_id="e1",
        shop_id="shop",
        kind="agent_message",
        occurred_at=NOON,
        received_at=NOON + 5,
        conversation_id="c1",
        agent_id="ann",
        amount_minor=12,
    )
    vector = array("f", [1.5, float("nan")])
    served = {"clock": NOON + 9, "vector": b64encode(vector.tobytes()).decode(), "score": 0.25, "model": "v1"}

    (found,) = entries_of(row({"position": position(3), "event": event_to_dict(event), **served}, follows=2))

    assert {name: found[name] for name in FIELDS} == {name: getattr(event, name) for name in FIELDS}
    assert (found["position"], found["row_follows"], found["fingerprint"]) == (position(3), position(2), "f1")
    assert (found["served_clock"], found["served_score"], found["model_version"]) == (NOON + 9, 0.25, "v1")
    assert array("f", found["served_vector"]).tobytes() == vector.tobytes()
    assert (found["rejected"], found["duplicate"]) == (None, False)


def test_event_says_its_round_and_a_rating_its_label():
    event = InteractionEvent(
        event_id="e1", shop_id="shop", kind="rated", occurred_at=NOON, received_at=NOON, conversation_id="c", rating=1
    )
    archived = {"position": position(3), "event": event_to_dict(event), "clock": NOON}

    told, without = entries_of(row({**archived, "round": 2, "label": 1}, archived))

    assert (told["round"], told["label"]) == (2, 1)
    assert (without["round"], without["label"]) == (None, None)


def test_event_that_was_not_scored_has_no_vector():
    event = InteractionEvent(
        event_id="e1", shop_id="shop", kind="page_viewed", occurred_at=NOON, received_at=NOON, customer_id="zoe"
    )

    (found,) = entries_of(row({"position": position(3), "event": event_to_dict(event), "clock": NOON}))

    assert (found["served_vector"], found["served_score"], found["served_clock"]) == (None, None, NOON)


def test_rejected_and_duplicate_records_keep_their_log_indexes_and_bring_no_event():
    rejected, duplicate = entries_of(
        row(
            {"position": position(1), "rejected": "malformed_json", "field": ""},
            {"position": position(2), "duplicate": True},
        )
    )

    assert (rejected["position"], rejected["rejected"], rejected["duplicate"]) == (position(1), "malformed_json", False)
    assert (duplicate["position"], duplicate["rejected"], duplicate["duplicate"]) == (position(2), None, True)
    assert "event_id" not in rejected
    assert "event_id" not in duplicate


def test_rejected_record_names_the_field():
    (found,) = entries_of(row({"position": position(1), "rejected": "wrong_type", "field": "rating"}))

    assert (found["rejected"], found["rejected_field"]) == ("wrong_type", "rating")


def test_control_record_without_effect_on_features_is_an_entry_without_an_event():
    unparked = ShopUnparked(shop_id="shop", run="r1", until=position(4))

    (found,) = entries_of(row({"position": position(5), "event": control_to_dict(unparked), "clock": NOON}))

    assert json.loads(found["control"]) == control_to_dict(unparked)
    assert {"event_id", "import_id", "filled"}.isdisjoint(found)


def test_import_record_moves_the_clock():
    import_record = make_import_record("i1", clock=NOON)

    (found,) = entries_of(row({"position": position(1), "event": control_to_dict(import_record), "clock": NOON + 7}))

    assert (found["import_id"], found["occurred_at"], found["received_at"]) == ("i1", NOON, NOON)
    assert found["served_clock"] == NOON + 7


def test_entries_have_the_columns_that_are_declared():
    declared = [field.split()[0] for field in ENTRY_DDL.split(", ")]

    assert declared == ENTRY_SCHEMA.names
    assert {"occurred_at bigint", "served_vector array<float>", "duplicate boolean"} <= set(ENTRY_DDL.split(", "))


def test_link_names_shop_and_neighbours():
    line = json.dumps(row({"position": position(3), "duplicate": True}, {}, follows=2, last=4))

    assert _link(line) == {
        "shop_id": "shop",
        "follows": position(2),
        "last": position(4),
        "entries": 2,
        "fold_version": "1.abc",
    }
    assert list(_link(line)) == [field.split()[0] for field in LINK_DDL.split(", ")]


@pytest.mark.parametrize("line", ["", "no JSON", "[1]", "null", '"text"'])
def test_line_that_is_no_archive_row_is_refused(line):
    with pytest.raises(InputError, match=r"found a line without shop_id, .* expected archive rows"):
        read_row(line)


def test_row_that_lacks_a_field_is_refused_by_its_name():
    with pytest.raises(InputError, match="found a line without fold_version, expected"):
        read_row(json.dumps({name: value for name, value in row().items() if name != "fold_version"}))


@pytest.mark.parametrize("spans", [[(0, 4)], [(0, 4), (4, 9), (9, 10)], [(9, 10), (0, 4), (4, 9)]])
def test_chain_of_rows_that_follow_one_another_is_whole(spans):
    assert broken_chains(links(*spans)) == []


def test_nothing_archived_is_whole():
    assert broken_chains([]) == []


@pytest.mark.parametrize(
    ("spans", "fault"),
    [
        ([(0, 4), (6, 9)], f"a gap: found a row after {position(6)}, expected one after {position(4)}"),
        ([(4, 9)], f"a gap: found a row after {position(4)}, expected one after the start"),
        ([(0, 4), (0, 4), (4, 9)], f"a second row: found a row after the start, expected one after {position(4)}"),
        ([(0, 4), (0, 6), (6, 9)], f"a second row: found a row after the start, expected one after {position(4)}"),
        ([(0, 9), (4, 6)], f"a second row: found a row after {position(4)}, expected one after {position(9)}"),
    ],
    ids=["gap", "beginning lost", "same row twice", "fork", "row within another"],
)
def test_fault_is_said_once_and_with_its_place(spans, fault):
    assert broken_chains(links(*spans)) == [f"shop shop: {fault}"]


def test_every_fault_is_said():
    assert len(broken_chains(links((0, 2), (3, 4), (5, 6), (5, 6)))) == 3


def test_shops_have_chains_of_their_own():
    whole, broken = links((0, 4), (4, 9), shop_id="a"), links((0, 4), (5, 9), shop_id="b")

    (fault,) = broken_chains([*broken, *whole])

    assert fault.startswith("shop b: a gap")
