"""The online commit's store over DynamoDB: what is asked, and what each refusal means."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY

from service_quality.adapters.state_table import StateReader, StateTable
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import ShopItem, encode_shop
from service_quality.commit.transactions import Commit, Transaction
from service_quality.errors import ConflictError, DependencyError, DeploymentError, ShopTroubleError
from service_quality.events.positions import Position

NOW = 1_700_000_000
DAY = 86_400
FIRST = ShopItem(version=1, fold_version="1.a", clock=5, last_position="p1")
CONDITION_FAILED, NOTHING = {"Code": "ConditionalCheckFailed"}, {"Code": "None"}


def make_store(stubber, pauses=None) -> StateTable:
    stored: list[object] = []
    pause = (pauses if pauses is not None else []).append
    return StateTable(stubber.client, "state", "alerts", stored.append, now=lambda: NOW, pause=pause)


def commit_of(shop=FIRST, expected_version=0, items=None, rows=()) -> Commit:
    return Commit("s", shop, expected_version, items or {}, tuple(rows))


def cancel(stubber, *reasons):
    stubber.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": list(reasons)},
    )


def test_shop_is_read_strongly_consistent(dynamodb):
    stored = {"Item": {"item_key": {"S": "s\x1fshop"}, "data": {"B": encode_shop(FIRST)}}}
    asked = {"TableName": "state", "Key": {"item_key": {"S": "s\x1fshop"}}, "ConsistentRead": True}
    dynamodb.add_response("get_item", stored, asked)

    assert make_store(dynamodb).read_shop("s") == FIRST


def test_unknown_shop_reads_as_none(dynamodb):
    dynamodb.add_response("get_item", {})

    assert make_store(dynamodb).read_shop("s") is None


def test_items_are_read_a_hundred_at_a_time(dynamodb):
    keys = [f"agent\x1f{number}" for number in range(130)]
    for part in (keys[:100], keys[100:]):
        wanted = [{"item_key": {"S": f"s\x1f{key}"}} for key in part]
        found = [{**wanted[0], "data": {"B": part[0].encode()}}]
        dynamodb.add_response(
            "batch_get_item",
            {"Responses": {"state": found}, "UnprocessedKeys": {}},
            {"RequestItems": {"state": {"Keys": wanted, "ConsistentRead": True}}},
        )

    items = make_store(dynamodb).read_items("s", keys)

    assert items == {keys[0]: keys[0].encode(), keys[100]: keys[100].encode()}


def test_keys_left_unprocessed_are_asked_again(dynamodb):
    first, second = ({"item_key": {"S": f"s\x1f{key}"}} for key in ("a", "b"))
    dynamodb.add_response(
        "batch_get_item",
        {
            "Responses": {"state": [{**first, "data": {"B": b"A"}}]},
            "UnprocessedKeys": {"state": {"Keys": [second]}},
        },
    )
    dynamodb.add_response(
        "batch_get_item",
        {"Responses": {"state": [{**second, "data": {"B": b"B"}}]}, "UnprocessedKeys": {}},
        {"RequestItems": {"state": {"Keys": [second], "ConsistentRead": True}}},
    )

    assert make_store(dynamodb).read_items("s", ["a", "b"]) == {"a": b"A", "b": b"B"}


def test_keys_that_stay_unprocessed_are_given_up(dynamodb):
    pauses: list[float] = []
    for _ in range(6):
        left = {"state": {"Keys": [{"item_key": {"S": "s\x1fa"}}]}}
        dynamodb.add_response("batch_get_item", {"Responses": {"state": []}, "UnprocessedKeys": left})

    with pytest.raises(DependencyError, match="table state"):
        make_store(dynamodb, pauses).read_items("s", ["a"])

    assert pauses == sorted(pauses)
    assert len(pauses) == 5


def test_first_commit_requires_that_there_is_no_shop(dynamodb):
    put = {
        "TableName": "state",
        "Item": {"item_key": {"S": "s\x1fshop"}, "version": {"N": "1"}, "data": {"B": encode_shop(FIRST)}},
        "ConditionExpression": "attribute_not_exists(item_key)",
    }
    dynamodb.add_response("transact_write_items", {}, {"TransactItems": [{"Put": put}]})

    make_store(dynamodb).commit(commit_of())


def test_later_commit_requires_the_version_that_was_read(dynamodb):
    put = {
        "TableName": "state",
        "Item": ANY,
        "ConditionExpression": "#version = :expected",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":expected": {"N": "7"}},
    }
    dynamodb.add_response("transact_write_items", {}, {"TransactItems": [{"Put": put}]})

    make_store(dynamodb).commit(commit_of(expected_version=7))


def test_everything_but_the_shop_and_its_ledger_expires_beyond_what_the_log_can_look_back(dynamodb):
    asked: dict[str, list] = {}

    def keep(params, **_):
        asked.update(params)

    dynamodb.client.meta.events.register_first("provide-client-params.dynamodb.TransactWriteItems", keep)
    dynamodb.add_response("transact_write_items", {})
    rows = [
        OutboxRow("s\x1falert\x1fk", "000000000001", "alert", b"a", "s"),
        OutboxRow("s\x1falert\x1fk", "state", "state", b"a", "s", open=True),
        OutboxRow("s\x1falert\x1fk", "state", "state", b"a", "s", open=False),
        OutboxRow("s\x1farchive", "0", "archive", b"a", "s"),
        OutboxRow("archive_ledger", "s", "archive_ledger", b"[]", "s"),
    ]
    items = {"contact\x1fc": b"1", "visit\x1fann\x1f9": b"2", "agent\x1fann": b"3"}

    make_store(dynamodb).commit(commit_of(items=items, rows=rows))

    dynamodb.client.meta.events.unregister("provide-client-params.dynamodb.TransactWriteItems", keep)
    put = [one["Put"]["Item"] for one in asked["TransactItems"]]
    days = [(int(item["expires_at"]["N"]) - NOW) // DAY if "expires_at" in item else None for item in put]
    assert days == [None, 51, 51, 427, 30, 427, 427, 30, None]
    assert [item.get("open_shop") for item in put[4:]] == [None, {"S": "s"}, None, None, None]


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        ((CONDITION_FAILED, NOTHING), ConflictError),
        ((NOTHING, {"Code": "TransactionConflict"}), ConflictError),
        ((NOTHING, {"Code": "ThrottlingError"}), DependencyError),
        ((NOTHING, {"Code": "ProvisionedThroughputExceeded"}), DependencyError),
    ],
)
def test_cancelled_transaction_tells_a_conflict_from_throttling(dynamodb, reasons, error):
    cancel(dynamodb, *reasons)

    with pytest.raises(error):
        make_store(dynamodb).commit(commit_of())


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "RequestLimitExceeded"])
def test_failure_of_the_service_is_a_dependency_error(dynamodb, code):
    dynamodb.add_client_error("get_item", code, http_status_code=500)

    with pytest.raises(DependencyError, match=code):
        make_store(dynamodb).read_shop("s")


def test_timeout_is_a_dependency_error():
    class Silent:
        def transact_write_items(self, **_):
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    silent: Any = Silent()

    with pytest.raises(DependencyError, match="ReadTimeoutError"):
        StateTable(silent, "state", "alerts", print).commit(commit_of())


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_missing_or_forbidden_table_is_named(dynamodb, code):
    dynamodb.add_client_error("get_item", code)

    with pytest.raises(DeploymentError, match=f"{code} at table state"):
        make_store(dynamodb).check()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_reader_names_a_missing_or_forbidden_table(dynamodb, code):
    dynamodb.add_client_error("get_item", code)

    with pytest.raises(DeploymentError, match=f"{code} at table state"):
        StateReader(dynamodb.client, "state").check()


def test_check_of_writing_writes_nothing(dynamodb):
    dynamodb.add_response("get_item", {})
    never = {"Item": ANY, "ConditionExpression": ANY}
    dynamodb.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [CONDITION_FAILED, CONDITION_FAILED]},
        expected_params={"TransactItems": [{"Put": {"TableName": table} | never} for table in ("state", "alerts")]},
    )

    make_store(dynamodb).check()


def test_check_of_writing_names_the_forbidden_table(dynamodb):
    dynamodb.add_response("get_item", {})
    dynamodb.add_client_error("transact_write_items", "AccessDeniedException")
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")
    dynamodb.add_client_error("put_item", "AccessDeniedException")

    with pytest.raises(DeploymentError, match="table alerts"):
        make_store(dynamodb).check()


def test_conflict_with_another_check_is_no_failure(dynamodb):
    dynamodb.add_response("get_item", {})
    cancel(dynamodb, {"Code": "TransactionConflict"}, CONDITION_FAILED)
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")

    make_store(dynamodb).check()


def archive_row(follows: str, *positions: str) -> dict[str, Any]:
    transaction = Transaction("s", follows)
    for position in positions:
        transaction.add_entry({"position": position}, 1)
    row = transaction.archive_row(last=positions[-1], fold_version="1", fingerprint="f", declared=None)
    return {"stream_key": {"S": row.stream_key}, "sequence": {"S": row.sequence}, "body": {"B": row.body}}


def expect_query(stubber, before: str, *rows: dict[str, Any]) -> None:
    asked = {
        "TableName": "alerts",
        "KeyConditionExpression": ANY,
        "ExpressionAttributeNames": {"#sequence": "sequence"},
        "ExpressionAttributeValues": {":key": {"S": "s\x1farchive"}, ":position": {"S": before}},
        "ScanIndexForward": False,
        "Limit": 1,
        "ConsistentRead": True,
    }
    stubber.add_response("query", {"Items": list(rows)}, asked)


def test_positions_are_looked_up_in_the_row_that_must_hold_them(dynamodb):
    expect_query(dynamodb, "8", archive_row("5", "6", "8"))
    expect_query(dynamodb, "4", archive_row("", "1", "3"))

    held = make_store(dynamodb).positions_archived("s", ["8", "7", "4", "3", "6"])

    assert held == {"8", "6", "3"}


def test_position_before_the_first_row_is_held_by_none(dynamodb):
    expect_query(dynamodb, "1")

    assert make_store(dynamodb).positions_archived("s", ["1"]) == frozenset()


def test_first_row_sorts_before_every_position():
    assert archive_row("", "1")["sequence"]["S"] < str(Position(1, 0))


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_item_that_a_table_never_takes_is_the_shops_own_trouble(dynamodb, code):
    cancel(dynamodb, NOTHING, {"Code": code})

    with pytest.raises(ShopTroubleError, match=code):
        make_store(dynamodb).commit(commit_of())


def test_transaction_that_a_table_never_takes_is_the_shops_own_trouble(dynamodb):
    dynamodb.add_client_error("transact_write_items", "ValidationException")

    with pytest.raises(ShopTroubleError, match="ValidationException"):
        make_store(dynamodb).commit(commit_of())
