"""Cold start: from spawning the official runtime client to the answer of the first event, in three functions by turns.

Ours as deployed; one that loads a pickled scikit-learn pipeline and uses boto3; one that only imports what ours does.
All talk to the same Runtime API and the same AWS on this machine, which answer at once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.cold_start_runs.aws_answers import SHARD, AwsAnswers
from benchmarks.cold_start_runs.local_server import serving
from benchmarks.cold_start_runs.models import write_models
from benchmarks.cold_start_runs.runtime_api import RuntimeApi
from benchmarks.errors import FunctionFailedError
from benchmarks.measurement import Row, Section
from cli.paths import ROOT
from infra.bundles.layer import LAYERS, build_layer
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent

OURS, SCIKIT_LEARN, IMPORTS = "score_interactions", "scikit-learn, joblib, boto3", "bare imports"
AT = 1_795_165_200_000
OURS_ALONE = ("app", "service_quality")
TIMEOUT_SECONDS = 60
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
ONLY_FOUND = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print(name)
"""


@dataclass(frozen=True)
class Function:
    """A function's folder and the variables that its environment adds."""

    name: str
    folder: Path
    variables: Mapping[str, str]
    layers: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Start:
    """One cold start: until the first answer, and the processor's time and memory of the whole process."""

    milliseconds: float
    cpu_milliseconds: float
    peak_mb: float
    log: str


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """Start each function `runs` times, by turns, after one start each that does not count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress("  the model and the layers, as they are deployed")
        model, layers = write_models(folder), folder / "layers"
        for layer in LAYERS:  # the runtime, too, unpacks all of them into one folder
            build_layer(layer, layers / layer, {"LAYER_PYTHON": sys.executable})
            shutil.copytree(layers / layer, layers / "opt", dirs_exist_ok=True)
        packages = layers / "opt" / "python"
        with serving(AwsAnswers(model.onnx).answer) as aws:
            ours = Function(
                OURS, ROOT / "functions" / "score_interactions", deployed_variables(aws), layers=(packages,)
            )
            naive = Function(
                SCIKIT_LEARN,
                ROOT / "benchmarks" / "cold_start_runs" / "scikit_learn",
                {**deployed_variables(aws), "MODEL_FILE": str(model.joblib)},
            )
            bare = Function(
                IMPORTS,
                ROOT / "benchmarks" / "cold_start_runs" / "bare_imports",
                {"IMPORTS": ",".join(imported(ours)), **ONE_THREAD},
                layers=(packages,),
            )
            starts: dict[str, list[Start]] = {function.name: [] for function in (ours, naive, bare)}
            for run in range(runs + 1):
                for function in (ours, naive, bare):
                    start = start_cold(function)
                    if run:
                        starts[function.name].append(start)
                        progress(f"  {run}/{runs} {function.name}: {start.milliseconds:.0f} ms")
    return summarize(starts)


def summarize(starts: Mapping[str, list[Start]]) -> Section:
    """The starts by function; ratios are taken run by run, so that a slow minute of the machine is in both sides."""
    rows = [
        Row(f"{name}: {what}", unit, tuple(getattr(start, field) for start in found))
        for name, found in starts.items()
        for what, unit, field in (
            ("spawn to first answer", "ms", "milliseconds"),
            ("CPU", "ms", "cpu_milliseconds"),
            ("peak memory", "MB", "peak_mb"),
        )
    ]
    ratios = {
        "over_scikit_learn": Row("ours over scikit-learn's", "", ratio(starts[OURS], starts[SCIKIT_LEARN])),
        "over_imports": Row("ours over bare imports", "", ratio(starts[OURS], starts[IMPORTS])),
    }
    beside = [
        Row(
            f"CPU of ours over {name}",
            "",
            ratio(starts[OURS], starts[name], "cpu_milliseconds"),
            "where others work, too",
        )
        for name in (SCIKIT_LEARN, IMPORTS)
    ]
    packages = ("awslambdaric", "botocore", "onnxruntime", "numpy", "aws-lambda-powertools", "scikit-learn", "joblib")
    return Section(
        "cold_start",
        (*rows, *ratios.values(), *beside),
        {name: row.median for name, row in ratios.items()},
        {name: version(name) for name in packages},
    )


def ratio(ours: list[Start], theirs: list[Start], what: str = "milliseconds") -> tuple[float, ...]:
    """Ours over theirs, run by run."""
    return tuple(getattr(one, what) / getattr(other, what) for one, other in zip(ours, theirs, strict=True))


def start_cold(function: Function, options: tuple[str, ...] = ()) -> Start:
    """Spawn the runtime's client on a function, hand it one event, and end it when it has answered."""
    api = RuntimeApi(first_event())
    with serving(api.answer) as address, tempfile.TemporaryFile() as log:
        variables = {**base_variables(function.layers), "AWS_LAMBDA_RUNTIME_API": address, **function.variables}
        command = [sys.executable, *options, "-m", "awslambdaric", "app.handler"]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=function.folder, env=variables, stdout=log, stderr=log)
        answered = api.answered.wait(TIMEOUT_SECONDS)
        peak = peak_mb(process.pid) if answered else 0.0
        process.kill()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        api.done.set()
        log.seek(0)
        printed = log.read().decode(errors="replace")
    if not answered or api.failure:
        raise FunctionFailedError(
            f"{function.name}: found {api.failure or 'no answer'}, expected one\n{printed[-2000:]}"
        )
    cpu = (used.ru_utime + used.ru_stime) * 1000
    return Start((api.answered_at - started) * 1000, cpu, peak, printed)


