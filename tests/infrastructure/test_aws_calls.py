"""The layer's part of botocore's data: every call of the adapters works as with all of the data."""

import ast
import shutil
from pathlib import Path

import botocore
import pytest
from botocore import xform_name
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


def client(service: str, region: str, data: Path | None = None):
    session = Session()
    if data is not None:
        session.register_component(
            "data_loader", Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        )
    session.set_credentials("key", "secret")
    return session.create_client(service, region_name=region)


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


def shape_of(made, operation: str) -> tuple:
    """The input, output and errors of a call."""
    model = made.meta.service_model.operation_model(operation)
    output = sorted(model.output_shape.members) if model.output_shape else []
    return sorted(model.input_shape.members), output, [shape.name for shape in model.error_shapes], model.http
