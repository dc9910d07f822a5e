"""Clients as every function gets them."""

from pathlib import Path
from types import SimpleNamespace

import botocore
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import JSONFileLoader
from botocore.session import get_session

from infra.bundles.aws_calls import CALLS
from service_quality.adapters.aws_clients import _SERVICES, _PlainFiles, _session, make_client


def test_clients_speak_to_the_environments_endpoint_and_do_not_wait_for_ever(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    _session.cache_clear()

    client = make_client("sns")

    _session.cache_clear()
    assert client.meta.endpoint_url == "http://127.0.0.1:4599"
    assert client.meta.config.connect_timeout <= 5
    assert client.meta.config.read_timeout <= 15
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 4}


def test_client_signs_with_the_keys_of_the_environment(monkeypatch):
    for name in ("access_key_id", "secret_access_key", "session_token"):
        monkeypatch.setenv(f"AWS_{name.upper()}", f"the {name}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    keys = make_client("s3")._get_credentials()

    assert keys.access_key == "the access_key_id"
    assert keys.secret_key == "the secret_access_key"
    assert keys.token == "the session_token"


def test_client_finds_keys_elsewhere_where_the_environment_has_none(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keys").write_text("[default]\naws_access_key_id = of a file\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    _session.cache_clear()

    keys = make_client("s3")._get_credentials()

    _session.cache_clear()
    assert keys.access_key == "of a file"


@pytest.mark.parametrize("service", _SERVICES)
def test_data_read_plainly_is_the_same_data(service):
    files = list((Path(botocore.__file__).parent / "data" / service).rglob("*.json*"))

    names = [str(file)[: str(file).index(".json")] for file in files]

    assert names
    expected = [without_tables_endpoints(JSONFileLoader().load_file(name)) for name in names]
    assert [_PlainFiles().load_file(name) for name in names] == expected


def without_tables_endpoints(data):
    """A service's data without what its tables' names say of endpoints."""
    if "operations" not in data:
        return data
    kept = {
        name: {key: value for key, value in operation.items() if key != "operationContextParams"}
        for name, operation in data["operations"].items()
    }
    return data | {"operations": kept}


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1"])
def test_transaction_goes_where_botocore_sends_it(region, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a key")
    monkeypatch.delenv("AWS_ACCOUNT_ID", raising=False)  # Lambda says none
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    _session.cache_clear()

    ours, theirs = make_client("dynamodb"), get_session().create_client("dynamodb")

    _session.cache_clear()
    assert [sent_to(ours)] * 2 == [sent_to(theirs), f"https://dynamodb.{region}.amazonaws.com{ending(region)}/"]


def ending(region):
    """What follows the domain of a region."""
    return ".cn" if region.startswith("cn-") else ""


def sent_to(client) -> str:
    """Where a transaction over two tables is sent."""
    sent: list[str] = []

    def note(request, **_):
        sent.append(request.url)
        return AWSResponse(request.url, 200, HTTPHeaders(), SimpleNamespace(stream=lambda: iter([b"{}"])))

    client.meta.events.register("before-send.dynamodb", note)
    puts = [{"Put": {"TableName": table, "Item": {"key": {"S": "a"}}}} for table in ("state", "alerts")]
    client.transact_write_items(TransactItems=puts)
    return sent[0]


def test_data_that_is_not_there_is_none(tmp_path):
    assert _PlainFiles().load_file(str(tmp_path / "service-2")) is None


@pytest.mark.parametrize("service", _SERVICES)
def test_every_handler_of_botocore_for_our_services_is_there(service):
    _session.cache_clear()
    ours, theirs = _session(), get_session()
    for kind in ("before-parameter-build", "before-call", "before-sign", "after-call", "needs-retry", "choose-signer"):
        for operation in CALLS[service]:
            event = f"{kind}.{service}.{operation}"
            assert handlers(ours, event) == handlers(theirs, event), event
    _session.cache_clear()


def handlers(session, event: str) -> list:
    """The calls that would be made, in order."""
    return list(session.get_component("event_emitter")._emitter._handlers.prefix_search(event))


def test_layer_carries_the_services_that_clients_are_made_of():
    assert set(CALLS) == set(_SERVICES)


def test_other_service_is_refused():
    with pytest.raises(ValueError, match="found service ec2"):
        make_client("ec2")
