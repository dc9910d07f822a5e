"""Examples where AWS is missing: one line that says what to do, and no trace of the code."""

import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from cli.paths import ROOT
from examples import send_conversation, stack
from infra.local.cloud import environment_of
from tests.stand_ins.aws_services import refusal

EXAMPLES = ("preview", "read_alerts", "send_conversation", "subscribe")


def run(example: str, **variables: str) -> str:
    """What an example says in an environment with these variables of AWS alone; it ends with 1."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nothing = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = subprocess.run(
        [sys.executable, "-m", f"examples.{example}"],
        cwd=ROOT,
        env={**kept, **nothing, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_without_a_region_says_what_to_set(example):
    (line,) = run(example).splitlines()

    assert line.startswith("found no region, expected AWS_REGION or a profile's; for the local deployment: eval ")


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_after_the_embedded_aws_has_ended_names_the_endpoint(example):
    with socket.create_server(("127.0.0.1", 0)) as ended:
        endpoint = f"http://127.0.0.1:{ended.getsockname()[1]}"

    (line,) = run(example, **environment_of(endpoint)).splitlines()

    assert line.startswith(f"found nothing at {endpoint}")


def test_example_without_credentials_says_so():
    (line,) = run("subscribe", AWS_REGION="eu-west-1").splitlines()

    assert line == "found an error of AWS, expected an answer: Unable to locate credentials"


def test_endpoint_that_is_no_url_is_refused():
    (line,) = run("subscribe", AWS_REGION="eu-west-1", AWS_ENDPOINT_URL="nonsense").splitlines()

    assert line.startswith("found no URL in AWS_ENDPOINT_URL")


def test_file_that_holds_no_events_is_named(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text('{"event_id": "a"}\n\n{"event_id": \n')

    with pytest.raises(SystemExit, match="expected JSON, one event a line"):
        send_conversation.read_events(file)
    file.write_text('{"event_id": "a"}\n\n{"event_id": "b"}\n')

    assert send_conversation.read_events(file) == [{"event_id": "a"}, {"event_id": "b"}]


class CloudFormation:
    """Knows one stack, which is not of this project."""

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName != "theirs":
            raise refusal("ValidationError")
        return {"Stacks": [{"Outputs": [{"OutputKey": "BucketName", "OutputValue": "b"}]}]}


@pytest.mark.parametrize(
    ("name", "said"), [("none", "found no stack none, expected one"), ("theirs", "found no output EventQueueUrl")]
)
def test_stack_that_is_missing_or_of_another_project_is_named(monkeypatch, name, said):
    monkeypatch.setattr(stack, "client", lambda service: CloudFormation())

    with pytest.raises(SystemExit, match=said):
        stack.read_outputs(name)
