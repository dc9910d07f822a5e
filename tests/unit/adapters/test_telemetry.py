"""What a function counts and logs carries its name, and is written where it must be."""

import json

import pytest

from service_quality.adapters.telemetry import Telemetry


def written(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    """The metrics on standard output, in their order."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" in line]


def test_counts_are_written_together_when_the_handler_returns(capsys):
    telemetry = Telemetry("score_things")

    @telemetry.metrics.log_metrics
    def handler(event: object, context: object) -> None:
        telemetry.count({"Taken": 2, "Left": 0})
        assert written(capsys) == []

    handler({}, None)

    (line,) = written(capsys)
    assert (line["Taken"], line["Left"], line["service"]) == ([2.0], [0.0], "score_things")
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ServiceQuality"


def test_reasons_are_a_dimension_of_their_own(capsys):
    Telemetry("score_things").count_by_reason("Rejected", {"too_large": 2, "no_event": 1})

    lines = written(capsys)
    assert [(line["reason"], line["Rejected"]) for line in lines] == [("too_large", [2.0]), ("no_event", [1.0])]
    assert {line["service"] for line in lines} == {"score_things"}


@pytest.mark.parametrize(("happened", "counted"), [("model_loaded", []), ("model_refused", [[1.0]])])
def test_refused_model_is_counted_at_once_and_a_loaded_one_only_logged(happened, counted, capsys, caplog):
    telemetry = Telemetry("score_things")

    with caplog.at_level("INFO"):
        telemetry.observe_model(happened, {"version": "v1"})

    assert [line["RefusedModels"] for line in written(capsys)] == counted
    assert [(record.msg, vars(record)["version"]) for record in caplog.records] == [(happened, "v1")]
