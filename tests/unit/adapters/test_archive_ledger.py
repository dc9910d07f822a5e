"""The ledger of the archive: written on the condition that it is what was read, and read page by page."""

import pytest
from botocore.stub import ANY

from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.commit.archived_ranges import Gap, Range
from service_quality.errors import DependencyError, DeploymentError

KEY = {"stream_key": {"S": "archive_ledger"}, "sequence": {"S": "s"}}
FIRST, SECOND = b'[["","1"]]', b'[["","2"]]'


def stored(body: bytes) -> dict:
    return {"Item": {**KEY, "body": {"B": body}}}


def reading() -> dict:
    return {"TableName": "alerts", "Key": KEY, "ConsistentRead": True}


def writing(body: bytes, *, before: bytes | None) -> dict:
    item = {**KEY, "row_kind": {"S": "archive_ledger"}, "shop_id": {"S": "s"}, "body": {"B": body}}
    if before is None:
        return {"TableName": "alerts", "Item": item, "ConditionExpression": "attribute_not_exists(stream_key)"}
    return {
        "TableName": "alerts",
        "Item": item,
        "ConditionExpression": "#body = :before",
        "ExpressionAttributeNames": {"#body": "body"},
        "ExpressionAttributeValues": {":before": {"B": before}},
    }


def archive_item(sequence: str) -> dict:
    return {
        "stream_key": {"S": "s\x1farchive"},
        "sequence": {"S": sequence},
        "shop_id": {"S": "s"},
        "body": {"B": b"packed"},
        "expires_at": {"N": str(30 * 86_400 + 7)},
    }


def test_ledger_is_read_once_and_replaced_on_the_condition_of_what_was_read(dynamodb):
    dynamodb.add_response("get_item", stored(b"[]"), reading())
    dynamodb.add_response("put_item", {}, writing(FIRST, before=b"[]"))
    dynamodb.add_response("put_item", {}, writing(SECOND, before=FIRST))
    ledger = ArchiveLedger(dynamodb.client, "alerts")

    ledger.add("s", [Range("", "1")])
    ledger.add("s", [Range("1", "2")])


def test_what_a_ledger_says_already_is_not_written(dynamodb):
    dynamodb.add_response("get_item", stored(SECOND), reading())

    ArchiveLedger(dynamodb.client, "alerts").add("s", [Range("", "1")])


def test_ledger_that_another_has_changed_is_read_again(dynamodb):
    dynamodb.add_response("get_item", {}, reading())
    dynamodb.add_client_error(
        "put_item", "ConditionalCheckFailedException", expected_params=writing(b'[["1","2"]]', before=None)
    )
    dynamodb.add_response("get_item", stored(FIRST), reading())
    dynamodb.add_response("put_item", {}, writing(SECOND, before=FIRST))

    ArchiveLedger(dynamodb.client, "alerts").add("s", [Range("1", "2")])


def test_ledger_that_keeps_changing_is_a_dependency_error(dynamodb):
    for _ in range(5):
        dynamodb.add_response("get_item", stored(b"[]"))
        dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")

    with pytest.raises(DependencyError, match="kept changing 5 times"):
        ArchiveLedger(dynamodb.client, "alerts").add("s", [Range("", "1")])


@pytest.mark.parametrize("ledgers", [[], ["a", "b"]])
def test_shops_are_read_in_order_page_by_page(dynamodb, ledgers):
    items = [{"sequence": {"S": name}, "body": {"B": FIRST}} for name in ledgers]
    dynamodb.add_response("query", {"Items": items, "LastEvaluatedKey": KEY} if items else {"Items": []})
    if items:
        dynamodb.add_response("query", {"Items": items}, {**asked("archive_ledger", ANY), "ExclusiveStartKey": KEY})

    shops = list(ArchiveLedger(dynamodb.client, "alerts").read_shops(after=""))

    assert [shop.shop_id for shop in shops] == ledgers * 2
    assert all(shop.ranges == (Range("", "1"),) for shop in shops)


def asked(stream_key: str, condition: object, **bounds: str) -> dict:
    values: object = {":stream_key": {"S": stream_key}, **{f":{name}": {"S": value} for name, value in bounds.items()}}
    return {
        "TableName": "alerts",
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#sequence": "sequence"},
        "ExpressionAttributeValues": values if bounds else ANY,
    }


def test_rows_of_a_gap_end_before_the_row_that_is_archived(dynamodb):
    condition = "stream_key = :stream_key AND #sequence BETWEEN :from AND :to"
    request = asked("s\x1farchive", condition, **{"from": "1", "to": "3"})
    dynamodb.add_response("query", {"Items": [archive_item("1"), archive_item("3")]}, request)

    (page,) = ArchiveLedger(dynamodb.client, "alerts").read_rows("s", Gap("1", "3"))

    assert [(row.sequence, row.body, row.written_at) for row in page] == [("1", b"packed", 7_000)]


def test_row_that_follows_nothing_comes_first_and_not_again_at_the_end(dynamodb):
    condition = "stream_key = :stream_key AND #sequence BETWEEN :from AND :to"
    request = asked("s\x1farchive", condition, **{"from": "0", "to": ":"})
    dynamodb.add_response("query", {"Items": [archive_item("0"), archive_item("0001")]}, request)

    pages = list(ArchiveLedger(dynamodb.client, "alerts").read_rows("s", Gap("", None)))

    assert [row.sequence for page in pages for row in page] == ["0", "0001"]


@pytest.mark.parametrize("operation", ["get_item", "put_item"])
def test_missing_table_is_named(dynamodb, operation):
    if operation == "put_item":
        dynamodb.add_response("get_item", {})
    dynamodb.add_client_error(operation, "ResourceNotFoundException")

    with pytest.raises(DeploymentError, match="table alerts"):
        ArchiveLedger(dynamodb.client, "alerts").check()


def test_failing_table_is_a_dependency_error(dynamodb):
    dynamodb.add_client_error("query", "ThrottlingException")

    with pytest.raises(DependencyError, match="table alerts: ThrottlingException"):
        list(ArchiveLedger(dynamodb.client, "alerts").read_rows("s", Gap("1", None)))