def peak_mb(pid: int) -> float:
    """The peak memory of a running process; that of wait4 includes the process from which it was forked."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[0]) * 1024 / 1e6


def base_variables(layers: tuple[Path, ...]) -> dict[str, str]:
    """The variables that the runtime sets for every function; the runtime's client comes after the layers."""
    path = [*map(str, layers), sysconfig.get_path("purelib")]
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(path),
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
    }


def deployed_variables(aws: str) -> dict[str, str]:
    """The variables of score_interactions in its stack, and the address of AWS."""
    return {
        "AWS_ENDPOINT_URL": f"http://{aws}",
        **ONE_THREAD,
        "EVENT_STREAM": "events",
        "STREAM_GENERATION": "1",
        "STATE_TABLE": "state",
        "ALERTS_TABLE": "alerts",
        "MODELS_TABLE": "models",
        "MODELS_BUCKET": "models",
        "REJECTED_BUCKET": "rejected",
        "CONTROL_KEY_SECRET": "control",
        "ID_SALT_SECRET": "salt",
        "SHOPS_AT_ONCE": "64",
    }


def imported(function: Function) -> list[str]:
    """Every module that a function has imported when it has answered, but our own."""
    printed = start_cold(function, ("-X", "importtime")).log
    names = dict.fromkeys(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", printed, re.MULTILINE))
    others = [name for name in names if name.partition(".")[0] not in OURS_ALONE]
    command = [sys.executable, "-c", ONLY_FOUND, *others]  # the log names modules that were not found, too
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=base_variables(function.layers))
    return done.stdout.split()


def first_event() -> bytes:
    """A batch of the stream with one record: a contact is opened."""
    event = InteractionEvent(
        event_id="contact-1-opened",
        shop_id="shop-1",
        kind="conversation_opened",
        occurred_at=AT,
        received_at=AT + 1000,
        conversation_id="contact-1",
        customer_id="customer-7",
        agent_id="agent-3",
        supervisor_id="supervisor-1",
        manager_id="manager-1",
        category="Returns",
        subcategory="Reverse pickup",
        channel="inbound",
    )
    kinesis = {
        "partitionKey": event.shop_id,
        "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
        "data": b64encode(event_to_json(event)).decode(),
        "approximateArrivalTimestamp": (AT + 1000) / 1000,
    }
    record = {"kinesis": kinesis, "eventSource": "aws:kinesis", "eventID": f"{SHARD}:{kinesis['sequenceNumber']}"}
    return json.dumps({"Records": [record]}).encode()
