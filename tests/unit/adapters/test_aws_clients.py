"""Clients as every function gets them."""

from service_quality.adapters.aws_clients import _session, make_client


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
