"""AWS that does not answer: the line names the call that was made last."""

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from infra.operations import deployment
from infra.operations.command_line import main


@pytest.mark.parametrize("error", [EndpointConnectionError, ReadTimeoutError])
@pytest.mark.parametrize(
    ("argv", "call"),
    [
        (["count", "--stack", "s"], "DescribeStacks of cloudformation"),
        (["count", "--rejected-bucket", "b"], "ListObjectsV2 of s3"),
    ],
)
def test_call_without_an_answer_is_named(monkeypatch, capsys, argv, call, error):
    def send(session: URLLib3Session, request: object) -> None:
        raise error(endpoint_url="https://nowhere")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(deployment, "_PATIENCE", Config(retries={"total_max_attempts": 1}))
    monkeypatch.setattr(URLLib3Session, "send", send)

    assert main(argv) == 1

    assert capsys.readouterr().err == f"count: {call}: {error.__name__}; a later attempt may succeed\n"
