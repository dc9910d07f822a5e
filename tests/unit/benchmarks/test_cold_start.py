"""The servers around a function whose cold start is measured, and the evaluation of its runs."""

import json
import urllib.error
import urllib.request

import pytest

from benchmarks.cold_start import IMPORTS, OURS, SCIKIT_LEARN, Start, first_event, summarize
from benchmarks.cold_start_runs.aws_answers import AwsAnswers
from benchmarks.cold_start_runs.local_server import Request, serving
from benchmarks.cold_start_runs.runtime_api import RuntimeApi

INVOCATION = "/2018-06-01/runtime/invocation"


def ask(path: str, method: str = "GET") -> Request:
    return Request(method, path, {}, b"answer")


def asked(operation: str, content: dict) -> Request:
    return Request("POST", "/", {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}, json.dumps(content).encode())


def starts(*milliseconds: float) -> list[Start]:
    return [Start(value, value / 2, 80.0, "") for value in milliseconds]


def test_runtime_api_hands_out_its_event_once_and_takes_the_answer():
    api = RuntimeApi(b"event")

    given = api.answer(ask(f"{INVOCATION}/next"))
    api.answer(ask(f"{INVOCATION}/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response", "POST"))

    assert given.body == b"event"
    assert "Lambda-Runtime-Aws-Request-Id" in given.headers
    assert api.answered.is_set()
    assert not api.failure
    api.done.set()
    assert api.answer(ask(f"{INVOCATION}/next")).status == 410


@pytest.mark.parametrize("path", [f"{INVOCATION}/1/error", "/2018-06-01/runtime/init/error"])
def test_failed_function_is_reported(path):
    api = RuntimeApi(b"event")

    api.answer(ask(path, "POST"))

    assert api.failure == "answer"


def test_aws_refuses_checks_as_the_services_do():
    answers = AwsAnswers({"champion": b"model", "churn": b"other"})

    pointer = answers.answer(
        asked("GetItem", {"TableName": "models", "Key": {"pk": {"S": "pointer"}, "sk": {"S": "churn"}}})
    )
    never = {"Put": {"ConditionExpression": "attribute_exists(key) AND attribute_not_exists(key)"}}
    refused = answers.answer(asked("TransactWriteItems", {"TransactItems": [never, never]}))
    taken = answers.answer(asked("TransactWriteItems", {"TransactItems": [{"Put": {}}]}))

    (shard,) = json.loads(answers.answer(asked("ListShards", {"StreamName": "events"})).body)["Shards"]
    assert int(shard["HashKeyRange"]["EndingHashKey"]) == 2**128 - 1
    assert json.loads(pointer.body)["Item"]["version"] == {"S": "churn"}
    assert refused.status == 400
    assert json.loads(refused.body)["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}] * 2
    assert taken.status == 200
    assert answers.answer(Request("GET", "/models/models/churn/model.onnx?x=1", {}, b"")).body == b"other"
    assert b"BadDigest" in answers.answer(Request("PUT", "/rejected/check", {"Content-MD5": "x"}, b"check")).body


def test_server_answers_on_this_machine_alone_and_ends():
    with (
        serving(RuntimeApi(b"event").answer) as address,
        urllib.request.urlopen(f"http://{address}{INVOCATION}/next") as answer,
    ):
        assert address.startswith("127.0.0.1:")
        assert answer.read() == b"event"

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{address}{INVOCATION}/next", timeout=1)


def test_ratios_are_taken_run_by_run():
    section = summarize(
        {OURS: starts(400, 800, 430), SCIKIT_LEARN: starts(2000, 4000, 2000), IMPORTS: starts(320, 640, 344)}
    )

    assert section.figures == {"over_scikit_learn": pytest.approx(0.2), "over_imports": pytest.approx(1.25)}


def test_first_event_is_a_batch_of_one_record():
    (record,) = json.loads(first_event())["Records"]

    assert record["kinesis"]["partitionKey"] == "shop-1"
