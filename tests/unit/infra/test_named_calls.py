"""AWS that does not answer: the line names the call that was made last."""

import socket
import time
from contextlib import nullcontext

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from infra.local.cloud import environment_of
from infra.operations import deployment
from infra.operations.command_line import main
from infra.operations.endpoints import require_listener
from infra.operations.errors import OperationsError


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

    said = {
        EndpointConnectionError: "found nothing at https://nowhere, expected AWS: look at the network, AWS_REGION and "
        "AWS_ENDPOINT_URL",
        ReadTimeoutError: f"{call} at https://nowhere: ReadTimeoutError; a later attempt may succeed",
    }
    assert capsys.readouterr().err == f"count: {said[error]}\n"


@pytest.fixture
def nothing(monkeypatch) -> str:
    """The address of an embedded AWS that has ended, in the environment as it left it."""
    with socket.create_server(("127.0.0.1", 0)) as ended:
        endpoint = f"http://127.0.0.1:{ended.getsockname()[1]}"
    for name, value in environment_of(endpoint).items():
        monkeypatch.setenv(name, value)
    return endpoint


@pytest.mark.parametrize(
    "argv",
    [
        ["count", "--stack", "s"],
        ["list", "--rejected-bucket", "b"],
        ["put-back", "--stack", "s"],
        ["rebuild", "--stack", "s"],
        ["settings", "--stack", "s", "--shop", "a"],
        ["alerts", "--stack", "s"],
        ["alerts", "--alerts-table", "t", "--id-salt-secret", "arn"],
        ["mail", "--stack", "s"],
        ["subscribers", "--alert-topic", "arn"],
        ["names", "--stack", "s"],
    ],
)
def test_embedded_aws_that_has_ended_is_said_at_once(nothing, capsys, argv):
    begun = time.monotonic()

    assert main(argv) == 1

    assert capsys.readouterr().err == (
        f"{argv[0]}: found nothing at {nothing}, expected AWS: start the embedded one (python -m infra.local up), "
        "or unset AWS_ENDPOINT_URL\n"
    )
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("endpoint", "is_here"), [("http://localhost:4", True), ("https://[::1]:4", True), ("https://example.com", False)]
)
def test_only_an_endpoint_of_this_machine_is_tried_first(monkeypatch, endpoint, is_here):
    tried: list[object] = []

    def refuse(address: object, timeout: float) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises(OperationsError, match="found nothing") if is_here else nullcontext():
        require_listener(endpoint)

    assert bool(tried) == is_here
