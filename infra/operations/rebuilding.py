"""The rebuild of shops' state after a release with another fold: the Spark job, run as a person would run it."""

import os
from collections.abc import Sequence

from infra.local.errors import StepFailedError
from infra.local.module_runs import run_module
from infra.operations.deployment import Names
from infra.operations.errors import OperationsError

#: The names that a rebuild needs, beside those of a put-back.
NEEDED = ("alerts_table", "archive_bucket")


def rebuild_shops(names: Names, *, shop_id: str | None, lake: str | None, master: str | None) -> None:
    """Run `rebuild_state` to its end; OperationsError with its last words where it fails."""
    argv = rebuild_arguments(names, shop_id=shop_id, lake=lake, master=master)
    try:
        run_module("rebuild_state", argv, os.environ)
    except StepFailedError as error:
        raise OperationsError(str(error)) from error


def rebuild_arguments(names: Names, *, shop_id: str | None, lake: str | None, master: str | None) -> Sequence[str]:
    """The job's command line."""
    given = {"--shop": shop_id, "--lake": lake, "--master": master}
    return [
        *("spark_jobs", "rebuild_state", "--archive", f"s3a://{names.archive_bucket}/archive"),
        *("--state-table", names.state_table, "--alerts-table", names.alerts_table),
        *("--event-stream", names.event_stream, "--control-key-secret", names.control_key_secret),
        *(word for option, value in given.items() if value for word in (option, value)),
    ]
