"""Real botocore clients that answer from a script: requests are checked against AWS's own description of them."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore.session import Session
from botocore.stub import Stubber


@cache
def stubbed_client(service: str):
    return Session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


@pytest.fixture
def dynamodb() -> Iterator[Stubber]:
    yield from scripted("dynamodb")


@pytest.fixture
def s3() -> Iterator[Stubber]:
    yield from scripted("s3")


@pytest.fixture
def kinesis() -> Iterator[Stubber]:
    yield from scripted("kinesis")


@pytest.fixture
def sns() -> Iterator[Stubber]:
    yield from scripted("sns")


@pytest.fixture
def sqs() -> Iterator[Stubber]:
    yield from scripted("sqs")


@pytest.fixture
def secretsmanager() -> Iterator[Stubber]:
    yield from scripted("secretsmanager")


def scripted(service: str) -> Iterator[Stubber]:
    """A stubber whose every answer must have been asked for by the end of the test."""
    with Stubber(stubbed_client(service)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
