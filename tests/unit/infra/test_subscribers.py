"""The subscribers of the alert topic, before anything is published."""

import socket
from contextlib import ExitStack

from infra.local.cloud import Cloud
from infra.local.subscribers import WebSubscriber


def test_web_subscriber_lets_many_wait_while_it_is_busy():
    web = WebSubscriber(Cloud("http://127.0.0.1:1"), "a topic")
    port = web._server.server_port

    with ExitStack() as callers:
        callers.callback(web._server.server_close)
        for _ in range(100):
            callers.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1))
