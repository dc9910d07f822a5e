"""The commands that follow a run, by what it was given."""

import shlex
from collections.abc import Mapping
from typing import Any

from service_quality.tasks.declared_tasks import DISSATISFACTION
from spark_jobs.errors import JobError

_AFTER = {
    "import_events": "build_training_set --as-of DAY",
    "generate_shop": "build_training_set --as-of DAY",
    "build_training_set": "train_model --output build/model",
    "fold_archive": "evaluate_scores",
    "materialize_histories": "check_consistency",
    "rebuild_state": "check_consistency",
}


def next_commands(job: str, arguments: Mapping[str, Any], code: int) -> list[str]:
    """What comes next after a run that ended with this code; after a fault the same command with its stack trace.

    After a failure that its message explains, as that of an argument or of input, nothing follows.

    >>> next_commands("generate_shop", {"lake": "a lake"}, 0)
    ["python -m spark_jobs build_training_set --as-of DAY --lake 'a lake'"]
    """
    if code == JobError.exit_code:
        return [f"python -m spark_jobs {job} … --debug"]
    if code == 0 and job == "train_model":
        return ["python -m model_export --help"]
    if code or job not in _AFTER:
        return []
    task = f" --task {arguments['task']}" if arguments.get("task", DISSATISFACTION.name) != DISSATISFACTION.name else ""
    return [f"python -m spark_jobs {_AFTER[job]}{task} --lake {shlex.quote(str(arguments.get('lake', 'build/lake')))}"]
