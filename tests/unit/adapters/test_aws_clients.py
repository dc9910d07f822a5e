"""Clients as every function gets them."""

import pytest
from botocore.session import get_session

from infra.bundles.aws_calls import CALLS
from service_quality.adapters.aws_clients import _SERVICES, _session, make_client


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
    """What would be called, in its order."""
    return list(session.get_component("event_emitter")._emitter._handlers.prefix_search(event))


def test_layer_carries_the_services_that_clients_are_made_of():
    assert set(CALLS) == set(_SERVICES)


def test_other_service_is_refused():
    with pytest.raises(ValueError, match="found service ec2"):
        make_client("ec2")
