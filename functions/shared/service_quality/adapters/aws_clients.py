"""AWS clients, with the retries and time limits of every call."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.hooks import EVENT_ALIASES, EventAliaser, HierarchicalEmitter
from botocore.loaders import JSONFileLoader
from botocore.session import Session

# Requests are built by tested code: checking their shapes again costs a quarter of a call's time.
_CONFIG = Config(
    parameter_validation=False,
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
    tcp_keepalive=True,
    max_pool_connections=70,  # several shops of a batch are advanced at once
    user_agent="service-quality",  # botocore's own names the machine, and is built for every call
)
# The keys that Lambda gives a function for its whole life. botocore finds the same keys, but first builds all its other
# providers of credentials; it uses those where these variables are missing.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SERVICES = ("dynamodb", "kinesis", "s3", "secretsmanager", "sns", "sqs")


def make_client(service: str) -> Any:
    """A client of the service in the environment's region, account and endpoint (`AWS_ENDPOINT_URL`)."""
    if service not in _SERVICES:
        raise ValueError(f"found service {service}, expected one of {', '.join(_SERVICES)}")
    key, secret, token = map(os.environ.get, _KEYS)
    return _session().create_client(
        service, config=_CONFIG, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
    )


@cache
def _session() -> Session:
    """One session, so that credentials are found and service models are read once.

    Its handlers, and the other names under which events are known, are botocore's own but for those of other services
    and of its documentation. There are three times as many of them, and registering, copying and searching them took
    half of what the clients took at a cold start.
    """
    session = Session(include_builtin_handlers=False)
    session.get_component("data_loader").file_loader = _PlainFiles()
    aliases = {alias: name for alias, name in EVENT_ALIASES.items() if alias in _SERVICES}
    events = EventAliaser(HierarchicalEmitter(), aliases)
    session.register_component("event_emitter", events)
    register = {None: events.register, REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last}
    for event, handler, *order in BUILTIN_HANDLERS:
        if _concerns_us(event):
            register[order[0] if order else None](event, handler)
    return session


class _PlainFiles(JSONFileLoader):
    """botocore's data as plain dictionaries, which keep their order, too, and are read in a quarter of the time.

    Without the parameters by which a request's tables would choose an endpoint of their account: our requests name
    tables by their names, which choose none, and looking for them took a twentieth of a transaction's time.
    """

    def load_file(self, file_path: str) -> Any:
        """The content of a data file, named without its extension; None where there is no such file."""
        plain = Path(f"{file_path}.json")
        found = json.loads(plain.read_bytes()) if plain.is_file() else super().load_file(file_path)
        for operation in (found or {}).get("operations", {}).values():
            operation.pop("operationContextParams", None)
        return found


def _concerns_us(event: str) -> bool:
    """Whether an event of botocore's may concern a call of ours.

    >>> [_concerns_us(name) for name in ("before-call", "before-call.s3", "before-call.ec2", "docs.*.s3.*")]
    [True, True, False, False]
    """
    kind, *parts = event.split(".")
    return kind != "docs" and (not parts or parts[0] in _SERVICES)
