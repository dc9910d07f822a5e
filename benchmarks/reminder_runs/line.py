"""A deployed line with the shipped rules, whose shops have a policy of seconds."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import EngineFailedError
from cli.atomic_write import write_json
from cli.progress import wait_until
from infra.local.cloud import for_embedded
from infra.local.deployment import STACK, deploy
from infra.local.emulator import Emulator
from infra.local.live_minute import policy_document
from infra.local.module_runs import run_module
from infra.local.replaying import now_ms
from service_quality.adapters.state_table import StateReader
from service_quality.instants import SECOND
from tests.integration.test_deployment import promote_tiny_model
from tests.integration.timed_line import TimedLine

#: Nearly nobody is at risk in the model's eyes, so that alerts are about waits.
_BIAS = -3.0
_PATIENCE_SECONDS = 60


@contextmanager
def reminding_line(folder: Path, shops: Sequence[str], *, limit_ms: int) -> Iterator[TimedLine]:
    """The line once every shop has a policy by which an answer is due after so many milliseconds."""
    with Emulator(folder) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs, bias=_BIAS)
        policy = folder / "policy.json"
        write_json(policy, policy_document(now_ms(), limit_ms // SECOND))
        environment = for_embedded(os.environ, emulator.endpoint)
        for shop_id in shops:
            of_shop = ("--stack", STACK, "--shop", shop_id, "--file", str(policy))
            run_module(f"policy of {shop_id}", ["infra.operations", "policy", "set", *of_shop], environment)
        state = StateReader(emulator.cloud.dynamodb, outputs["StateTableName"])
        if not wait_until(
            lambda: all(state.read_shop(shop_id) for shop_id in shops),
            title="policies",
            state=lambda: "not every shop has one yet",
            seconds=_PATIENCE_SECONDS,
        ):
            raise EngineFailedError(f"policies: found shops without one after {_PATIENCE_SECONDS} s, expected none")
        yield TimedLine(emulator.cloud, outputs, emulator.pid, emulator.endpoint)
