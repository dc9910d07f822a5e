"""The parts of the benchmark of scoring: its comparison of scores, and its counting of calls."""

import pytest

from benchmarks.cold_start_runs.local_server import Answer, serving
from benchmarks.scoring import require_same_scores
from benchmarks.scoring_runs.measured import CallCounter, Measured
from service_quality.adapters import aws_clients


def measured(**scores: float) -> Measured:
    return Measured(500.0, {}, 120.0, scores)


def test_scores_that_only_ours_has_may_be_more():
    require_same_scores(measured(opened=0.2, answered=0.3), measured(opened=0.2 + 1e-8))


@pytest.mark.parametrize(
    ("ours", "naive"),
    [(measured(), measured()), (measured(), measured(opened=0.2)), (measured(opened=0.2), measured(opened=0.21))],
)
def test_functions_whose_scores_do_not_meet_are_refused(ours, naive):
    with pytest.raises(RuntimeError, match="expected the same answers"):
        require_same_scores(ours, naive)


def test_calls_of_our_clients_are_counted_by_operation(monkeypatch):
    session = aws_clients._session.__wrapped__()
    monkeypatch.setattr(aws_clients, "_session", lambda: session)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of a test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of a test")
    counter = CallCounter(session)
    with serving(lambda _: Answer(body=b"{}")) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        client = aws_clients.make_client("dynamodb")

        client.get_item(TableName="state", Key={"item_key": {"S": "before it counts"}})
        counter.counting = True
        client.get_item(TableName="state", Key={"item_key": {"S": "shop"}})

    assert counter.calls == {"dynamodb.GetItem": 1}
