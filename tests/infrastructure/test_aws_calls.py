"""The layer's part of botocore's data: every call of the adapters works as with all of the data."""

import ast
import shutil
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.session import Session

from infra.bundles.aws_calls import CALLS, keep_calls
from tests.architecture.source import ROOT

DATA = Path(botocore.__file__).parent / "data"
REGIONS = ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1")
BOTOCORE_ITSELF = {"head_bucket"}


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("data")
    for entry in DATA.iterdir():
        if entry.is_file():
            shutil.copy(entry, data)
        elif entry.name in (*CALLS, "ec2"):
            shutil.copytree(entry, data / entry.name)
    keep_calls(data)
    return data


def client(service: str, region_name: str, data: Path | None = None, **options: Any):
    session = Session()
    if data is not None:
        loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        loader.BUILTIN_DATA_PATH = str(data)  # in the layer they lie where botocore's own do
        session.register_component("data_loader", loader)
    session.set_credentials("key", "secret")
    return session.create_client(service, region_name=region_name, **options)


def calls_of_adapters() -> set[str]:
    """Methods called on the clients that adapters hold: `self._s3.put_object` and the like."""
    names = set()
    for path in (ROOT / "functions" / "shared" / "service_quality" / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                holder = ast.unparse(node.func.value).removeprefix("self.").removeprefix("_")
                if holder in ("dynamodb", "kinesis", "s3", "secrets", "sns", "sqs"):
                    names.add(node.func.attr)
    return names


def test_every_call_of_an_adapter_is_kept_and_no_other():
    kept = {xform_name(operation) for operations in CALLS.values() for operation in operations}

    called = calls_of_adapters() | BOTOCORE_ITSELF
    assert kept == called, (
        f"found {', '.join(sorted(kept ^ called))} in CALLS of infra/bundles/aws_calls.py or in an adapter alone,"
        " expected both"
    )


def test_other_services_are_gone(cut):
    assert {path.name for path in cut.iterdir() if path.is_dir()} == set(CALLS)


@pytest.mark.parametrize("service", CALLS)
def test_client_of_the_cut_data_speaks_as_one_of_all_data(service, cut):
    for region in REGIONS:
        ours, theirs = client(service, region, cut), client(service, region)

        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.config.signature_version == theirs.meta.config.signature_version
        assert ours._request_signer._signing_name == theirs._request_signer._signing_name
        for operation in CALLS[service]:
            assert shape_of(ours, operation) == shape_of(theirs, operation)


CALLED_WITH = [
    ("dynamodb", {"TableName": "state", "RequestItems": {"state": {}}, "TransactItems": []}),
    ("kinesis", {"StreamName": "events"}),
    ("s3", {"Bucket": "models", "Key": "a/b"}),
    ("s3", {"Bucket": "models.of.a.shop", "Key": "a/b"}),
    ("s3", {"Bucket": "Models_1", "Key": "a/b"}),
    ("secretsmanager", {"SecretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:salt"}),
    ("sns", {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:alerts"}),
    ("sqs", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/timers"}),
]
PLACES = [
    {"region_name": region, "endpoint_url": url, "config": config}
    for region, url, config in (
        *((region, None, Config()) for region in REGIONS),
        ("eu-west-1", None, Config(use_dualstack_endpoint=True)),
        ("us-east-1", None, Config(use_fips_endpoint=True)),
        ("eu-west-1", "http://127.0.0.1:4566", Config()),
    )
]


@pytest.mark.parametrize(("service", "given"), CALLED_WITH)
def test_calls_go_where_all_data_would_send_them(service, given, cut):
    for place in PLACES:
        ours, theirs = (endpoints_of(service, data, given, place) for data in (cut, None))
        assert ours == theirs


@pytest.mark.parametrize(
    ("service", "given"),
    [
        ("s3", {"Bucket": "arn:aws:s3:eu-west-1:123456789012:accesspoint/models", "Key": "a"}),
        ("s3", {"Bucket": "models--euw1-az1--x-s3", "Key": "a"}),
        ("kinesis", {"StreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/events"}),
    ],
)
def test_resource_without_plain_name_is_refused(service, given, cut):
    found = endpoints_of(service, cut, given, {"region_name": "eu-west-1"})

    assert all("goes by no plain name" in one for one in found)


def endpoints_of(service: str, data: Path | None, given, place) -> list[str]:
    """Where a client would send each of its calls, or why it would not."""
    made = client(service, data=data, **place)
    found = []
    for operation in CALLS[service]:
        model = made.meta.service_model.operation_model(operation)
        try:
            endpoint = made._ruleset_resolver.construct_endpoint(
                operation_model=model, call_args=given, request_context={"client_config": made.meta.config}
            )
            found.append(f"{endpoint.url} {endpoint.properties} {endpoint.headers}")
        except BotoCoreError as error:
            found.append(str(error))
    return found


def shape_of(made, operation: str) -> tuple:
    """The input, output and errors of a call."""
    model = made.meta.service_model.operation_model(operation)
    output = sorted(model.output_shape.members) if model.output_shape else []
    return sorted(model.input_shape.members), output, [shape.name for shape in model.error_shapes], model.http
